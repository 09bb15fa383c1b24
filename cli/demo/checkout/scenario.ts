import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { IncidentPage } from '../../../contracts/http.js';
import { openDatabase } from '../../../db/database.js';
import { createLastKnownGoodRecords } from '../../../db/last-known-good-records.js';
import type { ApiClient } from '../../client.js';
import { Trouble } from '../../local/trouble.js';
import { openProcess } from '../open-process.js';
import { WORKSPACE, type Alarm, type Place, type Scenario, type Scene } from '../scenario.js';
import { WINDOW_MS, type Stats } from '../stats.js';

const EVERY_MS = 500;
const GOOD_WITHIN_MS = 90_000;

/** A service with a configuration file, until somebody changes the file for the worse. */
export const configScenario: Scenario = {
  sluiceConfig: new URL('sluice.yaml', import.meta.url),
  oneWay: null,
  open,
};

// Of each run its own: what an earlier run knew to be good says nothing about this one.
const writeConfig = (run: string): string => `# How the checkout talks to its payment provider. It is read again whenever it changes.
# Written by npm run demo, run ${run}
provider:
  timeoutMs: 2000 # it answers within 120 ms, and within a second on a bad day

orders:
  currency: EUR
`;

async function open({ databaseUrl, folder, environment, say }: Place): Promise<Scene> {
  const path = join(folder, 'checkout', 'checkout.yaml');
  const good = writeConfig(randomUUID());
  const bad = good.replace('timeoutMs: 2000', 'timeoutMs: 5');
  const write = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  await mkdir(join(folder, 'checkout'), { recursive: true });
  await write(good);
  const service = await openProcess(new URL('main.ts', import.meta.url), { ...environment, CHECKOUT_CONFIG: path });
  const stats = async (): Promise<Stats> => (await (await fetch(`${service.url}/stats`)).json()) as Stats;
  const describe = ({ failedPercent, p99Ms, requestsPerSecond }: Stats): string => `${failedPercent} % fail, p99 ${p99Ms} ms, ${requestsPerSecond} paid a second`;

  return {
    variables: { CHECKOUT_URL: service.url, CHECKOUT_CONFIG: path },
    whereabouts: `Configuration    ${path}`,
    async untilWell() {
      await wait(WINDOW_MS);
      say(`The checkout is open: ${describe(await stats())}`);
      await untilKnownGood(databaseUrl, good, say);
      say('Its configuration is now the last known good');
    },
    async breakIt() {
      await write(bad);
      say('Now somebody sets the timeout of the payment provider from 2000 ms to 5 ms, and goes home\n');
    },
    raiseAlarm: (_sender, person) => awaitSweep(person),
    async look() {
      const now = await stats();
      say(`The checkout: ${describe(now)}`);
      say((await readFile(path, 'utf8')) === good ? 'checkout.yaml is byte for byte what it was before somebody changed it' : 'checkout.yaml is not what it was before somebody changed it');
      return now.failed === 0 && now.requestsPerSecond > 0;
    },
    async lookTakenBack() {
      const isTakenBack = (await readFile(path, 'utf8')) === bad;
      say(isTakenBack ? 'checkout.yaml is byte for byte what it was before the fix' : 'checkout.yaml is not what it was before the fix');
      return isTakenBack;
    },
    stop: () => service.stop(),
  };
}

/** Waits until a sweep has noted this content as the last known good. */
async function untilKnownGood(databaseUrl: string, content: string, say: (line: string) => void): Promise<void> {
  const hash = createHash('sha256').update(content).digest('hex');
  const { db, close } = openDatabase(databaseUrl, { max: 1 });
  try {
    const records = createLastKnownGoodRecords(db);
    const deadline = Date.now() + GOOD_WITHIN_MS;
    let toldSeconds = 0;
    while (Date.now() < deadline) {
      const known = (await records.listKnownContents(WORKSPACE, 'checkout-config')).find((each) => each.hash === hash);
      if (known !== undefined && known.goodAt !== null) return;
      const seconds = Math.floor(((known?.wellAt.getTime() ?? 0) - (known?.wellSince?.getTime() ?? 0)) / 1_000);
      if (seconds > toldSeconds) say(`  Sluice has seen it well for ${seconds} s`);
      toldSeconds = seconds;
      await wait(EVERY_MS);
    }
  } finally {
    await close();
  }
  throw new Trouble('The checkout was not well for long enough to call its configuration good', 'try again when this machine has less to do');
}

/** Waits for the incident that the sweep opens. One that an earlier run left open is taken up. */
function awaitSweep(api: ApiClient): Alarm {
  let stopped = false;
  async function look(): Promise<string> {
    while (!stopped) {
      const { incidents } = await api.get<IncidentPage>('/api/incidents?state=open');
      const swept = incidents.find(({ trigger }) => trigger === 'schedule');
      if (swept !== undefined) return swept.id;
      await wait(EVERY_MS);
    }
    throw new Error('nobody waits for the incident any more');
  }
  return {
    incidentId: look(),
    async stop() {
      stopped = true;
    },
  };
}
