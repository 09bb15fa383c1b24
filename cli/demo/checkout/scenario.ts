import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { awaitSweep } from '../await-sweep.js';
import { openProcess } from '../open-process.js';
import type { Act, Place, Scenario, Scene } from '../scenario.js';
import { WINDOW_MS, type Stats } from '../stats.js';
import { untilKnownGood } from '../until-known-good.js';

/** A service with a configuration file, until somebody changes the file for the worse. */
export const configScenario: Scenario = {
  prepare: async () => fileURLToPath(new URL('sluice.yaml', import.meta.url)),
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

  const act: Act = {
    async untilWell() {
      await wait(WINDOW_MS);
      say(`The checkout is open: ${describe(await stats())}`);
      const hash = createHash('sha256').update(good).digest('hex');
      await untilKnownGood(databaseUrl, 'checkout-config', (known) => known.hash === hash, say);
      say('Its configuration is now the last known good');
    },
    async breakIt() {
      await write(bad);
      say('Now somebody sets the timeout of the payment provider from 2000 ms to 5 ms, and goes home\n');
    },
    raiseAlarm: (_sender, person) => awaitSweep(person, 'checkout'),
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
  };
  return {
    variables: { CHECKOUT_URL: service.url, CHECKOUT_CONFIG: path },
    whereabouts: `Configuration    ${path}`,
    acts: [act],
    stop: () => service.stop(),
  };
}
