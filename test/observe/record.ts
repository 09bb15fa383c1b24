import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import pg from 'pg';
import { parse } from 'yaml';
import { openProcess } from '../../cli/demo/open-process.js';
import { createShopDatabase } from '../../cli/demo/shop/database.js';
import { openShop } from '../../cli/demo/shop/open-shop.js';
import type { Stats } from '../../cli/demo/stats.js';
import { startAlertmanager } from '../harness/alertmanager.js';
import { startServers } from '../harness/start-servers.js';
import { until } from '../harness/until.js';
import { type Body, configs, type Fault, type Recorded, weekFile } from './recording.js';

// Breaks the demo's shop and checkout again and again, and writes down what a real Alertmanager sends when their monitoring tells it: npx tsx test/observe/record.ts

const WEEK_ENDS = Date.parse('2026-11-16T00:00:00Z');
const HOUR_MS = 3_600_000;
const EVERY_MS = 3 * HOUR_MS;
const shops = ['berlin', 'lisbon', 'oslo', 'porto', 'riga'];
const regions = ['eu', 'us', 'asia'];

interface Planned {
  readonly at: number;
  readonly fault: Fault;
  readonly labels: Readonly<Record<string, string>>;
  readonly clears: { readonly afterMs: number; readonly isTold: boolean } | null;
}

/** Something every three hours for a week, and once on the evening before it. */
const planned: readonly Planned[] = Array.from({ length: 57 }, (_, index) => {
  const at = WEEK_ENDS - (57 - index) * EVERY_MS + ((index * 37) % 120) * 60_000;
  const place = index % 8;
  const turn = Math.floor(index / 8);
  const isUnreadable = place >= 5 && (turn + place) % 3 === 0;
  const fault = place < 5 ? 'idleTransaction' : isUnreadable ? 'unreadable' : 'timeout';
  const alertname = { idleTransaction: 'ShopSlow', timeout: 'CheckoutFailing', unreadable: 'CheckoutConfigurationUnreadable' }[fault];
  const labels = place < 5 ? { service: 'shop', shop: shops[place] ?? '' } : { service: 'checkout', region: regions[place - 5] ?? '' };
  const clears = index % 7 === 5 ? null : { afterMs: (90 + ((index * 173) % 3_300)) * 1_000, isTold: index % 3 !== 0 };
  return { at, fault, labels: { alertname, severity: fault === 'unreadable' ? 'warning' : 'critical', ...labels }, clears };
});

/** Takes what Alertmanager sends, and gives it to whoever waits for it. */
async function openReceiver() {
  const received: Body[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    received.push((await json(request)) as Body);
    response.end();
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    await: (status: Body['status'], startsAt: string) => until(`${status} of ${startsAt}`, async () => received.find((body) => body.status === status && Date.parse(body.alerts[0]?.startsAt ?? '') === Date.parse(startsAt))),
    close: () => server.close(),
  };
}

/** Something that breaks: what its monitoring says once it does, and again once it is well. */
interface Breakable {
  break(fault: Fault): Promise<string>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

async function openDemoShop(): Promise<Breakable> {
  const server = process.env['TEST_DATABASE_URL'] ?? '';
  const { shopUrl } = await createShopDatabase(server);
  const shop = await openShop(shopUrl, { PATH: process.env['PATH'] ?? '' });
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  let pid = 0;
  return {
    async break() {
      pid = await shop.breakIt();
      const { p99Ms } = await until('slow orders', async () => shop.stats().then((stats) => stats.p99Ms > 2_000 && stats));
      return `Orders of the shop are slow: p99 ${Math.round(p99Ms)} ms`;
    },
    async mend() {
      await admin.query('select pg_terminate_backend($1)', [pid]);
      await until('fast orders', async () => (await shop.stats()).p99Ms < 500);
    },
    async close() {
      await shop.stop();
      await admin.end();
    },
  };
}

async function openDemoCheckout(folder: string): Promise<Breakable> {
  const path = join(folder, 'checkout.yaml');
  await writeFile(path, configs.good);
  const service = await openProcess(new URL('../../cli/demo/checkout/main.ts', import.meta.url), { PATH: process.env['PATH'] ?? '', CHECKOUT_CONFIG: path });
  const stats = async (): Promise<Stats> => (await (await fetch(`${service.url}/stats`)).json()) as Stats;
  const whyUnreadable = async (): Promise<string | undefined> => {
    try {
      parse(await readFile(path, 'utf8'));
      return undefined;
    } catch (error) {
      return String(error).split('\n')[0];
    }
  };
  return {
    async break(fault) {
      await writeFile(path, fault === 'unreadable' ? configs.unreadable : configs.timeout);
      if (fault === 'unreadable') return `checkout.yaml cannot be read: ${await until('a file that cannot be read', whyUnreadable)}`;
      const { failedPercent } = await until('failed payments', async () => stats().then((now) => now.failedPercent > 50 && now));
      return `Payments fail at the checkout: ${failedPercent} %`;
    },
    async mend() {
      await writeFile(path, configs.good);
      await until('no failed payments', async () => (await stats()).failedPercent === 0 && (await whyUnreadable()) === undefined);
    },
    close: () => service.stop(),
  };
}

const folder = await mkdtemp(join(tmpdir(), 'sluice-record-'));
const servers = await startServers();
const receiver = await openReceiver();
const alertmanager = await startAlertmanager(receiver.url, 'nobody asks', "['...']");
const [shop, checkout] = await Promise.all([openDemoShop(), openDemoCheckout(folder)]);

async function record({ at, fault, labels, clears }: Planned): Promise<Recorded> {
  const broken = fault === 'idleTransaction' ? shop : checkout;
  const startsAt = new Date(at).toISOString();
  const alert = { labels, startsAt, annotations: { summary: await broken.break(fault) }, generatorURL: 'http://prometheus.example/graph' };
  await alertmanager.send({ ...alert, endsAt: new Date(Date.now() + HOUR_MS).toISOString() });
  const body = await receiver.await('firing', startsAt);
  await broken.mend();
  // What stays broken in the recording is over here, so that the next can begin.
  await alertmanager.send({ ...alert, endsAt: new Date(at + (clears?.afterMs ?? HOUR_MS)).toISOString() });
  const resolved = await receiver.await('resolved', startsAt);
  process.stdout.write(`${startsAt} ${JSON.stringify(labels)} ${alert.annotations.summary}\n`);
  return { at: startsAt, source: 'alertmanager', body, fault, clears: clears && { afterMs: clears.afterMs, body: clears.isTold ? resolved : null } };
}

async function recordAll(isOurs: (one: Planned) => boolean): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = [];
  for (const one of planned.filter(isOurs)) recorded.push(await record(one));
  return recorded;
}

const isShop = ({ fault }: Planned): boolean => fault === 'idleTransaction';
const lines = (await Promise.all([recordAll(isShop), recordAll((one) => !isShop(one))])).flat().toSorted((one, other) => one.at.localeCompare(other.at));
await writeFile(weekFile, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
await Promise.all([shop.close(), checkout.close(), alertmanager.stop()]);
receiver.close();
await servers.stop();
await rm(folder, { recursive: true });
