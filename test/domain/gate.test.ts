import { describe, expect, it } from '@jest/globals';
import { type Decision, type Gate, type Said, hear } from '../../domain/gate.js';
import { aDecision, aGate } from '../builders.js';

const now = new Date('2026-11-22T10:00:00Z');
const said = (over: Partial<Said> = {}): Said => ({ approvedBy: [], isReviewed: false, confirmation: null, breakGlass: true, killSwitchOn: false, ...over });
const asSupervisor = (over: Partial<Decision> = {}): Decision => aDecision({ by: 'sam', as: 'supervisor', reason: 'I looked', ...over });
const breaking = (over: Partial<Decision> = {}): Decision => asSupervisor({ verdict: 'breakGlass', ...over });
const reviewing = (over: Partial<Decision> = {}): Decision => asSupervisor({ verdict: 'review', ...over });

interface Refused {
  readonly because: string;
  readonly when: string;
  readonly gate?: Partial<Gate>;
  readonly decision?: Decision;
  readonly said?: Partial<Said>;
}

const refused: readonly Refused[] = [
  { because: 'gateClosed', when: 'it is settled', gate: { state: 'rejected' } },
  { because: 'gateExpired', when: 'its time is over', gate: { expiresAt: now } },
  { because: 'staleDigest', when: 'it is for another plan', decision: aDecision({ digest: 'b'.repeat(64) }) },
  { because: 'staleDigest', when: 'it is for none', decision: aDecision({ digest: null }) },
  { because: 'notAllowed', when: 'a viewer approves', decision: aDecision({ as: 'viewer' }) },
  { because: 'notAllowed', when: 'an agent rejects', decision: aDecision({ as: 'agent', verdict: 'reject' }) },
  { because: 'notAllowed', when: 'a responder approves what a supervisor has to', gate: { roleNeeded: 'supervisor' } },
  { because: 'notAllowed', when: 'a supervisor approves what an admin has to', gate: { roleNeeded: 'admin' }, decision: asSupervisor() },
  { because: 'notAllowed', when: 'a responder breaks the glass', decision: breaking({ actor: aDecision().actor }) },
  { because: 'notAllowed', when: 'a responder reviews', gate: { reviewNeeded: true }, decision: reviewing({ actor: aDecision().actor }) },
  { because: 'notAllowed', when: 'a responder rolls back', gate: { kind: 'verification', offersRollback: true }, decision: aDecision({ verdict: 'rollBack' }) },
  { because: 'noWayBack', when: 'a rollback is asked for where there is none', gate: { kind: 'verification' }, decision: asSupervisor({ verdict: 'rollBack' }) },
  { because: 'alreadyDecided', when: 'somebody approves twice', gate: { approvalsNeeded: 2 }, said: { approvedBy: ['ana'] } },
  { because: 'alreadyDecided', when: 'somebody approves twice, before the title is asked for', gate: { approvalsNeeded: 2 }, said: { approvedBy: ['ana'], confirmation: 'x' } },
  { because: 'observeOnly', when: 'it is only observed', gate: { mode: 'nobody' } },
  { because: 'observeOnly', when: 'it is only observed and an admin approves', gate: { mode: 'nobody' }, decision: asSupervisor({ actor: aDecision({ as: 'admin' }).actor }) },
  { because: 'observeOnly', when: 'it is only observed and the glass is broken', gate: { mode: 'nobody' }, decision: breaking() },
  { because: 'ownBytes', when: 'who wrote it approves', gate: { excluded: ['ana'] } },
  { because: 'ownBytes', when: 'who wrote it approves in another spelling', gate: { excluded: ['Ana'] } },
  { because: 'alreadyDecided', when: 'somebody approves twice, in another spelling', gate: { approvalsNeeded: 2 }, said: { approvedBy: ['Ana'] } },
  { because: 'ownBytes', when: 'who wrote it approves as admin', gate: { excluded: ['ana'] }, decision: aDecision({ as: 'admin' }) },
  { because: 'ownBytes', when: 'who wrote it reviews it', gate: { reviewNeeded: true, excluded: ['sam'] }, decision: reviewing() },
  { because: 'reviewNeeded', when: 'it is approved before it is reviewed', gate: { reviewNeeded: true } },
  { because: 'reviewNeeded', when: 'a supervisor approves it before it is reviewed', gate: { reviewNeeded: true }, decision: asSupervisor() },
  { because: 'reasonNeeded', when: 'a review has no reason', gate: { reviewNeeded: true }, decision: reviewing({ reason: null }) },
  { because: 'nothingToReview', when: 'no review is asked for', decision: reviewing() },
  { because: 'nothingToReview', when: 'it was reviewed before', gate: { reviewNeeded: true }, decision: reviewing(), said: { isReviewed: true } },
  { because: 'breakGlassOff', when: 'the policy has no glass to break', decision: breaking(), said: { breakGlass: false } },
  { because: 'breakGlassOff', when: 'it waits to be verified', gate: { kind: 'verification' }, decision: breaking() },
  { because: 'breakGlassOff', when: 'it needs a person', gate: { kind: 'needsHuman' }, decision: breaking() },
  { because: 'reasonNeeded', when: 'the glass is broken without a reason', decision: breaking({ reason: null }) },
  { because: 'confirmationNeeded', when: 'the glass is broken without the title', decision: breaking(), said: { confirmation: 'Reset' } },
  { because: 'killSwitch', when: 'nothing may run now', said: { killSwitchOn: true } },
  { because: 'killSwitch', when: 'nothing may run now and the glass is broken', decision: breaking(), said: { killSwitchOn: true } },
  { because: 'reasonNeeded', when: 'whoever was called closes it without a reason', gate: { kind: 'needsHuman' }, decision: aDecision({ verdict: 'reject' }) },
];

