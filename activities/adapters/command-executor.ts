import { randomUUID } from 'node:crypto';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { canonicalize } from '../../domain/canonical.js';
import { type HostCommand, readHostCommand } from '../../validation/command/validate-command.js';
import { sha256 } from '../digest.js';
import { Fault } from '../faults.js';
import { CalledOff, type ChangeResult, type Executor, type Host, type Watch } from '../ports.js';
import { type HostProgram, openHostPrograms } from './host-programs.js';

// How long after a manager took a job its unit may still look as it did before.
const SETTLE_MS = 60_000;
// How long systemd may take until a job that it was told of shows.
const JOB_SHOWS_WITHIN_MS = 2_000;
// How long docker may take, beside the grace that it gives what it stops, until it has killed and started it.
const RESTARTS_WITHIN_MS = 20_000;
// docker's own.
const DEFAULT_GRACE_S = 10;
// Nobody waits longer to tell what became of a command.
const LONGEST_LOOK_MS = 600_000;
const LOOK_EVERY_MS = 200;
const ONE_WAY = 'a restart cannot be taken back';

/** What runs now, as its manager knows it. Two restarts never leave the same. */
interface State {
  readonly identity: string;
  /** What people approve a restart of: the identity, but of what its manager itself restarts again and again only that it does. A person's restart ends that. */
  readonly pinned: string;
  readonly isRunning: boolean;
  /** Whether its manager is doing something to it. */
  readonly isBusy: boolean;
  /** How long its manager may work on what it was told before that shows. */
  readonly hiddenMs: number;
  readonly line: string;
}

/** What is noted before a command runs: what ran then, and the folder that lets it run once. */
interface Handle {
  readonly before: string;
  readonly run: string;
}

/**
 * Tells the managers of a host's services to restart one. `flock` keeps the run's folder locked for as long as the command lives, whatever becomes of us;
 * who settles it waits for the lock and takes the folder away, without which the command cannot begin.
 */
