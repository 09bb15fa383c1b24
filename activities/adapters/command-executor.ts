import { randomUUID } from 'node:crypto';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { canonicalize, type Json } from '../../domain/canonical.js';
import { type HostCommand, readHostCommand } from '../../validation/command/validate-command.js';
import { sha256 } from '../digest.js';
import { Fault } from '../faults.js';
import { CalledOff, type ChangeResult, type Executor, type Host, type Watch } from '../ports.js';
import { type HostProgram, openHostPrograms } from './host-programs.js';

// How long after a manager took a job its unit may still look as it did before.
const SETTLE_MS = 60_000;
const LOOK_EVERY_MS = 200;
const ONE_WAY = 'a restart cannot be taken back';

/** What runs now, as its manager knows it. Two restarts never leave the same. */
interface State {
  readonly identity: string;
  readonly isRunning: boolean;
  /** Whether its manager is doing something to it. */
  readonly isBusy: boolean;
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
export function createCommandExecutor(watch: Watch, { runs, path }: { readonly runs: string; readonly path: string }): Executor {
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
    return command.program === 'docker' ? lookAtContainer(programs.ask, command.container) : lookAtUnit(programs.ask, command.unit);
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

  return {
    async rehearse(workspaceId, step) {
      const reading = read(workspaceId, step);
      if ('because' in reading) return { found: false, lines: [reading.because] };
      const state = await look(reading.command);
      if ('because' in state) return { found: false, lines: [state.because] };
      const useless = explainUseless(reading.command, state);
      if (useless !== undefined) return { found: false, lines: [useless] };
      return { found: true, lines: [`would run: ${toWords(reading.command).join(' ')}`, state.line], wayBack: { kind: 'oneWay', because: ONE_WAY }, pins: { before: sha256(state.identity), after: null } };
    },

    snapshot: () => Promise.reject(new Error(`there is no snapshot: ${ONE_WAY}`)),

    async run(workspaceId, change, options) {
      if (change.kind === 'rollback') return { kind: 'failed', changed: false, summary: ONE_WAY };
      const reading = read(workspaceId, change.step);
      if ('because' in reading) return { kind: 'failed', changed: false, summary: reading.because };
      const { command } = reading;
      const before = await look(command);
      if ('because' in before) return { kind: 'conflict', summary: before.because };
      if (sha256(before.identity) !== change.step.pins?.before) return { kind: 'conflict', summary: `it is not as it was rehearsed: ${before.line}` };
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
      const result = judge(command, handle, ended.because, ended.kind === 'stopped' ? await look(command) : await lookWhenStill(command), ended.kind === 'stopped');
      options.onOutput(result.summary);
      await rm(folder, { recursive: true, force: true });
      return result;
    },

    async settle(workspaceId, change, text, { onOutput, signal, toldLines }) {
      const reading = read(workspaceId, change.step);
      const handle = readHandle(text);
      if (handle === undefined || 'because' in reading) throw new Fault('outcomeUnknown', `what became of ${change.step.script} cannot be told: ${'because' in reading ? reading.because : 'what was noted of it cannot be read'}`);
      await programs.waitUntilGone(folderOf(handle.run), signal);
      const state = await lookWhenStill(reading.command);
      if ('because' in state) throw new Fault('outcomeUnknown', `what became of ${change.step.script} cannot be told: ${state.because}`);
      if (sha256(state.identity) === handle.before) return { kind: 'notDone' };
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
  const isChanged = sha256(after.identity) !== before;
  // Its manager goes on with what it was told.
  if (wasStopped) return { kind: 'failed', changed: true, summary: `${words} was stopped: ${because ?? 'it took too long'}; it may still happen. Now ${after.line}` };
  if (because !== null) return { kind: 'failed', changed: isChanged, summary: `${words} failed: ${because}. Now ${after.line}` };
  if (!isChanged) return { kind: 'failed', changed: false, summary: `${words} said that it was done, and nothing changed: ${after.line}` };
  return after.isRunning ? { kind: 'done', summary: `${words}: ${after.line}` } : { kind: 'failed', changed: true, summary: `after ${words} it does not run: ${after.line}` };
}

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

const unitProperties = ['LoadState', 'ActiveState', 'SubState', 'InvocationID', 'ExecMainStartTimestamp', 'StateChangeTimestampMonotonic', 'Job'];

async function lookAtUnit(ask: Ask, name: string): Promise<State | { readonly because: string }> {
  const unit = toUnit(name);
  const answer = await ask('systemctl', 'show', unit, `--property=${unitProperties.join(',')}`);
  if (!answer.ok) return { because: `systemctl does not say how ${unit} is: ${answer.because}` };
  const properties = new Map(answer.text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  const valueOf = (property: string): string => properties.get(property) ?? '';
  if (valueOf('LoadState') !== 'loaded') return { because: `there is no unit ${unit} on the host (systemd says: ${valueOf('LoadState') || 'nothing'})` };
  const active = valueOf('ActiveState');
  const since = valueOf('ExecMainStartTimestamp');
  return {
    // A reload keeps the invocation and changes only when the state did.
    identity: canonicalize({ unit, active, invocation: valueOf('InvocationID'), since, changed: valueOf('StateChangeTimestampMonotonic') }),
    isRunning: active === 'active' || active === 'reloading',
    isBusy: !['', '0'].includes(valueOf('Job')) || ['activating', 'deactivating', 'reloading'].includes(active),
    line: `${unit} is ${active} (${valueOf('SubState')})${since === '' ? '' : ` since ${since}`}`,
  };
}

async function lookAtContainer(ask: Ask, container: string): Promise<State | { readonly because: string }> {
  const answer = await ask('docker', 'inspect', '--type=container', '--format={{json .}}', container);
  if (!answer.ok) return { because: `docker does not say how ${container} is: ${answer.because}` };
  const { Id: id = '', State: state, RestartCount: restarts = 0 } = readJson(answer.text);
  if (id === '' || state === undefined) return { because: `what docker says of ${container} cannot be read` };
  const { Status: status = '', StartedAt: since = '', Running: isRunning = false, Restarting: isRestarting = false } = state;
  const identity: Json = { id, since, status, restarts };
  return { identity: canonicalize(identity), isRunning: isRunning && !isRestarting, isBusy: isRestarting, line: `${container} is ${status} since ${since}, id ${id.slice(0, 12)}` };
}

interface Inspected {
  readonly Id?: string;
  readonly RestartCount?: number;
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