describe('a gate', () => {
  it.each(refused)('refuses by name: $because where $when', ({ because, gate, decision = aDecision(), said: before }) => {
    expect(hear(aGate(gate), said(before), decision, now)).toEqual({ kind: 'refused', because });
  });

  it('is rejected, and found good after it ran, whatever the kill switch says', () => {
    expect(hear(aGate(), said({ killSwitchOn: true }), aDecision({ verdict: 'reject' }), now)).toMatchObject({ kind: 'counted', state: 'rejected' });
    expect(hear(aGate({ kind: 'verification' }), said({ killSwitchOn: true }), aDecision(), now)).toMatchObject({ kind: 'counted', state: 'approved' });
  });

  it('stays open until enough different people have approved', () => {
    const gate = aGate({ approvalsNeeded: 2 });
    expect(hear(gate, said(), aDecision({ by: 'ana' }), now)).toEqual({ kind: 'counted', state: 'open', approvals: 1 });
    expect(hear(gate, said({ approvedBy: ['ana'] }), aDecision({ by: 'bo' }), now)).toEqual({ kind: 'counted', state: 'approved', approvals: 2 });
  });

  it.each([
    ['reject', 'rejected'],
    ['requestChanges', 'changesRequested'],
  ] as const)('is settled by one %s, whoever approves it and whatever its mode', (verdict, state) => {
    for (const mode of ['people', 'policy', 'nobody'] as const) {
      const gate = aGate({ approvalsNeeded: 2, roleNeeded: 'supervisor', reviewNeeded: true, excluded: ['ana'], mode });
      expect(hear(gate, said({ approvedBy: ['sam'] }), aDecision({ verdict }), now)).toMatchObject({ kind: 'counted', state });
    }
  });

  it('that asks for a review counts it as no approval, and approvals after it', () => {
    const gate = aGate({ roleNeeded: 'supervisor', reviewNeeded: true });
    expect(hear(gate, said(), reviewing(), now)).toEqual({ kind: 'counted', state: 'open', approvals: 0 });
    expect(hear(gate, said({ isReviewed: true }), asSupervisor(), now)).toEqual({ kind: 'counted', state: 'approved', approvals: 1 });
  });

  it('is approved by a supervisor alone who breaks the glass with a reason, whoever else has to be asked', () => {
    const gate = aGate({ approvalsNeeded: 2, roleNeeded: 'admin', reviewNeeded: true, excluded: ['sam'] });
    expect(hear(gate, said(), breaking(), now)).toEqual({ kind: 'counted', state: 'approved', approvals: 1 });
  });

  it('that the policy decides is open to people, too', () => {
    expect(hear(aGate({ mode: 'policy' }), said(), aDecision(), now)).toMatchObject({ kind: 'counted', state: 'approved' });
  });

  it.each([
    ['approve', undefined, 'refused'],
    ['approve', '', 'refused'],
    ['approve', 'yes', 'refused'],
    ['approve', 'database connection reset', 'refused'],
    ['approve', 'Database Connection Reset', 'counted'],
    ['approve', ' Database  Connection Reset\n', 'counted'],
    ['breakGlass', 'yes', 'refused'],
    ['breakGlass', 'Database Connection Reset', 'counted'],
    ['reject', undefined, 'counted'],
    ['requestChanges', undefined, 'counted'],
  ] as const)('that asks for the title of its plan: %s with %j is %s', (verdict, confirmation, kind) => {
    const decision = asSupervisor({ verdict, ...(confirmation === undefined ? {} : { confirmation }) });
    const hearing = hear(aGate(), said({ confirmation: 'Database Connection Reset' }), decision, now);
    expect(hearing).toMatchObject(kind === 'refused' ? { kind, because: 'confirmationNeeded' } : { kind });
  });

  it('without an expiry is open at any age', () => {
    expect(hear(aGate({ expiresAt: null }), said(), aDecision(), new Date('2036-01-01T00:00:00Z'))).toMatchObject({ state: 'approved' });
  });
});
