import { Fault } from '../../activities/faults.js';
import { createFakeExecutor, openValue } from './fake-executor.js';
import type { Detectors, Executor } from '../../activities/ports.js';
import type { Fact, Signal } from '../../domain/signal.js';
import { inspector } from '../harness/inspector.js';

export const session = { pid: 4711, backendStart: '2026-11-22T08:12:03.123456Z' };
const nextSession = { pid: 4712, backendStart: '2026-11-22T09:00:00.000001Z' };

export interface Trouble {
  /** What running the script does; `helps` by default. */
  readonly run?: 'helps' | 'doesNotHelp' | 'fails' | 'isUnknown' | 'takesUntilCancelled';
  readonly outputLines?: number;
  readonly rehearsal?: 'neverFound';
  /** `deletes`: somebody deletes too much, which a change of a row ends, and that can be taken back. `longQuery`: who holds the locks is at work. */
  readonly fault?: 'heldLocks' | 'longQuery' | 'deletes';
  /** How long ago the first measurement was. */
  readonly measuredAgoMs?: number;
}

/** A database target in memory: one session that holds locks until somebody ends it. */
export function fakeWorld({ run = 'helps', outputLines = 1, rehearsal, fault = 'heldLocks', measuredAgoMs = 0 }: Trouble = {}) {
  const HELD = fault === 'longQuery' ? 'active' : 'idle in transaction';
  const store = openValue('everybody may delete');
  let holder: (typeof session & { readonly state: string }) | undefined = { ...session, state: HELD };
  let slow = true;
  let blocksNobody = false;
  let measurements = 0;
  const ran: string[] = [];

  const deletes = (target: string): readonly Signal[] => [
    { target, name: 'deletes', title: 'rows deleted', unit: 'count', value: slow ? 900 : 2, threshold: 100, better: 'lower' },
  ];
  const locks = (target: string): readonly Signal[] => [
    { target, name: 'lockWait', title: 'longest lock wait', unit: 'ms', value: slow ? 2_450 : 38, threshold: 100, better: 'lower' },
    { target, name: 'blockedSessions', title: 'blocked sessions', unit: 'count', value: slow ? 14 : 0, threshold: 20, better: 'lower' },
  ];
  const signals = fault === 'deletes' ? deletes : locks;
  const toFact = (target: string, of: typeof session & { readonly state: string }, blocks: number): Fact => ({
    kind: 'session',
    id: `${target}/session/${of.pid}`,
    target,
    ...of,
    stateAgeMs: 192_000,
    applicationName: 'report',
    userName: 'shop',
    blocks: slow ? blocks : 0,
    isBlocked: false,
  });
  function facts(target: string): readonly Fact[] {
    if (fault === 'deletes') return [{ kind: 'deletesByActor', id: `${target}/deletes/report`, target, actor: 'report', deletes: 900 }];
    if (holder?.state !== HELD) return [];
    return blocksNobody ? [toFact(target, holder, 0), toFact(target, { ...nextSession, state: HELD }, 14)] : [toFact(target, holder, 14)];
  }

  const detectors: Detectors = {
    measure: async (targets) => ({
      measuredAt: new Date(Date.now() - ((measurements += 1) === 1 ? measuredAgoMs : 0)).toISOString(),
      signals: targets.flatMap(({ name }) => signals(name)),
      facts: targets.flatMap(({ name }) => facts(name)),
    }),
    readConfiguration: async () => ({ kind: 'unreadable', because: 'there is no such file' }),
  };

  const isHolder = ([pid, backendStart]: readonly string[]) =>
    rehearsal !== 'neverFound' && [holder, blocksNobody ? nextSession : holder].some((one) => pid === `${one?.pid}` && backendStart === one?.backendStart);
  const sessions: Executor = {
    async rehearse(_workspaceId, { parameters }) {
      if (!isHolder(parameters)) return { found: false, lines: [`session ${parameters[0]} is gone`] };
      if (holder?.state !== HELD) return { found: false, lines: [`session ${parameters[0]} is ${holder?.state}, no longer ${HELD}`] };
      return { found: true, lines: [`session ${parameters[0]}: ${HELD}`], wayBack: { kind: 'oneWay', because: 'a terminated session cannot be brought back' }, pins: null };
    },
    async snapshot() {
      throw new Error('a session has no snapshot');
    },
    async run(_workspaceId, change, { begin, signal, onOutput }) {
      if (change.kind === 'rollback') return { kind: 'failed', summary: 'a terminated session cannot be brought back', changed: false };
      const { step, key } = change;
      if (!isHolder(step.parameters)) return { kind: 'done', summary: 'already gone' };
      if (holder?.state !== HELD) {
        const line = `session ${step.parameters[0]} is no longer ${HELD}, left alone`;
        onOutput(line);
        return { kind: 'conflict', summary: line };
      }
      await begin('{}');
      if (run === 'takesUntilCancelled') {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { kind: 'done', summary: 'stopped' };
      }
      if (run === 'isUnknown') throw new Fault('outcomeUnknown', 'the target went away');
      if (run === 'fails') return { kind: 'failed', summary: 'permission denied', changed: true };
      ran.push(key);
      for (let line = 1; line < outputLines; line += 1) onOutput(`line ${line}`);
      onOutput(`terminated session ${step.parameters[0]}`);
      holder = undefined;
      if (run === 'helps') slow = false;
      return { kind: 'done', summary: 'terminated' };
    },
    async settle(_workspaceId, { step }) {
      return isHolder(step.parameters) ? { kind: 'notDone' } : { kind: 'done', summary: 'already gone' };
    },
  };
  const rows = createFakeExecutor(store, ({ parameters }) => `${parameters[0] ?? 'nobody'} may ${parameters[0] === undefined ? '' : 'not '}delete`);
  const of = ({ reach }: { readonly reach: string }): Executor => (reach === 'session' ? sessions : rows);
  const executor: Executor = {
    rehearse: (workspaceId, step) => of(step).rehearse(workspaceId, step),
    snapshot: (workspaceId, step) => of(step).snapshot(workspaceId, step),
    async run(workspaceId, change, options) {
      if (change.step.reach !== 'session' && run === 'isUnknown') throw new Fault('outcomeUnknown', 'the target went away');
      const result = await of(change.step).run(workspaceId, change, options);
      if (change.step.reach !== 'session' && change.kind === 'execute' && result.kind === 'done') {
        ran.push(change.key);
        if (run === 'helps') slow = false;
      }
      return result;
    },
    settle: (workspaceId, change, handle, options) => of(change.step).settle(workspaceId, change, handle, options),
  };

  return {
    detectors,
    executor,
    judgeStep: inspector.judgeStep,
    /** What a step that can be taken back changes. */
    store,
    /** The keys under which something was really done. */
    ran,
    /** Somebody ends the session by hand. */
    recover() {
      holder = undefined;
      slow = false;
    },
    /** The session commits and stays. */
    commit() {
      holder = { ...session, state: 'idle' };
      slow = false;
    },
    /** The session ends and another takes its place. */
    replaceHolder() {
      holder = { ...nextSession, state: HELD };
    },
    /** The session is still there, and another one blocks now. */
    letAnotherBlock() {
      blocksNobody = true;
    },
    blockAgain() {
      holder = { pid: 4713, backendStart: '2026-11-22T09:30:00.000001Z', state: HELD };
      slow = true;
    },
  };
}