export function createCommandExecutor(watch: Watch, { runs, path, restartsWithinMs = RESTARTS_WITHIN_MS }: { readonly runs: string; readonly path: string; readonly restartsWithinMs?: number }): Executor {
  const programs = openHostPrograms(path);
  const folderOf = (run: string): string => join(runs, run);

  function findHost(workspaceId: string, name: string): Host {
    const target = watch.readWorkspace(workspaceId).targets.find((one) => one.name === name);
    if (target?.kind !== 'host') throw new Fault('targetMissing', `target ${name} is no host in sluice.yaml`);
    return target;
  }

  /** The command, or why it may not run on this host. */
  function read(workspaceId: string, step: { readonly target: string; readonly script: string }): { readonly command: HostCommand } | { readonly because: string } {
    const host = findHost(workspaceId, step.target);
    if (host.executor !== 'host') return { because: `target ${step.target} has no executor: host in sluice.yaml` };
    const reading = readHostCommand(step.script);
    if (!reading.ok) return { because: reading.findings[0].reason };
    const { command } = reading;
    const isListed = command.program === 'docker' ? host.containers.includes(command.container) : host.units.map(toUnit).includes(toUnit(command.unit));
    if (isListed) return { command };
    const [what, name] = command.program === 'docker' ? (['containers', command.container] as const) : (['units', command.unit] as const);
    return { because: `${name} is not among the ${what} of ${step.target} in sluice.yaml` };
  }

  async function look(command: HostCommand): Promise<State | { readonly because: string }> {
    const missing = await programs.findMissing(command.program);
    if (missing !== undefined) return { because: missing };
    return command.program === 'docker' ? lookAtContainer(programs.ask, command.container, restartsWithinMs) : lookAtUnit(programs.ask, command.unit);
  }

  /** What runs once its manager is done with it, or after a while. */
  async function lookWhenStill(command: HostCommand): Promise<State | { readonly because: string }> {
    const deadline = Date.now() + SETTLE_MS;
    for (;;) {
      const state = await look(command);
      if ('because' in state || !state.isBusy || Date.now() > deadline) return state;
      await wait(LOOK_EVERY_MS);
    }
  }

  /** What runs once a manager whose answer is not known is done with what it may have been told: it goes on without its client. */
  async function lookWhenSure(command: HostCommand, { before }: Handle): Promise<State | { readonly because: string }> {
    const since = Date.now();
    for (;;) {
      const state = await lookWhenStill(command);
      if ('because' in state || (isChanged(state, before) && state.isRunning) || !canBeAwaited(state)) return state;
      if (Date.now() - since > state.hiddenMs) return state;
      await wait(LOOK_EVERY_MS);
    }
  }

  return {
    async rehearse(workspaceId, step) {
      const reading = read(workspaceId, step);
      if ('because' in reading) return { found: false, lines: [reading.because] };
      const state = await look(reading.command);
      if ('because' in state) return { found: false, lines: [state.because] };
      const useless = explainUseless(reading.command, state);
      if (useless !== undefined) return { found: false, lines: [useless] };
      return { found: true, lines: [`would run: ${toWords(reading.command).join(' ')}`, state.line], wayBack: { kind: 'oneWay', because: ONE_WAY }, pins: { before: sha256(state.pinned), after: null } };
    },

    snapshot: () => Promise.reject(new Error(`there is no snapshot: ${ONE_WAY}`)),

    async run(workspaceId, change, options) {
      if (change.kind === 'rollback') return { kind: 'failed', changed: false, summary: ONE_WAY };
      const reading = read(workspaceId, change.step);
      if ('because' in reading) return { kind: 'failed', changed: false, summary: reading.because };
      const { command } = reading;
      const before = await look(command);
      if ('because' in before) return { kind: 'conflict', summary: before.because };
      if (sha256(before.pinned) !== change.step.pins?.before) return { kind: 'conflict', summary: `it is not as it was rehearsed: ${before.line}` };
      options.signal.throwIfAborted();

      const handle: Handle = { before: sha256(before.identity), run: `command-${change.key}-${randomUUID().slice(0, 8)}` };
      const folder = folderOf(handle.run);
      await mkdir(folder, { recursive: true });
      try {
        await options.begin(JSON.stringify(handle));
      } catch (error) {
        // After any other trouble it may be noted as begun, so it stays for `settle` to find.
        if (error instanceof CalledOff) await rmdir(folder);
        throw error;
      }
      const ended = await programs.runOnce(folder, toWords(command), { timeoutMs: change.step.timeoutMs, ...options });
      if (ended.kind === 'taken') throw new Error(`the run of ${toWords(command).join(' ')} was settled by another worker`);
      const wasStopped = ended.kind === 'stopped';
      const after = wasStopped ? await look(command) : ended.because === null ? await lookWhenStill(command) : await lookWhenSure(command, handle);
      const result = judge(command, handle, ended.because, after, wasStopped);
      options.onOutput(result.summary);
      await rm(folder, { recursive: true, force: true });
      return result;
    },

    async settle(workspaceId, change, text, { onOutput, signal, toldLines }) {
      const reading = read(workspaceId, change.step);
      const handle = readHandle(text);
      if (handle === undefined || 'because' in reading) throw new Fault('outcomeUnknown', `what became of ${change.step.script} cannot be told: ${'because' in reading ? reading.because : 'what was noted of it cannot be read'}`);
      await programs.waitUntilGone(folderOf(handle.run), signal);
      const state = await lookWhenSure(reading.command, handle);
      if ('because' in state) throw new Fault('outcomeUnknown', `what became of ${change.step.script} cannot be told: ${state.because}`);
      if (!isChanged(state, handle.before)) {
        if (canBeAwaited(state)) return { kind: 'notDone' };
        throw new Fault('outcomeUnknown', `${change.step.script} may still happen, for as long as what runs takes to stop. Now ${state.line}`);
      }
      const result = judge(reading.command, handle, null, state, false);
      if (toldLines === 0) onOutput(result.summary);
      return result;
    },
  };
}

/** What a command came to, by what runs now. `because` is what it said when it failed. */
function judge(command: HostCommand, { before }: Handle, because: string | null, after: State | { readonly because: string }, wasStopped: boolean): ChangeResult {
  const words = toWords(command).join(' ');
  if ('because' in after) return { kind: 'failed', changed: true, summary: `after ${words}: ${after.because}` };
  const hasChanged = isChanged(after, before);
  // Its manager goes on with what it was told.
  if (wasStopped || (because !== null && !hasChanged && !canBeAwaited(after))) {
    return { kind: 'failed', changed: true, summary: `${words} ${wasStopped ? 'was stopped' : 'failed'}: ${because ?? 'it took too long'}; it may still happen. Now ${after.line}` };
  }
  if (because !== null) return { kind: 'failed', changed: hasChanged, summary: `${words} failed: ${because}. Now ${after.line}` };
  if (!hasChanged) return { kind: 'failed', changed: false, summary: `${words} said that it was done, and nothing changed: ${after.line}` };
  return after.isRunning ? { kind: 'done', summary: `${words}: ${after.line}` } : { kind: 'failed', changed: true, summary: `after ${words} it does not run: ${after.line}` };
}

const isChanged = ({ identity }: State, before: string): boolean => sha256(identity) !== before;

/** Docker knows containers that may take forever to stop. */
const canBeAwaited = ({ hiddenMs }: State): boolean => hiddenMs <= LONGEST_LOOK_MS;

