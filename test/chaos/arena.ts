import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, type ProcessIdentity } from '../../activities/adapters/sandbox/process-tree.js';
import { readTaker } from '../../activities/adapters/sandbox/run-folder.js';
import { anyFreePorts } from '../../cli/local/ports.js';
import { startStack } from '../../cli/local/stack.js';
import type { MadeToken } from '../../contracts/http-people.js';
import { until } from '../harness/until.js';
import { callApi } from './person.js';
import { isLiving, type Living, type StepType, type Victim } from './points.js';
import { openPostgresTap, type Tap } from './postgres-tap.js';
import { openConfigWorld } from './worlds/config-world.js';
import { openDataWorld } from './worlds/data-world.js';
import { openRolloutWorld } from './worlds/rollout-world.js';
import { openScriptWorld } from './worlds/script-world.js';
import { openSessionWorld } from './worlds/session-world.js';
import { openTargetServer } from './worlds/target-server.js';
import type { World } from './worlds/world.js';

/** How long who writes the library may. */
const AUTHOR_FOR_MS = 600_000;

/** One whole Sluice with what it watches, and taps between them. It is used for many cells, one after the other. */
export interface Arena {
  readonly folder: string;
  readonly apiUrl: string;
  /** Around the tap. */
  readonly databaseUrl: string;
  readonly taps: Readonly<Record<'record' | 'target', Tap>>;
  worldOf(stepType: StepType): World;
  /** An admin of the workspace in which steps of this type run. */
  tokenOf(stepType: StepType): Promise<string>;
  pids(): Readonly<Record<Living, number | null>>;
  /** SIGKILL, and the process is gone. */
  kill(victim: Victim): Promise<void>;
  /** Resolves once every process is there and the API is ready. */
  untilWhole(withinMs: number): Promise<void>;
  /** Its folder stays where `isKept`, with the logs. */
  stop(isKept: boolean): Promise<void>;
}

/** Whether a process with this id is there. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The runners that are there now. */
async function listRunners(runs: string): Promise<readonly ProcessIdentity[]> {
  const takers = await Promise.all((await readdir(runs).catch(() => [])).map((name) => readTaker(join(runs, name))));
  return takers.filter((taker) => taker !== undefined && taker !== null).filter(isRunning);
}

/** Opened for cells of these step types. `calledOff` ends what it has started. */
export async function openArena(stepTypes: ReadonlySet<StepType>, say: (line: string) => void, calledOff: AbortSignal): Promise<Arena> {
  const worlds = new Map<StepType, World>();
  try {
    return await openWith(worlds, stepTypes, say, calledOff);
  } catch (error) {
    for (const world of worlds.values()) await world.close();
    throw error;
  }
}

async function openWith(worlds: Map<StepType, World>, stepTypes: ReadonlySet<StepType>, say: (line: string) => void, calledOff: AbortSignal): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
  await chmod(folder, 0o711); // as root: Postgres's user must get through
  const target = await openTargetServer(folder, say, calledOff);
  const targetTap = await openPostgresTap(target.url);
  const open: Readonly<Record<StepType, () => Promise<World>>> = {
    session: () => openSessionWorld(target.url, targetTap.url),
    data: () => openDataWorld(target.url, targetTap.url),
    config: () => openConfigWorld(folder),
    rollout: openRolloutWorld,
    script: () => openScriptWorld(folder),
  };
  for (const stepType of stepTypes) worlds.set(stepType, await open[stepType]());

  const sluiceConfig = join(folder, 'sluice.yaml');
  // The same target is broken and repaired for every cell.
  const breaker = '\n    breaker: { tries: 100, within: 1s }';
  await writeFile(sluiceConfig, `version: 1\nworkspaces:\n${[...worlds].map(([stepType, { workspace }]) => `  ${stepType}:${breaker}${workspace}\n`).join('')}`);
  let recordTap: Tap | undefined;
  const home = join(folder, 'home');
  const runs = process.env['SLUICE_RUNS'] || join(home, 'runs');
  const stack = await startStack({
    home,
    sluiceConfig,
    say,
    ports: await anyFreePorts(),
    signal: calledOff,
    // Here dying is no sign that something is wrong.
    steadyAfterMs: 0,
    async beforeProcesses(databaseUrl) {
      recordTap = await openPostgresTap(databaseUrl);
      return Object.assign({ DATABASE_URL: recordTap.url }, ...[...worlds.values()].map(({ environment }) => environment));
    },
  });
  if (recordTap === undefined) throw new Error('the stack did not ask for its variables');
  const { apiUrl, databaseUrl, pids } = stack;
  const taps = { record: recordTap, target: targetTap };
  const [first] = worlds.keys();
  const tokenOf = async (stepType: StepType): Promise<string> => (await readFile(join(home, stepType === first ? 'admin-token' : `admin-token.${stepType}`), 'utf8')).trim();
  for (const [stepType, world] of worlds) {
    const access = { apiUrl, token: await tokenOf(stepType) };
    // Another one than who approves: nobody approves what they wrote.
    const expiresAt = new Date(Date.now() + AUTHOR_FOR_MS).toISOString();
    const { token } = await callApi<MadeToken>(access, 'POST', '/api/tokens', { person: 'author', role: 'supervisor', name: 'chaos', expiresAt });
    await world.prepare({ post: (path, body) => callApi({ apiUrl, token }, 'POST', path, body) }, databaseUrl);
  }

  return {
    folder,
    apiUrl,
    databaseUrl,
    taps,
    pids,
    tokenOf,
    worldOf(stepType) {
      const world = worlds.get(stepType);
      if (world === undefined) throw new Error(`there is no world for ${stepType} steps here`);
      return world;
    },
    async kill(victim) {
      const pid = isLiving(victim) ? pids()[victim] : ((await listRunners(runs))[0]?.pid ?? null);
      if (pid === null) throw new Error(`${victim} does not run`);
      // Postgres is more than one process, and all of it is to go.
      const children = victim === 'postgres' ? await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '') : '';
      process.kill(pid, 'SIGKILL');
      for (const child of children.split(' ').filter((id) => id !== '')) if (isAlive(Number(child))) process.kill(Number(child), 'SIGKILL');
      await until(`the end of ${victim}`, async () => !isAlive(pid));
    },
    async untilWhole(withinMs) {
      const isUp = async (): Promise<boolean> =>
        Object.values(pids()).every((pid) => pid !== null && isAlive(pid)) && (await fetch(`${apiUrl}/readyz`).then(({ ok }) => ok, () => false));
      await until('every process to be there again', isUp, withinMs);
    },
    async stop(isKept) {
      await stack.stop();
      for (const world of worlds.values()) await world.close();
      for (const tap of Object.values(taps)) tap.close();
      await target.stop();
      if (!isKept) await rm(folder, { recursive: true, force: true });
    },
  };
}
