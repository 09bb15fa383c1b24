import { describe, expect, it } from '@jest/globals';
import { hear } from '../../domain/gate.js';
import { aDecision, aGate } from '../builders.js';

const now = new Date('2026-11-22T10:00:00Z');

describe('a gate', () => {
  it.each([
    { because: 'gateClosed', gate: aGate({ state: 'rejected' }), decision: aDecision() },
    { because: 'gateExpired', gate: aGate({ expiresAt: now }), decision: aDecision() },
    { because: 'staleDigest', gate: aGate(), decision: aDecision({ digest: 'b'.repeat(64) }) },
    { because: 'staleDigest', gate: aGate(), decision: aDecision({ digest: null }) },
    { because: 'notAllowed', gate: aGate(), decision: aDecision({ as: 'viewer' }) },
    { because: 'notAllowed', gate: aGate(), decision: aDecision({ as: 'agent', verdict: 'reject' }) },
    { because: 'notAllowed', gate: aGate({ roleNeeded: 'supervisor' }), decision: aDecision({ as: 'responder' }) },
    { because: 'alreadyDecided', gate: aGate({ approvalsNeeded: 2 }), decision: aDecision({ by: 'ana' }) },
  ])('refuses a decision by name: $because', ({ because, gate, decision }) => {
    expect(hear(gate, because === 'alreadyDecided' ? ['ana'] : [], decision, now)).toEqual({ kind: 'refused', because });
  });

  it('stays open until enough different people have approved', () => {
    const gate = aGate({ approvalsNeeded: 2 });
    expect(hear(gate, [], aDecision({ by: 'ana' }), now)).toEqual({ kind: 'counted', state: 'open', approvals: 1 });
    expect(hear(gate, ['ana'], aDecision({ by: 'bo' }), now)).toEqual({ kind: 'counted', state: 'approved', approvals: 2 });
  });

  it.each([
    ['reject', 'rejected'],
    ['requestChanges', 'changesRequested'],
  ] as const)('is settled by one %s, even after an approval and from a responder where a supervisor approves', (verdict, state) => {
    const gate = aGate({ approvalsNeeded: 2, roleNeeded: 'supervisor' });
    expect(hear(gate, ['sam'], aDecision({ verdict }), now)).toMatchObject({ kind: 'counted', state });
  });

  it.each([
    ['approve', undefined, 'refused'],
    ['approve', '', 'refused'],
    ['approve', 'yes', 'refused'],
    ['approve', 'database connection reset', 'refused'],
    ['approve', 'Database Connection Reset', 'counted'],
    ['approve', ' Database  Connection Reset\n', 'counted'],
    ['reject', undefined, 'counted'],
    ['requestChanges', undefined, 'counted'],
  ] as const)('that asks for the title of its plan: %s with %j is %s', (verdict, confirmation, kind) => {
    const decision = aDecision({ verdict, ...(confirmation === undefined ? {} : { confirmation }) });
    const hearing = hear(aGate(), [], decision, now, 'Database Connection Reset');
    expect(hearing).toMatchObject(kind === 'refused' ? { kind, because: 'confirmationNeeded' } : { kind });
  });

  it('says that an approval counts already before it asks for the title', () => {
    expect(hear(aGate({ approvalsNeeded: 2 }), ['ana'], aDecision({ by: 'ana' }), now, 'x')).toMatchObject({ because: 'alreadyDecided' });
  });

  it('without an expiry is open at any age', () => {
    expect(hear(aGate({ expiresAt: null }), [], aDecision(), new Date('2036-01-01T00:00:00Z'))).toMatchObject({ state: 'approved' });
  });
});
