import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { execPath } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRedactor, type Secret } from '../../../domain/redaction.js';
import type { DraftStep, Sandbox, Step } from '../../../domain/plan.js';
import { sha256 } from '../../digest.js';
import { Fault } from '../../faults.js';
import { isLeftToNext } from '../../left-to-next.js';
import { CalledOff, type Change, type ChangeOptions, type ChangeResult, type Executor, type Host, type Watch } from '../../ports.js';
import type { ReadSecret } from '../target-connections.js';
import { findObstacle, SYSTEM_PATH } from './bubblewrap.js';
import { chooseUser, refusePaths, type User } from './declared-paths.js';
import { restoreRun, settleRestore } from './path-rollback.js';
import { type PathsReading, readPaths } from './path-snapshot.js';
import { endRun } from './end-run.js';
import { isRunning, mayBeElsewhere, signalProcess } from './process-tree.js';
import { createRun, type ExitRecord, isRunName, isThere, listRuns, OUTPUT, readExit, readTaker, removeRun, takeRun } from './run-folder.js';
import type { RunSpec } from './runner.js';
import { describeRun, ELSEWHERE, toResult } from './sandbox-words.js';
import { followOutput } from './script-output.js';

const LOOK_EVERY_MS = 40;

export interface SandboxOptions {
  /** The folder for one folder per run. */
  readonly runs: string;
  /** What belongs to Sluice, and no script is given. */
  readonly ownFolders: readonly string[];
  /** Where programs are looked for. */
  readonly path?: string;
}

/** A step that may run on this host, as things are now. */
interface Prepared {
  readonly type: 'bash' | 'python';
  readonly sandbox: Sandbox;
  readonly user: User | null;
  readonly reading: PathsReading;
  readonly host: Host;
}

/**
 * Runs bash and python in a sandbox of this machine, at most once: a runner of its own process takes the run's folder before it begins, and writes down how it ended.
 * Whoever settles takes the folder first where no runner has it, and then none ever will; where a runner has died, nobody can tell what the script did.
 */
