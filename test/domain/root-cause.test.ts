import { describe, expect, it } from '@jest/globals';
import { findAnomalies } from '../../domain/anomaly.js';
import { findRootCause } from '../../domain/root-cause.js';
import type { Fact } from '../../domain/signal.js';
import { aSession, aSignal } from '../builders.js';

const blocked = aSignal({ name: 'blockedSessions', title: 'blocked sessions', unit: 'count', value: 14, threshold: 3 });
const judge = (signals: Parameters<typeof findAnomalies>[0], facts: readonly Fact[]) => findRootCause(findAnomalies(signals), facts);

describe('a root cause', () => {
  it('is the idle session that others wait for, with the evidence for it', () => {
    expect(judge([blocked], [aSession()])).toMatchObject({
      category: 'idleTransaction',
      details: 'session 4711 idle in transaction for 3m12s, blocks 14 others',
      confidence: 92,
      affectedSystems: ['shop-db'],
      evidence: ['shop-db/blockedSessions', 'shop-db/session/4711'],
      sessions: [{ pid: 4711 }],
    });
  });

  it('is never a session that waits itself', () => {
    const middle = aSession({ pid: 5, isBlocked: true, blocks: 3 });
    expect(judge([blocked], [aSession(), middle])?.sessions.map(({ pid }) => pid)).toEqual([4711]);
  });

  it.each<{ what: string; signals: Parameters<typeof findAnomalies>[0]; facts: readonly Fact[]; category: string; confidence: number; sessions: number }>([
    { what: 'two idle sessions that block', signals: [blocked], facts: [aSession(), aSession({ pid: 2 })], category: 'idleTransaction', confidence: 80, sessions: 2 },
    { what: 'a running statement that blocks', signals: [blocked], facts: [aSession({ state: 'active' })], category: 'longRunningQuery', confidence: 65, sessions: 1 },
    {
      what: 'connections used up',
      signals: [aSignal({ name: 'connections', unit: 'percent', value: 97, threshold: 90 })],
      facts: [aSession({ blocks: 0 })],
      category: 'connectionExhaustion',
      confidence: 80,
      sessions: 1,
    },
    {
      what: 'a transaction left open',
      signals: [aSignal({ name: 'idleInTransaction', value: 900_000, threshold: 300_000 })],
      facts: [aSession({ blocks: 0 }), aSession({ pid: 2, blocks: 0, stateAgeMs: 900_000 })],
      category: 'idleTransaction',
      confidence: 80,
      sessions: 1,
    },
    {
      what: 'too many deletes',
      signals: [aSignal({ name: 'deletes', unit: 'count', value: 900, threshold: 100 })],
      facts: [{ kind: 'deletesByActor', id: 'd', target: 'shop-db', actor: 'bob', deletes: 900 }],
      category: 'massDeletion',
      confidence: 80,
      sessions: 0,
    },
    {
      what: 'a target that does not answer',
      signals: [aSignal({ name: 'postgres-availability', unit: 'percent', better: 'higher', value: 0 })],
      facts: [{ kind: 'unreachable', id: 'u', target: 'shop-db', because: 'ECONNREFUSED' }],
      category: 'targetUnreachable',
      confidence: 65,
      sessions: 0,
    },
    { what: 'slowness that nothing explains', signals: [aSignal({ name: 'p99' })], facts: [], category: 'serviceDegraded', confidence: 30, sessions: 0 },
    {
      what: 'other open incidents',
      signals: [aSignal({ name: 'activeIncidents', unit: 'count', value: 1, threshold: 1 })],
      facts: [{ kind: 'activeIncident', id: 'i', target: 'ws', title: 'checkout is down', severity: 'CRITICAL' }],
      category: 'activeIncident',
      confidence: 65,
      sessions: 0,
    },
  ])('of $what is $category', ({ signals, facts, category, confidence, sessions }) => {
    const cause = judge(signals, facts);
    expect(cause).toMatchObject({ category, confidence });
    expect(cause?.sessions).toHaveLength(sessions);
    expect(cause?.evidence.length).toBeGreaterThan(0);
  });

  it('is not claimed without evidence', () => expect(judge([], [aSession()])).toBeUndefined());
});
