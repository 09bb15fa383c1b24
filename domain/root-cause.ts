import type { Anomaly } from './anomaly.js';
import { formatDuration } from './duration.js';
import type { Fact, SessionFact } from './signal.js';
import { formatValue, signalId } from './signal.js';

export const rootCauseCategories = [
  'idleTransaction',
  'longRunningQuery',
  'connectionExhaustion',
  'massDeletion',
  'targetUnreachable',
  'serviceDegraded',
  'activeIncident',
] as const;
export type RootCauseCategory = (typeof rootCauseCategories)[number];

export interface RootCause {
  readonly category: RootCauseCategory;
  readonly details: string;
  readonly affectedSystems: readonly string[];
  /** 0 to 100. */
  readonly confidence: number;
  /** Ids of the signals and facts that say so; never empty. */
  readonly evidence: readonly string[];
  readonly suggestedActions: readonly string[];
  /** The sessions to act on, where the cause is sessions. */
  readonly sessions: readonly SessionFact[];
}

type Rule = (anomalies: readonly Anomaly[], facts: readonly Fact[]) => Omit<RootCause, 'affectedSystems'> | undefined;

/** The first rule that explains the anomalies, most telling rule first. Undefined when none has evidence. */
export function findRootCause(anomalies: readonly Anomaly[], facts: readonly Fact[]): RootCause | undefined {
  for (const rule of rules) {
    const cause = rule(anomalies, facts);
    if (cause === undefined || cause.evidence.length === 0) continue;
    const affectedSystems = [...new Set(anomalies.map(({ signal }) => signal.target))];
    return { ...cause, affectedSystems };
  }
  return undefined;
}

const isIdleInTransaction = (session: SessionFact): boolean => session.state.startsWith('idle in transaction');
const isSession = (fact: Fact): fact is SessionFact => fact.kind === 'session';
const named = (anomalies: readonly Anomaly[], ...names: readonly string[]): readonly Anomaly[] =>
  anomalies.filter(({ signal }) => names.includes(signal.name));
const ids = (anomalies: readonly Anomaly[], facts: readonly Fact[]): readonly string[] => [
  ...anomalies.map(({ signal }) => signalId(signal)),
  ...facts.map(({ id }) => id),
];

const describeSession = (session: SessionFact): string =>
  `session ${session.pid} ${session.state} for ${formatDuration(session.stateAgeMs)}` +
  (session.blocks === 0 ? '' : `, blocks ${session.blocks} ${session.blocks === 1 ? 'other' : 'others'}`);

const rules: readonly Rule[] = [
  function blockedByIdleTransaction(anomalies, facts) {
    const waiting = named(anomalies, 'lockWait', 'blockedSessions');
    const sessions = facts.filter(isSession).filter((session) => session.blocks > 0 && !session.isBlocked && isIdleInTransaction(session));
    if (waiting.length === 0 || sessions.length === 0) return undefined;
    return {
      category: 'idleTransaction',
      details: sessions.map(describeSession).join('; '),
      // One holder explains every wait; several may hide each other.
      confidence: sessions.length === 1 ? 92 : 80,
      evidence: ids(waiting, sessions),
      suggestedActions: ['terminate the session that holds the locks', 'set idle_in_transaction_session_timeout for its user'],
      sessions,
    };
  },
  function blockedByLongQuery(anomalies, facts) {
    const waiting = named(anomalies, 'lockWait', 'blockedSessions');
    const sessions = facts.filter(isSession).filter((session) => session.blocks > 0 && !session.isBlocked && session.state === 'active');
    if (waiting.length === 0 || sessions.length === 0) return undefined;
    return {
      category: 'longRunningQuery',
      details: sessions.map(describeSession).join('; '),
      // It is doing something, and what it does may matter more than what waits for it.
      confidence: 65,
      evidence: ids(waiting, sessions),
      suggestedActions: ['ask the owner of the running statement', 'cancel it'],
      sessions,
    };
  },
  function connectionsUsedUp(anomalies, facts) {
    const full = named(anomalies, 'connections');
    const sessions = facts.filter(isSession).filter(isIdleInTransaction);
    if (full.length === 0) return undefined;
    return {
      category: 'connectionExhaustion',
      details: `connections ${full.map(({ signal }) => formatValue(signal.value, signal.unit)).join(', ')} used, ${sessions.length} idle in transaction`,
      confidence: sessions.length === 0 ? 65 : 80,
      evidence: ids(full, sessions),
      suggestedActions: ['terminate sessions that are idle in transaction', 'look for a connection leak'],
      sessions,
    };
  },
  function leftOpen(anomalies, facts) {
    const idle = named(anomalies, 'idleInTransaction');
    const oldest = facts.filter(isSession).filter(isIdleInTransaction).toSorted((a, b) => b.stateAgeMs - a.stateAgeMs).slice(0, 1);
    if (idle.length === 0 || oldest.length === 0) return undefined;
    return {
      category: 'idleTransaction',
      details: oldest.map(describeSession).join('; '),
      confidence: 80,
      evidence: ids(idle, oldest),
      suggestedActions: ['terminate the idle session'],
      sessions: oldest,
    };
  },
  function tooManyDeletes(anomalies, facts) {
    const deletes = named(anomalies, 'deletes');
    const actors = facts.filter((fact) => fact.kind === 'deletesByActor').toSorted((a, b) => b.deletes - a.deletes);
    const [worst] = actors;
    if (deletes.length === 0 || worst === undefined) return undefined;
    return {
      category: 'massDeletion',
      details: `${worst.actor} deleted ${worst.deletes} rows`,
      confidence: 80,
      evidence: ids(deletes, actors),
      suggestedActions: [`ask ${worst.actor}`, 'revoke its right to delete'],
      sessions: [],
    };
  },
  function unreachable(anomalies, facts) {
    const silent = facts.filter((fact) => fact.kind === 'unreachable');
    const [first] = silent;
    if (first === undefined) return undefined;
    const unmeasured = anomalies.filter(({ signal }) => silent.some(({ target }) => target === signal.target));
    return {
      category: 'targetUnreachable',
      details: `${first.target} could not be measured: ${first.because}`,
      confidence: 65,
      evidence: ids(unmeasured, silent),
      suggestedActions: ['see whether the target runs and whether its address and credentials are right'],
      sessions: [],
    };
  },
  function degraded(anomalies) {
    const own = anomalies.filter(({ signal }) => signal.name !== 'activeIncidents');
    const [worst] = own;
    if (worst === undefined) return undefined;
    const { signal } = worst;
    return {
      category: 'serviceDegraded',
      details: `${signal.title} of ${signal.target} is ${formatValue(signal.value, signal.unit)}, and nothing measured says why`,
      confidence: 30,
      evidence: ids(own, []),
      suggestedActions: ['look at what changed last'],
      sessions: [],
    };
  },
  function otherIncidents(anomalies, facts) {
    const active = facts.filter((fact) => fact.kind === 'activeIncident');
    if (active.length === 0) return undefined;
    return {
      category: 'activeIncident',
      details: `${active.length} SEV-0/1 ${active.length === 1 ? 'incident is' : 'incidents are'} open: ${active.map(({ title }) => title).join('; ')}`,
      confidence: 65,
      evidence: ids(named(anomalies, 'activeIncidents'), active),
      suggestedActions: ['join the open incident'],
      sessions: [],
    };
  },
];