export function createSandboxExecutor(watch: Watch, readSecret: ReadSecret, { runs: folder, ownFolders, path = SYSTEM_PATH }: SandboxOptions): Executor {
  const runs = resolve(folder);
  const folderOf = (name: string): string => join(runs, name);

  function findHost(workspaceId: string, { target }: DraftStep): Host {
    const host = watch.readWorkspace(workspaceId).targets.find(({ name }) => name === target);
    if (host?.kind !== 'host') throw new Fault('targetMissing', `target ${target} is no host in sluice.yaml`);
    return host;
  }

  const refuse = (host: Host, { sandbox }: DraftStep): Promise<string | undefined> => refusePaths(sandbox?.paths ?? [], { allowed: host.paths, ownFolders: [...ownFolders, runs] });

  async function prepare(workspaceId: string, step: DraftStep, key: string): Promise<Prepared | { readonly because: string }> {
    const host = findHost(workspaceId, step);
    const { type, sandbox } = step;
    if (type !== 'bash' && type !== 'python') throw new Error(`the sandbox does not run steps of type ${type}`);
    if (sandbox === null) return { because: 'the step does not say what its sandbox is' };
    if (host.executor !== 'host') return { because: `target ${step.target} has no executor: host in sluice.yaml` };
    const obstacle = await findObstacle(type, path);
    if (obstacle !== undefined) return { because: obstacle };
    const unknown = sandbox.secrets.find((name) => !Object.hasOwn(host.secrets, name));
    if (unknown !== undefined) return { because: `the secret ${JSON.stringify(unknown)} is not among the \`secrets\` of ${step.target} in sluice.yaml` };
    const refused = await refuse(host, step);
    if (refused !== undefined) return { because: refused };
    const chosen = await chooseUser(sandbox.paths, key);
    if ('because' in chosen) return chosen;
    return { type, sandbox, host, user: chosen.user, reading: await readPaths(sandbox.paths) };
  }

  function readSecrets({ sandbox, host }: Prepared): readonly Secret[] {
    return sandbox.secrets.map((name) => {
      const reference = host.secrets[name];
      if (reference === undefined) throw new Error(`the secret ${name} is not in sluice.yaml`);
      return { name, value: readSecret(reference) };
    });
  }

  /** Follows a run to its end, telling what it prints. undefined where its runner died, or has not begun. */
  async function follow(folder: string, options: Omit<ChangeOptions, 'begin'>, mayBegin: () => boolean = () => false): Promise<ExitRecord | undefined> {
    const output = followOutput(join(folder, OUTPUT), options);
    for (;;) {
      const taker = await readTaker(folder);
      const mayEnd = taker === undefined ? mayBegin() : taker !== null && isRunning(taker);
      const exit = await readExit(folder);
      await output.read();
      if (exit !== undefined || !mayEnd) {
        output.end();
        return exit;
      }
      if (options.signal.aborted) {
        if (isLeftToNext(options.signal)) options.signal.throwIfAborted();
        if (taker === undefined) await takeRun(folder, null);
        else if (taker !== null) signalProcess(taker, 'SIGTERM');
      }
      await wait(LOOK_EVERY_MS);
    }
  }

  /** Starts the runner of a run; says whether it may still begin. */
  function startRunner(spec: RunSpec): () => boolean {
    const runner = spawn(execPath, ['--import', 'tsx', fileURLToPath(new URL('runner.ts', import.meta.url))], {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      env: { PATH: SYSTEM_PATH },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    let mayBegin = true;
    runner.once('exit', () => (mayBegin = false)).once('error', () => (mayBegin = false));
    // One that has ended before it read all is seen by its end.
    runner.stdin?.on('error', () => {});
    runner.stdin?.end(JSON.stringify(spec));
    runner.unref();
    return () => mayBegin;
  }

  async function execute(workspaceId: string, change: Extract<Change, { kind: 'execute' }>, options: ChangeOptions): Promise<ChangeResult> {
    const { step, key } = change;
    const prepared = await prepare(workspaceId, step, key);
    if ('because' in prepared) return { kind: 'failed', changed: false, summary: prepared.because };
    const before = toBefore(step);
    if (sha256(prepared.reading.text) !== before) return { kind: 'conflict', summary: `what the script may change is not as it was rehearsed: ${step.sandbox?.paths.join(', ') ?? ''}` };
    if (await hasRun(key)) return { kind: 'conflict', summary: 'this step has run before' };
    const secrets = readSecrets(prepared);
    try {
      createRedactor(secrets);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { kind: 'failed', changed: false, summary: error.message };
    }
    options.signal.throwIfAborted();

    const run = await createRun(runs, key);
    const folder = folderOf(run);
    try {
      await options.begin(JSON.stringify({ run }));
    } catch (error) {
      // After any other trouble it may be noted as begun, so it stays for `settle` to find.
      if (error instanceof CalledOff) await removeRun(folder);
      throw error;
    }
    const { type, sandbox, user } = prepared;
    const { script, parameters, timeoutMs } = step;
    const mayBegin = startRunner({ folder, before, type, script, parameters, user, timeoutMs, ...sandbox, secrets });
    const exit = await follow(folder, options, mayBegin);
    if (exit !== undefined) return toResult(exit, step);
    // Where it can be taken now, the runner never took it.
    if (await takeRun(folder, null)) return { kind: 'failed', changed: false, summary: 'the runner of the script did not start' };
    if ((await readTaker(folder)) === null) {
      if (options.signal.aborted) return { kind: 'failed', changed: false, summary: 'it was cancelled before it began' };
      throw new Error(`the run of ${type} was settled by another worker`);
    }
    return lose(folder, step);
  }

  /** Sees to it that nothing of a run whose runner died is left, and says that nobody knows what it did. */
  async function lose(folder: string, step: Step): Promise<never> {
    const taker = await readTaker(folder);
    if (taker && mayBeElsewhere(taker) && (await readExit(folder)) === undefined) throw new Fault('outcomeUnknown', ELSEWHERE);
    await endRun(folder, step.sandbox?.paths ?? []);
    throw new Fault('outcomeUnknown', 'the runner of the script died before the script ended, so nobody can tell how far it came; nothing of it runs any more');
  }

  async function hasRun(key: string): Promise<boolean> {
    const takers = await Promise.all((await listRuns(runs, key)).map(readTaker));
    return takers.some((taker) => taker !== undefined && taker !== null);
  }

  return {
    async rehearse(workspaceId, step) {
      const prepared = await prepare(workspaceId, step, '0'.repeat(8));
      if ('because' in prepared) return { found: false, lines: [prepared.because] };
      const { reading } = prepared;
      const lines = await describeRun(step, prepared);
      const pins = { before: sha256(reading.text), after: null };
      if (reading.kind === 'partly') return { found: true, lines, pins, wayBack: { kind: 'oneWay', because: `its paths are not kept: ${reading.because}` } };
      if (prepared.sandbox.paths.length === 0) return { found: true, lines, pins, wayBack: { kind: 'oneWay', because: 'it declares no paths, so there is nothing to put back' } };
      return { found: true, lines, pins, wayBack: { kind: 'snapshot', of: 'paths' } };
    },

    async snapshot(workspaceId, step) {
      const prepared = await prepare(workspaceId, step, '0'.repeat(8));
      if ('because' in prepared) throw new Fault('targetChanged', prepared.because);
      const { reading } = prepared;
      if (reading.kind !== 'whole' || sha256(reading.text) !== toBefore(step)) throw new Fault('targetChanged', `the paths of the script are not as they were rehearsed: ${prepared.sandbox.paths.join(', ')}`);
      return reading.text;
    },

    async run(workspaceId, change, options) {
      if (change.kind === 'execute') return execute(workspaceId, change, options);
      if (change.step.wayBack.kind !== 'snapshot') return { kind: 'failed', changed: false, summary: change.step.wayBack.because };
      const prepared = await prepare(workspaceId, change.step, '0'.repeat(8));
      if ('because' in prepared) return { kind: 'failed', changed: false, summary: prepared.because };
      const left = readHandle(change.left);
      return restoreRun({ runs, left: left === undefined ? undefined : folderOf(left), before: toBefore(change.step), reading: prepared.reading }, change, options);
    },

    async settle(workspaceId, change, handle, options) {
      const run = readHandle(handle);
      // A run of another key is another change.
      const folder = run?.startsWith(change.key) === true ? folderOf(run) : undefined;
      if (folder === undefined || !(await isThere(folder))) throw new Fault('outcomeUnknown', 'the folder of this run is not on this machine, so nobody can tell what became of it');
      if (await takeRun(folder, null)) return { kind: 'notDone' };
      if ((await readTaker(folder)) === null) return { kind: 'notDone' };
      if (change.kind === 'rollback') return settleRestore(folder, change, { before: toBefore(change.step), refuse: () => refuse(findHost(workspaceId, change.step), change.step), signal: options.signal });
      const exit = await follow(folder, options);
      return exit === undefined || exit.ended.kind === 'lost' ? lose(folder, change.step) : toResult(exit, change.step);
    },
  };
}

function toBefore({ stepId, pins }: Step): string {
  if (pins === null) throw new Error(`step ${stepId} was not rehearsed`);
  return pins.before;
}

/** undefined for what is not a handle of ours. */
function readHandle(handle: string): string | undefined {
  try {
    const { run }: Partial<Record<string, unknown>> = Object(JSON.parse(handle));
    return typeof run === 'string' && isRunName(run) ? run : undefined;
  } catch {
    return undefined;
  }
}
