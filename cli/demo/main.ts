import { randomUUID } from 'node:crypto';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { Gate, IncidentDetail, IncidentUpdate } from '../../contracts/http.js';
import { openDatabase } from '../../db/database.js';
import { createToken } from '../../db/tokens.js';
import { formatUpdate } from '../../domain/tail-text.js';
import { ApiRefusal, createApiClient, type ApiClient } from '../client.js';
import { readLocalConfig } from '../local/config.js';
import { startStack, type Stack } from '../local/stack.js';
import { explain, Trouble } from '../local/trouble.js';
import { openTerminal } from './terminal.js';
import { startMonitoring } from './monitoring.js';
import { openShop, type Shop } from './shop/open-shop.js';
import { createShopDatabase } from './shop/database.js';
import { SLOW_MS } from './shop/stats.js';

const WORKSPACE = 'demo';
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const options = new Command('npm run demo --')
  .description('A real fault in a real database, from alert to RESOLVED.')
  .option('--yes', 'approve both gates as the demo supervisor', false)
  .parse()
  .opts<{ readonly yes: boolean }>();

let starting: Promise<Stack> | undefined;
let shop: Shop | undefined;
const calledOff = new AbortController();
const stopAll = async (): Promise<void> => {
  calledOff.abort();
  await shop?.stop();
  // A start that is called off stops what it had started, and then fails.
  const stack = await starting?.catch(() => undefined);
  await stack?.stop();
};
let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping ??= stopAll().then(() => process.exit(130));
  });
}

/** People of the demo, as tokens: who approves, and the monitoring that sends alerts. */
async function makePeople(databaseUrl: string): Promise<{ readonly supervisor: string; readonly monitoring: string }> {
  const { db, close } = openDatabase(databaseUrl, { max: 1 });
  try {
    return {
      supervisor: await createToken(db, { person: 'demo-supervisor', role: 'supervisor', workspaceId: WORKSPACE }),
      monitoring: await createToken(db, { person: 'demo-monitoring', role: 'agent', workspaceId: WORKSPACE }),
    };
  } finally {
    await close();
  }
}

/** Answers a gate by the terminal or, with --yes, at once. Somebody on the page may be faster. */
async function answerGate(api: ApiClient, incidentId: string, terminal: ReturnType<typeof openTerminal>, apiUrl: string): Promise<void> {
  const { gate } = await api.get<IncidentDetail>(`/api/incidents/${incidentId}`);
  if (gate?.state !== 'open') return;
  const verdict = options.yes ? 'approve' : await terminal.ask(`\n   Decide here or on the page ${apiUrl}/incidents/${incidentId}\n   ${questionOf(gate)} [approve/reject] `);
  try {
    await api.post(`/api/incidents/${incidentId}/decisions`, {
      decisionId: randomUUID(),
      gateId: gate.id,
      digest: gate.digest,
      verdict,
      reason: options.yes ? 'npm run demo -- --yes' : `${verdict} in the demo's terminal`,
    });
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    say(`   ${error.message}`);
  }
}

const questionOf = ({ kind }: Gate): string =>
  ({ execution: 'Run this plan?', verification: 'Does it look good?', needsHuman: 'Measure again (approve) or close it (reject)?' })[kind];

function print(update: IncidentUpdate): void {
  say(formatUpdate(update));
}

async function play(): Promise<number> {
  say('Bringing up Temporal, Postgres, the API and a worker');
  const local = readLocalConfig();
  const home = join(local.home, 'demo');
  starting = startStack({
    home,
    say: (line) => say(`  ${line}`),
    sluiceConfig: fileURLToPath(new URL('sluice.yaml', import.meta.url)),
    signal: calledOff.signal,
    async beforeProcesses(databaseUrl) {
      const { shopUrl, operatorUrl } = await createShopDatabase(databaseUrl);
      shop = await openShop(shopUrl, local.environment);
      return { SHOP_DATABASE_URL: operatorUrl, SHOP_URL: shop.url };
    },
  });
  const stack = await starting;
  if (shop === undefined) throw new Error('the shop did not open');
  const { apiUrl } = stack;
  const people = await makePeople(stack.databaseUrl);
  const api = createApiClient(apiUrl, people.supervisor);
  say(`  Page             ${apiUrl}/#token=${people.supervisor}`);
  say(`  Temporal Web UI  ${stack.temporalUiUrl ?? `that of the server at ${stack.temporalAddress}`}`);

  say(`  Postgres         ${new URL(stack.databaseUrl).host}, database shop, password in ${join(home, 'postgres', 'password')}`);
  say(`  Second terminal  SLUICE_HOME=${relative(process.cwd(), home) || '.'} npx sluice incidents\n`);

  const before = await untilBusy(shop);
  say(`The shop is open: p99 ${before.p99Ms} ms, ${before.requestsPerSecond} orders a second`);
  const pid = await shop.breakIt();
  say(`Now session ${pid} takes every product's lock, and its owner goes to lunch before committing\n`);

  const terminal = openTerminal(process.stdin, process.stdout);
  const monitoring = startMonitoring(createApiClient(apiUrl, people.monitoring), shop, randomUUID());
  const incidentId = await Promise.race([monitoring.incidentId, monitoring.failed]);
  say(`  This incident    ${apiUrl}/incidents/${incidentId}\n`);
  let outcome: string | undefined;
  for await (const entry of api.followTail(incidentId)) {
    if (entry.event === 'done') outcome = entry.data.outcome;
    if (entry.event !== 'update') continue;
    print(entry.data);
    // Not awaited: the page may answer first, and the tail goes on.
    if (entry.data.details?.gateId !== undefined) answerGate(api, incidentId, terminal, apiUrl).catch((error: unknown) => say(String(error)));
  }
  await monitoring.stop();

  const holds = await shop.isHeld();
  const after = await shop.stats();
  const works = after.failed === 0 && after.requestsPerSecond > 0 && after.p99Ms < SLOW_MS;
  say(`\nThe shop: p99 ${after.p99Ms} ms, ${after.requestsPerSecond} orders a second, ${after.failed} failed in the last 3 s`);
  if (holds) say(`Session ${pid} is still there`);
  if (outcome !== 'RESOLVED') say(`The incident ended as ${outcome}`);
  else if (!works) say('The incident says RESOLVED, but the shop does not work');
  if (!options.yes) await terminal.enter('\nThe page and the Temporal Web UI stay up until you press Enter ');
  terminal.close();
  return outcome === 'RESOLVED' && works ? 0 : 1;
}

/** Waits until the shop has had customers for its whole window. */
async function untilBusy(open: Shop) {
  await wait(3_500);
  return open.stats();
}

let code = 1;
try {
  code = await play();
} catch (error) {
  if (stopping !== undefined) await stopping;
  process.stderr.write(`\n${error instanceof Trouble ? explain(error) : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
await (stopping ??= stopAll());
process.exit(code);
