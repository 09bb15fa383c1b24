import { describe, expect, it } from '@jest/globals';
import { findAnomalies } from '../../domain/anomaly.js';
import { findRootCause } from '../../domain/find-root-cause.js';
import type { Fact } from '../../domain/signal.js';
import { aConfigChange, aSession, aSignal } from '../builders.js';

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
      aims: [{ kind: 'values', target: 'shop-db', values: { pid: '4711', backendStart: '2026-11-22T08:12:03.123456Z' } }],
    });
  });

  it('is never a session that waits itself', () => {
    const middle = aSession({ pid: 5, isBlocked: true, blocks: 3 });
    expect(judge([blocked], [aSession(), middle])?.aims).toMatchObject([{ values: { pid: '4711' } }]);
  });

  it.each<{ what: string; signals: Parameters<typeof findAnomalies>[0]; facts: readonly Fact[]; category: string; confidence: number; aims: number }>([
    { what: 'two idle sessions that block', signals: [blocked], facts: [aSession(), aSession({ pid: 2 })], category: 'idleTransaction', confidence: 80, aims: 2 },
    { what: 'a running statement that blocks', signals: [blocked], facts: [aSession({ state: 'active' })], category: 'longRunningQuery', confidence: 65, aims: 1 },
    {
      what: 'connections used up',
      signals: [aSignal({ name: 'connections', unit: 'percent', value: 97, threshold: 90 })],
      facts: [aSession({ blocks: 0 })],
      category: 'connectionExhaustion',
      confidence: 80,
      aims: 1,
    },
    {
      what: 'a transaction left open',
      signals: [aSignal({ name: 'idleInTransaction', value: 900_000, threshold: 300_000 })],
      facts: [aSession({ blocks: 0 }), aSession({ pid: 2, blocks: 0, stateAgeMs: 900_000 })],
      category: 'idleTransaction',
      confidence: 80,
      aims: 1,
    },
    {
      what: 'too many deletes',
      signals: [aSignal({ name: 'deletes', unit: 'count', value: 900, threshold: 100 })],
      facts: [{ kind: 'deletesByActor', id: 'd', target: 'shop-db', actor: 'bob', deletes: 900 }],
      category: 'massDeletion',
      confidence: 80,
      aims: 1,
    },
    {
      what: 'a target that does not answer',
      signals: [aSignal({ name: 'postgres-availability', unit: 'percent', better: 'higher', value: 0 })],
      facts: [{ kind: 'unreachable', id: 'u', target: 'shop-db', because: 'ECONNREFUSED' }],
      category: 'targetUnreachable',
      confidence: 65,
      aims: 0,
    },
    {
      what: 'a configuration file that cannot be read',
      signals: [aSignal({ target: 'checkout-config', name: 'readable', unit: 'percent', better: 'higher', value: 0 })],
      facts: [{ kind: 'unreachable', id: 'u', target: 'checkout-config', because: 'there is no such file' }],
      category: 'configuration',
      confidence: 80,
      aims: 0,
    },
    { what: 'slowness that nothing explains', signals: [aSignal({ name: 'p99' })], facts: [], category: 'serviceDegraded', confidence: 30, aims: 0 },
    {
      what: 'other open incidents',
      signals: [aSignal({ name: 'activeIncidents', unit: 'count', value: 1, threshold: 1 })],
      facts: [{ kind: 'activeIncident', id: 'i', target: 'ws', title: 'checkout is down', severity: 'CRITICAL' }],
      category: 'activeIncident',
      confidence: 65,
      aims: 0,
    },
  ])('of $what is $category', ({ signals, facts, category, confidence, aims }) => {
    const cause = judge(signals, facts);
    expect(cause).toMatchObject({ category, confidence });
    expect(cause?.aims).toHaveLength(aims);
    expect(cause?.evidence.length).toBeGreaterThan(0);
  });

  it('is not a session of another database', () => {
    expect(judge([{ ...blocked, target: 'other-db' }], [aSession()])?.category).toBe('serviceDegraded');
  });

  it('is not claimed without evidence', () => expect(judge([], [aSession()])).toBeUndefined());
});

describe('a changed configuration', () => {
  const slow = aSignal({ target: 'checkout', name: 'p99' });

  it('explains what it serves by what changed, and puts it back', () => {
    const change = aConfigChange();
    expect(judge([slow], [change])).toEqual({
      category: 'configuration',
      details: 'checkout.json changed 12s before: /timeoutMs 5 (was 2000)',
      confidence: 92,
      affectedSystems: ['checkout'],
      evidence: ['checkout/p99', 'checkout-config/configChange'],
      suggestedActions: [expect.stringContaining('put back'), expect.stringContaining('who changed it')],
      aims: [{ kind: 'restore', target: 'checkout-config', type: 'config-patch', script: change.patch }],
    });
  });

  it('is told with what came, what went and how much more there is', () => {
    const changes = [
      { pointer: '/a', good: null, now: '1', isRestored: true },
      { pointer: '/b', good: '"x"', now: null, isRestored: true },
      { pointer: '', good: '[]', now: '{}', isRestored: true },
      { pointer: '/d', good: '1', now: '2', isRestored: true },
    ];
    expect(judge([slow], [aConfigChange({ changes, changeCount: 30 })])?.details).toBe('checkout.json changed 12s before: /a 1 (was not there), /b gone (was "x"), all of it {} (was []) and 27 more');
  });

  it.each([
    { what: 'when it is old', over: { changeAgeMs: 7_200_000 } },
    { what: 'when the trouble was there before it', over: { goodAt: '2026-11-22T08:00:00.000Z' } },
    { what: 'when only a part of it can be put back', over: { restoresAll: false } },
  ])('is less sure $what', ({ over }) => expect(judge([slow], [aConfigChange(over)])).toMatchObject({ category: 'configuration', confidence: 65 }));

  it('leaves to people what looks secret', () => {
    const changes = [{ pointer: '/db/password', good: '•••', now: '•••', isRestored: false }];
    const cause = judge([slow], [aConfigChange({ changes, patch: null, restoresAll: false })]);
    expect(cause).toMatchObject({ details: expect.stringContaining('/db/password ••• (was •••)'), aims: [] });
    expect(cause?.suggestedActions).toContainEqual(expect.stringContaining('checkout.json /db/password back by hand'));
  });

  it.each([
    { what: 'connections that ran out', signal: aSignal({ name: 'connections', unit: 'percent', value: 97, threshold: 90 }), over: {}, category: 'configuration' },
    { what: 'connections that ran out, when it is old', signal: aSignal({ name: 'connections', unit: 'percent', value: 97, threshold: 90 }), over: { changeAgeMs: 7_200_000 }, category: 'connectionExhaustion' },
    { what: 'a held lock', signal: blocked, over: {}, category: 'idleTransaction' },
    { what: 'nothing else', signal: slow, over: { serves: ['other'] }, category: 'serviceDegraded' },
  ])('beside $what leads to $category', ({ signal, over, category }) => {
    const serves = ['checkout', 'shop-db'];
    expect(judge([signal, slow], [aSession(), aConfigChange({ serves, ...over })])?.category).toBe(category);
  });
});
