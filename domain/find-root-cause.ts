import type { Anomaly } from './anomaly.js';
import { explainByConfiguration, explainByUnreadableFile, isRecent } from './configuration-cause.js';
import { formatDuration } from './duration.js';
import { findHostRemedy } from './host-cause.js';
import { explainByFailedRollout, explainByObjects, explainByPods, explainByRolloutOfUnwell } from './kubernetes-cause.js';
import type { Aim, RootCause } from './root-cause.js';
import { ids, named, type Rule } from './root-cause-rule.js';
import type { Fact, SessionFact } from './signal.js';
import { formatValue } from './signal.js';

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
const describeSession = (session: SessionFact): string =>
  `session ${session.pid} ${session.state} for ${formatDuration(session.stateAgeMs)}` +
  (session.blocks === 0 ? '' : `, blocks ${session.blocks} ${session.blocks === 1 ? 'other' : 'others'}`);

const toAims = (sessions: readonly SessionFact[]): readonly Aim[] =>
  sessions.map(({ target, pid, backendStart }) => ({ kind: 'values', target, values: { pid: `${pid}`, backendStart } }));

/** The sessions that hold what others wait for, in the databases where the waiting was measured. */
const findHolders = (waiting: readonly Anomaly[], facts: readonly Fact[]): readonly SessionFact[] =>
  facts.filter(isSession).filter((session) => session.blocks > 0 && !session.isBlocked && waiting.some(({ signal }) => signal.target === session.target));

const rules: readonly Rule[] = [
  // Who holds a lock is seen to hold it; that a change of the configuration matters is concluded from when it came.
  function blockedByIdleTransaction(anomalies, facts) {
    const waiting = named(anomalies, 'lockWait', 'blockedSessions');
    const sessions = findHolders(waiting, facts).filter(isIdleInTransaction);
    if (waiting.length === 0 || sessions.length === 0) return undefined;
    return {
      category: 'idleTransaction',
      details: sessions.map(describeSession).join('; '),
      // One holder explains every wait; several may hide each other.
      confidence: sessions.length === 1 ? 92 : 80,
      evidence: ids(waiting, sessions),
      suggestedActions: ['terminate the session that holds the locks', 'set idle_in_transaction_session_timeout for its user'],
      aims: toAims(sessions),
    };
  },
  function blockedByLongQuery(anomalies, facts) {
    const waiting = named(anomalies, 'lockWait', 'blockedSessions');
    const sessions = findHolders(waiting, facts).filter(({ state }) => state === 'active');
    if (waiting.length === 0 || sessions.length === 0) return undefined;
    return {
      category: 'longRunningQuery',
      details: sessions.map(describeSession).join('; '),
      // It is doing something, and what it does may matter more than what waits for it.
      confidence: 65,
      evidence: ids(waiting, sessions),
      suggestedActions: ['ask the owner of the running statement', 'cancel it'],
      aims: toAims(sessions),
    };
  },
  // Pods of a new template that fail say so themselves; of other changes only their time does.
  explainByFailedRollout,
  explainByConfiguration(92, isRecent),
  explainByObjects(92, isRecent),
  explainByRolloutOfUnwell,
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
      aims: toAims(sessions),
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
      aims: toAims(oldest),
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
      aims: [{ kind: 'values', target: worst.target, values: { actor: worst.actor } }],
    };
  },
  explainByConfiguration(65, () => true),
  explainByObjects(65, () => true),
  explainByPods,
  explainByUnreadableFile,
  function unreachable(anomalies, facts) {
    const silent = facts.filter((fact) => fact.kind === 'unreachable');
    const [first] = silent;
    if (first === undefined) return undefined;
    const unmeasured = anomalies.filter(({ signal }) => silent.some(({ target }) => target === signal.target));
    const onHost = findHostRemedy(unmeasured, facts);
    return {
      category: 'targetUnreachable',
      details: `${first.target} could not be measured: ${first.because}`,
      evidence: ids(unmeasured, [...silent, ...(onHost === undefined ? [] : [onHost.fact])]),
      ...(onHost?.remedy ?? { confidence: 65, suggestedActions: ['see whether the target runs and whether its address and credentials are right'], aims: [] }),
    };
  },
  function degraded(anomalies, facts) {
    const own = anomalies.filter(({ signal }) => signal.name !== 'activeIncidents');
    const [worst] = own;
    if (worst === undefined) return undefined;
    const { signal } = worst;
    const onHost = findHostRemedy(own, facts);
    return {
      category: 'serviceDegraded',
      details: `${signal.title} of ${signal.target} is ${formatValue(signal.value, signal.unit)}, and nothing measured says why`,
      evidence: ids(own, onHost === undefined ? [] : [onHost.fact]),
      ...(onHost?.remedy ?? { confidence: 30, suggestedActions: ['look at what changed last'], aims: [] }),
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
      aims: [],
    };
  },
];
