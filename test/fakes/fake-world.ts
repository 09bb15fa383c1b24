import { Fault } from '../../activities/faults.js';
import type { Detectors, Executor } from '../../activities/ports.js';
import type { Fact, Signal } from '../../domain/signal.js';

export const session = { pid: 4711, backendStart: '2026-11-22T08:12:03.123456Z' };

export interface Trouble {
  /** What running the script does; `helps` by default. */
  readonly run?: 'helps' | 'doesNotHelp' | 'fails' | 'isUnknown' | 'takesUntilCancelled';
  readonly outputLines?: number;
  readonly rehearsal?: 'neverFound';
}

const IDLE = 'idle in transaction';

/** A database target in memory: one session that holds locks until somebody ends it. */
export function fakeWorld({ run = 'helps', outputLines = 1, rehearsal }: Trouble = {}) {
  let holder: (typeof session & { readonly state: string }) | undefined = { ...session, state: IDLE };
  let slow = true;
  const ran: string[] = [];

  const signals = (target: string): readonly Signal[] => [
    { target, name: 'lockWait', title: 'longest lock wait', unit: 'ms', value: slow ? 2_450 : 38, threshold: 100, better: 'lower' },
    { target, name: 'blockedSessions', title: 'blocked sessions', unit: 'count', value: slow ? 14 : 0, threshold: 20, better: 'lower' },
  ];
  const facts = (target: string): readonly Fact[] =>
    holder?.state !== IDLE
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
  };

  const isHolder = (parameters: readonly string[]) => rehearsal !== 'neverFound' && parameters[0] === `${holder?.pid}` && parameters[1] === holder?.backendStart;
  const executor: Executor = {
    async rehearse(_workspaceId, { parameters }) {
      if (!isHolder(parameters)) return { found: false, lines: [`session ${parameters[0]} is gone`] };
      if (holder?.state !== IDLE) return { found: false, lines: [`session ${parameters[0]} is ${holder?.state}, no longer idle in transaction`] };
      return { found: true, lines: [`session ${parameters[0]}: ${IDLE}`] };
    },
    async run(_workspaceId, step, { key, signal, onOutput }) {
      if (run === 'takesUntilCancelled') {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { ok: true, summary: 'stopped' };
      }
      if (run === 'isUnknown') throw new Fault('outcomeUnknown', 'the target went away');
      if (run === 'fails') return { ok: false, summary: 'permission denied' };
      if (!isHolder(step.parameters)) return { ok: true, summary: 'already gone' };
      if (holder?.state !== IDLE) {
        const line = `session ${step.parameters[0]} is no longer idle in transaction, left alone`;
        onOutput(line);
        return { ok: true, summary: line };
      }
      ran.push(key);
      for (let line = 1; line < outputLines; line += 1) onOutput(`line ${line}`);
      onOutput(`terminated session ${step.parameters[0]}`);
      holder = undefined;
      if (run === 'helps') slow = false;
      return { ok: true, summary: 'terminated' };
    },
  };

  return {
    detectors,
    executor,
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
