import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { Outcome } from '../../domain/incident.js';
import { openDatabase } from '../../db/database.js';
import { createToken } from '../../db/tokens.js';
import { formatUpdate } from '../../domain/tail-text.js';
import { createApiClient, type ApiClient } from '../client.js';
import { readLocalConfig } from '../local/config.js';
import { startStack, type Stack } from '../local/stack.js';
import { explain, Trouble } from '../local/trouble.js';
import { answerGate } from './answer-gate.js';
import { configScenario } from './checkout/scenario.js';
import { kubernetesScenario } from './kubernetes/scenario.js';
import { WORKSPACE, type Act, type Scene } from './scenario.js';
import { databaseScenario } from './shop/scenario.js';
import { openTerminal, type Terminal } from './terminal.js';

const ROLLED_BACK_WITHIN_MS = 60_000;
const scenarios = { database: databaseScenario, config: configScenario, kubernetes: kubernetesScenario };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const options = new Command('npm run demo --')
  .description('A real fault, from the alert to RESOLVED.')
  .addOption(new Option('--scenario <name>', 'what breaks').choices(Object.keys(scenarios)).default('database'))
  .option('--yes', 'approve both gates as the demo supervisor', false)
  .option('--then-rollback', 'take the fix back after RESOLVED', false)
  .parse()
  .opts<{ readonly scenario: keyof typeof scenarios; readonly yes: boolean; readonly thenRollback: boolean }>();
const scenario = scenarios[options.scenario];

let starting: Promise<Stack> | undefined;
let scene: Scene | undefined;
const calledOff = new AbortController();
const stopAll = async (): Promise<void> => {
  calledOff.abort();
  // A start that is called off stops what it had started, and then fails; its scene may have opened.
  const stack = await starting?.catch(() => undefined);
  await scene?.stop();
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

/** Prints the job tail until it is done, and answers its gates. */
async function followIncident(api: ApiClient, incidentId: string, terminal: Terminal, page: string) {
  let last = 0;
  let outcome: Outcome | undefined;
  for await (const entry of api.followTail(incidentId)) {
    last = entry.seq;
    if (entry.event === 'done') outcome = entry.data.outcome;
    if (entry.event !== 'update') continue;
    say(formatUpdate(entry.data));
    // Not awaited: the page may answer first, and the tail goes on.
    if (entry.data.details?.gateId !== undefined) answerGate({ api, incidentId, terminal, page, say, yes: options.yes }).catch((error: unknown) => say(String(error)));
  }
  return { outcome, last };
}

/** Takes back what was run for a closed incident, and follows the tail from where it had ended. */
async function rollBack(api: ApiClient, incidentId: string, after: number): Promise<Outcome | undefined> {
  await api.post(`/api/incidents/${incidentId}/rollback`, { reason: 'npm run demo -- --then-rollback' });
  const signal = AbortSignal.timeout(ROLLED_BACK_WITHIN_MS);
  let last = after;
  // Until the rollback has begun to write, the tail still ends where it had ended.
  while (!signal.aborted) {
    for await (const entry of api.followTail(incidentId, { after: last, signal })) {
      last = entry.seq;
      if (entry.event === 'update') say(formatUpdate(entry.data));
      if (entry.event === 'done') return entry.data.outcome;
    }
    await wait(200);
  }
  return undefined;
}

interface Table {
  readonly api: ApiClient;
  readonly monitoring: ApiClient;
  readonly apiUrl: string;
  readonly terminal: Terminal;
}

/** Breaks it, follows the incident to its end, and looks whether it works again. */
async function playAct(act: Act, { api, monitoring, apiUrl, terminal }: Table, thenRollback: boolean): Promise<boolean> {
  await act.untilWell();
  await act.breakIt();
  const alarm = act.raiseAlarm(monitoring, api);
  const incidentId = await alarm.incidentId;
  const page = `${apiUrl}/incidents/${incidentId}`;
  say(`  This incident    ${page}\n`);
  const { outcome, last } = await followIncident(api, incidentId, terminal, page);
  await alarm.stop();

  say('');
  const works = await act.look();
  if (outcome !== 'RESOLVED') say(`The incident ended as ${outcome}`);
  else if (!works) say('The incident says RESOLVED, but it does not work');
  if (!works || outcome !== 'RESOLVED' || !thenRollback) return works && outcome === 'RESOLVED';

  say('\nNow the fix is taken back\n');
  const takenBack = await rollBack(api, incidentId, last);
  say('');
  const isTakenBack = await act.lookTakenBack();
  if (takenBack !== 'ROLLED_BACK') say(`The rollback ended as ${takenBack ?? 'nothing that was told in time'}`);
  return isTakenBack && takenBack === 'ROLLED_BACK';
}

async function play(): Promise<number> {
  if (options.thenRollback && scenario.oneWay !== null) {
    throw new Trouble(`--then-rollback does not go with the scenario ${options.scenario}: ${scenario.oneWay}`, 'try npm run demo -- --scenario config --then-rollback');
  }
  const local = readLocalConfig();
  const home = join(local.home, 'demo');
  const sluiceConfig = await scenario.prepare({ folder: home, environment: local.environment });
  say('Bringing up Temporal, Postgres, the API and a worker');
  starting = startStack({
    home,
    say: (line) => say(`  ${line}`),
    sluiceConfig,
    signal: calledOff.signal,
    async beforeProcesses(databaseUrl) {
      scene = await scenario.open({ databaseUrl, folder: home, environment: local.environment, say, signal: calledOff.signal });
      return scene.variables;
    },
  });
  const stack = await starting;
  if (scene === undefined) throw new Error('the scene did not open');
  const { acts, whereabouts } = scene;
  const { apiUrl } = stack;
  const people = await makePeople(stack.databaseUrl);
  const api = createApiClient(apiUrl, people.supervisor);
  say(`  Page             ${apiUrl}/#token=${people.supervisor}`);
  say(`  Temporal Web UI  ${stack.temporalUiUrl ?? `that of the server at ${stack.temporalAddress}`}`);
  say(`  ${whereabouts}`);
  say(`  Second terminal  SLUICE_HOME=${relative(process.cwd(), home) || '.'} npx sluice incidents\n`);

  const terminal = openTerminal(process.stdin, process.stdout);
  const table: Table = { api, monitoring: createApiClient(apiUrl, people.monitoring), apiUrl, terminal };
  let ok = true;
  for (const act of acts) ok &&= await playAct(act, table, act === acts.at(-1) && options.thenRollback);
  if (!options.yes) await terminal.enter('\nThe page and the Temporal Web UI stay up until you press Enter ');
  terminal.close();
  return ok ? 0 : 1;
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