function explainUseless(command: HostCommand, { isRunning, line }: State): string | undefined {
  if (command.verb === 'start' && isRunning) return `it runs already: ${line}`;
  if (command.verb === 'reload' && !isRunning) return `only what runs can be reloaded: ${line}`;
  return undefined;
}

const toWords = (command: HostCommand): readonly [HostProgram, ...string[]] =>
  command.program === 'docker' ? ['docker', 'restart', command.container] : ['systemctl', command.verb, toUnit(command.unit)];

/** systemd's own name for it: without a suffix it means a service. */
const toUnit = (unit: string): string => (/\.(service|socket|target|timer|mount|path|slice|scope|device|automount|swap)$/.test(unit) ? unit : `${unit}.service`);

type Ask = (program: HostProgram, ...words: readonly string[]) => Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly because: string }>;

const unitProperties = ['LoadState', 'ActiveState', 'SubState', 'InvocationID', 'ExecMainStartTimestamp', 'StateChangeTimestampMonotonic', 'NRestarts', 'Job'];

async function lookAtUnit(ask: Ask, name: string): Promise<State | { readonly because: string }> {
  const unit = toUnit(name);
  const answer = await ask('systemctl', 'show', unit, `--property=${unitProperties.join(',')}`);
  if (!answer.ok) return { because: `systemctl does not say how ${unit} is: ${answer.because}` };
  const properties = new Map(answer.text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  const valueOf = (property: string): string => properties.get(property) ?? '';
  if (valueOf('LoadState') !== 'loaded') return { because: `there is no unit ${unit} on the host (systemd says: ${valueOf('LoadState') || 'nothing'})` };
  const active = valueOf('ActiveState');
  const since = valueOf('ExecMainStartTimestamp');
  // A reload keeps the invocation and changes only when the state did.
  const identity = canonicalize({ unit, active, invocation: valueOf('InvocationID'), since, changed: valueOf('StateChangeTimestampMonotonic') });
  // systemd counts from 0 again when a person starts it.
  const isCrashing = active === 'failed' || valueOf('SubState') === 'auto-restart' || !['', '0'].includes(valueOf('NRestarts'));
  return {
    identity,
    pinned: isCrashing ? canonicalize({ unit, isCrashing }) : identity,
    isRunning: active === 'active' || active === 'reloading',
    isBusy: !['', '0'].includes(valueOf('Job')) || ['activating', 'deactivating', 'reloading'].includes(active),
    hiddenMs: JOB_SHOWS_WITHIN_MS,
    line: `${unit} is ${active} (${valueOf('SubState')})${since === '' ? '' : ` since ${since}`}`,
  };
}

async function lookAtContainer(ask: Ask, container: string, restartsWithinMs: number): Promise<State | { readonly because: string }> {
  const answer = await ask('docker', 'inspect', '--type=container', '--format={{json .}}', container);
  if (!answer.ok) return { because: `docker does not say how ${container} is: ${answer.because}` };
  const { Id: id = '', State: state, RestartCount: restarts = 0, Config: config } = readJson(answer.text);
  const graceS = config?.StopTimeout ?? DEFAULT_GRACE_S;
  if (id === '' || state === undefined) return { because: `what docker says of ${container} cannot be read` };
  const { Status: status = '', StartedAt: since = '', Running: isRunning = false, Restarting: isRestarting = false } = state;
  const identity = canonicalize({ id, since, status, restarts });
  // Docker counts from 0 again when a person starts it.
  const isCrashing = isRestarting || status === 'exited' || restarts > 0;
  return {
    identity,
    pinned: isCrashing ? canonicalize({ id, isCrashing }) : identity,
    isRunning: isRunning && !isRestarting,
    isBusy: isRestarting,
    // While it is being stopped it looks as it did before.
    hiddenMs: graceS < 0 ? Number.POSITIVE_INFINITY : graceS * 1_000 + restartsWithinMs,
    line: `${container} is ${status} since ${since}, id ${id.slice(0, 12)}`,
  };
}

interface Inspected {
  readonly Id?: string;
  readonly RestartCount?: number;
  readonly Config?: { readonly StopTimeout?: number | null };
  readonly State?: { readonly Status?: string; readonly StartedAt?: string; readonly Running?: boolean; readonly Restarting?: boolean };
}

function readJson(text: string): Inspected {
  try {
    return (JSON.parse(text) ?? {}) as Inspected;
  } catch {
    return {};
  }
}

function readHandle(text: string): Handle | undefined {
  try {
    const { before, run } = JSON.parse(text) as Partial<Handle>;
    return typeof before === 'string' && typeof run === 'string' && /^command-[0-9a-f-]+$/.test(run) ? { before, run } : undefined;
  } catch {
    return undefined;
  }
}
