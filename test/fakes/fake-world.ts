import { Fault } from '../../activities/faults.js';
import { createFakeExecutor, openValue } from './fake-executor.js';
import type { Detectors, Executor } from '../../activities/ports.js';
import type { Fact, Signal } from '../../domain/signal.js';

export const session = { pid: 4711, backendStart: '2026-11-22T08:12:03.123456Z' };

export interface Trouble {
  /** What running the script does; `helps` by default. */
  readonly run?: 'helps' | 'doesNotHelp' | 'fails' | 'isUnknown' | 'takesUntilCancelled';
  readonly outputLines?: number;
  readonly rehearsal?: 'neverFound';
  /** `deletes`: somebody deletes too much, which a change of a row ends, and that can be taken back. */
  readonly fault?: 'heldLocks' | 'deletes';
  readonly snapshotKeptMs?: number;
}

const IDLE = 'idle in transaction';

/** A database target in memory: one session that holds locks until somebody ends it. */
export function fakeWorld({ run = 'helps', outputLines = 1, rehearsal, fault = 'heldLocks', snapshotKeptMs }: Trouble = {}) {
  const store = openValue('everybody may delete');
  let holder: (typeof session & { readonly state: string }) | undefined = { ...session, state: IDLE };
  let slow = true;
  const ran: string[] = [];

  const deletes = (target: string): readonly Signal[] => [
    { target, name: 'deletes', title: 'rows deleted', unit: 'count', value: slow ? 900 : 2, threshold: 100, better: 'lower' },
  ];
  const locks = (target: string): readonly Signal[] => [
    { target, name: 'lockWait', title: 'longest lock wait', unit: 'ms', value: slow ? 2_450 : 38, threshold: 100, better: 'lower' },
    { target, name: 'blockedSessions', title: 'blocked sessions', unit: 'count', value: slow ? 14 : 0, threshold: 20, better: 'lower' },
  ];
  const signals = fault === 'deletes' ? deletes : locks;
  const facts = (target: string): readonly Fact[] =>
    fault === 'deletes'
      ? [{ kind: 'deletesByActor', id: `${target}/deletes/report`, target, actor: 'report', deletes: 900 }]
      : holder?.state !== IDLE
      ? []
      : [
          {
            kind: 'session',
            id: `${target}/session/${holder.pid}`,
            target,
            ...holder,
            stateAgeMs: 192_000,
            applicationName: 'report',
            userName: 'shop',
            blocks: slow ? 14 : 0,
            isBlocked: false,
          },
        ];

  const detectors: Detectors = {
    measure: async (targets) => ({
      measuredAt: new Date().toISOString(),
      signals: targets.flatMap(({ name }) => signals(name)),
      facts: targets.flatMap(({ name }) => facts(name)),
    }),
    readConfiguration: async () => ({ kind: 'unreadable', because: 'there is no such file' }),
  };

  const isHolder = (parameters: readonly string[]) => rehearsal !== 'neverFound' && parameters[0] === `${holder?.pid}` && parameters[1] === holder?.backendStart;
  const sessions: Executor = {
    async rehearse(_workspaceId, { parameters }) {
      if (!isHolder(parameters)) return { found: false, lines: [`session ${parameters[0]} is gone`] };
      if (holder?.state !== IDLE) return { found: false, lines: [`session ${parameters[0]} is ${holder?.state}, no longer idle in transaction`] };
      return { found: true, lines: [`session ${parameters[0]}: ${IDLE}`], wayBack: { kind: 'oneWay', because: 'a terminated session cannot be brought back' }, pins: null };
    },
    async snapshot() {
      throw new Error('a session has no snapshot');
    },
    async run(_workspaceId, change, { begin, signal, onOutput }) {
      if (change.kind === 'rollback') return { kind: 'failed', summary: 'a terminated session cannot be brought back', changed: false };
      const { step, key } = change;
      if (!isHolder(step.parameters)) return { kind: 'done', summary: 'already gone' };
      if (holder?.state !== IDLE) {
        const line = `session ${step.parameters[0]} is no longer idle in transaction, left alone`;
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
  const rows = createFakeExecutor(store, ({ parameters }) => `${parameters[0]} may not delete`, snapshotKeptMs);
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
      holder = { pid: 4712, backendStart: '2026-11-22T09:00:00.000001Z', state: IDLE };
    },
    blockAgain() {
      holder = { pid: 4713, backendStart: '2026-11-22T09:30:00.000001Z', state: IDLE };
      slow = true;
    },
  };
}
