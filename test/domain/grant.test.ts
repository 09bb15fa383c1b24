import { describe, expect, it } from '@jest/globals';
import { type Role, SYSTEM } from '../../domain/actor.js';
import type { Verdict } from '../../domain/gate.js';
import { type ClaimFacts, type ClaimRefusal, claimRefusals, isOvertaken, judgeExecutionClaim, judgeRollbackClaim, type RecordedDecision, type SignedDecision, type Surroundings } from '../../domain/grant.js';
import type { Plan } from '../../domain/plan.js';
import { untouched } from '../../domain/policy.js';
import { aPlan, aPolicy, aStep } from '../builders.js';

const digest = 'd'.repeat(64);
const NOW_MS = 1_000_000;
const confidence = aPolicy({ autonomy: 'confidence' });
const auto: Plan['ruling'] = { kind: 'auto', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false };
const gate = (over: Partial<Omit<Plan['ruling'], 'kind'>> = {}): Plan['ruling'] => ({ kind: 'gate', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false, ...over });
/** What the policy lets run by itself. */
const sure = { steps: [aStep({ wayBack: { kind: 'snapshot', of: 'rows', keptMs: 1_000 } })], ruling: auto } as const;

let decisions = 0;
function signed(verdict: Verdict, person: string, role: Role | 'system', over: Partial<SignedDecision> = {}): RecordedDecision {
  const id = `decision ${(decisions += 1)}`;
  const { workspaceId, incidentId, version } = aPlan();
  const content = { decisionId: id, workspaceId, incidentId, gateId: 'gate', gateKind: 'execution', verdict, digest, planVersion: version, person, role, decidedAt: 0, expiresAt: NOW_MS } as const;
  return { id, verdict, person, signed: { ...content, ...over } };
}
const approve = (person = 'ana', role: Role = 'responder', over: Partial<SignedDecision> = {}) => signed('approve', person, role, over);
const byPolicy = (over: Partial<SignedDecision> = {}) => signed('approve', SYSTEM, 'system', over);
const breakGlass = (role: Role = 'supervisor', over: Partial<SignedDecision> = {}) => signed('breakGlass', 'sam', role, over);
const review = (person = 'sam', role: Role = 'supervisor') => signed('review', person, role);
const old = { expiresAt: NOW_MS - 1 } as const;

interface Case {
  readonly when: string;
  readonly said: readonly RecordedDecision[];
  readonly plan?: Partial<Plan>;
  readonly around?: Partial<Surroundings>;
  readonly facts?: Partial<ClaimFacts>;
  readonly because?: ClaimRefusal;
}

function judge({ said, plan, around, facts }: Case): ClaimRefusal | undefined {
  const of = aPlan(plan);
  const { workspaceId, incidentId } = of;
  const given: ClaimFacts = { workspaceId, incidentId, gate: { id: 'gate', kind: 'execution', state: 'approved', digest }, decisions: said, killSwitchOn: false, isClosed: false, verificationFailed: false, nowMs: NOW_MS, ...facts };
  return judgeExecutionClaim(given, of, digest, { policies: [aPolicy()], past: untouched, isTargetBusy: false, ...around });
}

const cases: readonly Case[] = [
  { when: 'a responder approved', said: [approve()] },
  { when: 'the kill switch is on', said: [approve()], facts: { killSwitchOn: true }, because: 'killSwitch' },
  { when: 'the incident is closed', said: [approve()], facts: { isClosed: true }, because: 'incidentClosed' },
  { when: 'there is no gate', said: [approve()], facts: { gate: undefined }, because: 'gateMissing' },
  { when: 'the gate is open', said: [approve()], facts: { gate: { id: 'gate', kind: 'execution', state: 'open', digest } }, because: 'gateNotApproved' },
  { when: 'the gate is one of verification', said: [approve()], facts: { gate: { id: 'gate', kind: 'verification', state: 'approved', digest } }, because: 'gateNotApproved' },
  { when: 'one rejected, too', said: [approve(), signed('reject', 'bo', 'responder')], because: 'gateNotApproved' },
  { when: 'the gate is for another plan', said: [approve()], facts: { gate: { id: 'gate', kind: 'execution', state: 'approved', digest: 'e'.repeat(64) } }, because: 'digestMismatch' },
  { when: 'a signature is not ours', said: [{ ...approve(), signed: null }], because: 'signatureInvalid' },
  { when: 'another person was signed', said: [{ ...approve(), person: 'eve' }], because: 'signatureInvalid' },
  { when: 'it was signed for another version of the plan', said: [approve('ana', 'responder', { planVersion: 2 })], because: 'signatureInvalid' },
  { when: 'nobody approved', said: [], because: 'tooFewApprovals' },
  { when: 'nobody approved, and the policy and the plan ask for nobody', said: [], plan: { ruling: gate({ approvalsNeeded: 0 }) }, around: { policies: [aPolicy({ approvals: { LOW: 0, MEDIUM: 0, HIGH: 0, CRITICAL: 0 } })] }, because: 'tooFewApprovals' },
  { when: 'nobody approved, and the policy asks for what is no number', said: [], around: { policies: [aPolicy({ approvals: { LOW: NaN, MEDIUM: NaN, HIGH: NaN, CRITICAL: NaN } })] }, because: 'tooFewApprovals' },
  { when: 'one approved twice, in another spelling', said: [approve(), approve('Ana')], plan: { ruling: gate({ approvalsNeeded: 2 }) }, because: 'tooFewApprovals' },
  { when: 'one approved twice, in spellings that are the same in capitals', said: [approve('ſam'), approve('Sam')], plan: { ruling: gate({ approvalsNeeded: 2 }) }, because: 'tooFewApprovals' },
  { when: 'who wrote it approved, in another spelling', said: [approve('Ana')], plan: { authors: ['ana'] }, because: 'ownBytes' },
  { when: 'a target is being changed by another incident', said: [approve()], around: { isTargetBusy: true }, because: 'targetBusy' },
  { when: 'it has run as often as it may by now', said: [approve()], around: { past: { sinceFixMs: null, tries: 10, wasTakenBack: false } }, because: 'forbidden' },
  { when: 'the policy lets nothing run by now', said: [approve()], around: { policies: [aPolicy({ autonomy: 'observe' })] }, because: 'observeOnly' },
  { when: 'it was frozen to be observed, whatever the policy says now', said: [approve('ada', 'admin')], plan: { ruling: { ...gate(), kind: 'observe' } }, because: 'observeOnly' },
  { when: 'the policy asks for more people by now', said: [approve()], around: { policies: [aPolicy({ approvals: { LOW: 2, MEDIUM: 2, HIGH: 2, CRITICAL: 2 } })] }, because: 'tooFewApprovals' },
  { when: 'one approved twice', said: [approve(), approve()], plan: { ruling: gate({ approvalsNeeded: 2 }) }, because: 'tooFewApprovals' },
  { when: 'a supervisor has to approve', said: [approve()], plan: { ruling: gate({ roleNeeded: 'supervisor' }) }, because: 'roleTooLow' },
  { when: 'its target was fixed meanwhile', said: [approve()], around: { past: { sinceFixMs: 0, tries: 0, wasTakenBack: false } }, because: 'roleTooLow' },
  { when: 'its target was fixed meanwhile and a supervisor approved', said: [approve('sam', 'supervisor')], around: { past: { sinceFixMs: 0, tries: 0, wasTakenBack: false } } },
  { when: 'the approval is too old', said: [approve('ana', 'responder', old)], because: 'grantExpired' },
  { when: 'one of two approvals is too old', said: [approve(), approve('bo', 'responder', old)], plan: { ruling: gate({ approvalsNeeded: 2 }) }, because: 'grantExpired' },
  { when: 'an approval that is not needed is too old', said: [approve(), approve('bo', 'responder', old)] },

  { when: 'who wrote it approved', said: [approve()], plan: { authors: ['ana'] }, because: 'ownBytes' },
  { when: 'who wrote it and one other approved where two must', said: [approve(), approve('bo')], plan: { authors: ['ana'], ruling: gate({ approvalsNeeded: 2 }) }, because: 'ownBytes' },
  { when: 'another than who wrote it approved', said: [approve('bo')], plan: { authors: ['ana'] } },

  { when: 'it has to be reviewed and was not', said: [approve('ada', 'admin')], plan: { ruling: gate({ reviewNeeded: true }) }, because: 'notReviewed' },
  { when: 'it is not sure and was not reviewed', said: [approve('ada', 'admin')], plan: { tier: 'LOW' }, because: 'notReviewed' },
  { when: 'a supervisor reviewed it', said: [review(), approve('ada', 'admin')], plan: { tier: 'LOW' } },
  { when: 'a responder reviewed it', said: [review('ana', 'responder'), approve('ada', 'admin')], plan: { tier: 'LOW' }, because: 'notReviewed' },
  { when: 'who wrote it reviewed it', said: [review(), approve('ada', 'admin')], plan: { tier: 'LOW', authors: ['sam'] }, because: 'notReviewed' },
  { when: 'it was reviewed and nobody approved', said: [review()], plan: { tier: 'LOW' }, because: 'tooFewApprovals' },

  { when: 'a supervisor broke the glass', said: [breakGlass()], plan: { tier: 'LOW', authors: ['sam'], ruling: gate({ approvalsNeeded: 2, roleNeeded: 'admin', reviewNeeded: true }) } },
  { when: 'a responder broke the glass', said: [breakGlass('responder')], because: 'breakGlassOff' },
  { when: 'the policy has no glass to break any more', said: [breakGlass()], around: { policies: [aPolicy({ breakGlass: false })] }, because: 'breakGlassOff' },
  { when: 'the record has a glass to break and sluice.yaml has none', said: [breakGlass()], around: { policies: [aPolicy(), aPolicy({ breakGlass: false })] }, because: 'breakGlassOff' },
  { when: 'the policy has no glass to break any more and one approved besides', said: [breakGlass(), approve()], around: { policies: [aPolicy({ breakGlass: false })] } },
  { when: 'the glass was broken too long ago', said: [breakGlass('supervisor', old)], because: 'grantExpired' },
  { when: 'the glass was broken for what is only observed', said: [breakGlass()], around: { policies: [aPolicy({ autonomy: 'observe' })] }, because: 'observeOnly' },
  { when: 'the glass was broken for what is forbidden', said: [breakGlass()], around: { past: { sinceFixMs: null, tries: 10, wasTakenBack: false } }, because: 'forbidden' },
  { when: 'the glass was broken while another incident changes the target', said: [breakGlass()], around: { isTargetBusy: true }, because: 'targetBusy' },

  { when: 'the policy approved, then and now', said: [byPolicy()], plan: sure, around: { policies: [confidence] } },
  { when: 'the policy approved and is supervised by now', said: [byPolicy()], plan: sure, because: 'autonomyRevoked' },
  { when: 'the policy approved by the record, and sluice.yaml is supervised', said: [byPolicy()], plan: sure, around: { policies: [confidence, aPolicy()] }, because: 'autonomyRevoked' },
  { when: 'the policy approved what it does not let run by itself', said: [byPolicy()], plan: { ...sure, ruling: gate() }, around: { policies: [confidence] }, because: 'autonomyRevoked' },
  { when: 'the policy approved what a text from outside chose', said: [byPolicy()], plan: { ...sure, derivedFromText: true }, around: { policies: [confidence] }, because: 'autonomyRevoked' },
  { when: 'the policy approved and the target was fixed meanwhile', said: [byPolicy()], plan: sure, around: { policies: [confidence], past: { sinceFixMs: 0, tries: 0, wasTakenBack: false } }, because: 'autonomyRevoked' },
  { when: 'the policy approved and observes by now', said: [byPolicy()], plan: sure, around: { policies: [aPolicy({ autonomy: 'observe' })] }, because: 'observeOnly' },
  { when: 'the policy approved too long ago', said: [byPolicy(old)], plan: sure, around: { policies: [confidence] }, because: 'grantExpired' },
  { when: 'the policy approved, is supervised by now, and a person approved besides', said: [byPolicy(), approve()], plan: sure },
  { when: 'the policy approved and one of two people', said: [byPolicy(), approve()], plan: { ruling: gate({ approvalsNeeded: 2 }) }, because: 'tooFewApprovals' },
  { when: 'somebody named SYSTEM approved as admin', said: [signed('approve', SYSTEM, 'admin')], plan: sure, around: { policies: [confidence] }, because: 'signatureInvalid' },
  { when: 'somebody of another name approved as the policy', said: [signed('approve', 'ana', 'system')], plan: sure, around: { policies: [confidence] }, because: 'signatureInvalid' },
  { when: 'the policy broke the glass', said: [signed('breakGlass', SYSTEM, 'system')], because: 'breakGlassOff' },
];

const names = new Set(cases.map(({ because }) => because));
const ofExecutions = Object.keys(claimRefusals).filter((name) => !['planMissing', 'planAltered', 'alreadyUsed', 'nothingToRollBack', 'snapshotExpired', 'snapshotAltered', 'notAutomatic'].includes(name));

describe('a claim', () => {
  it.each(cases)('where $when: $because', (one) => {
    expect(judge(one)).toBe(one.because);
  });

  it('has every reason for which it is refused in this table', () => {
    expect(ofExecutions.filter((name) => !names.has(name as ClaimRefusal))).toEqual([]);
  });

  it('that the world has moved past is asked for anew, and no other', () => {
    const overtaken = ['grantExpired', 'tooFewApprovals', 'roleTooLow', 'ownBytes', 'notReviewed', 'breakGlassOff', 'autonomyRevoked', 'observeOnly', 'forbidden', 'targetBusy'];
    expect(Object.keys(claimRefusals).filter((name) => isOvertaken(name as ClaimRefusal)).toSorted()).toEqual(overtaken.toSorted());
  });
});

describe('a claim to take a plan back', () => {
  const roll = (decision: RecordedDecision) => {
    const { workspaceId, incidentId } = aPlan();
    const gateId = decision.signed?.gateId ?? null;
    const facts: ClaimFacts = { workspaceId, incidentId, gate: gateId === null ? undefined : { id: gateId, kind: 'verification', state: 'rollbackRequested', digest }, decisions: [decision], killSwitchOn: false, isClosed: false, verificationFailed: true, nowMs: NOW_MS };
    return judgeRollbackClaim(facts, digest, { kind: 'decision', decisionId: decision.id }, [aPolicy()]);
  };
  it.each([
    ['a supervisor asked for it', signed('rollBack', 'sam', 'supervisor', { gateKind: 'verification' }), undefined],
    ['a responder asked for it', signed('rollBack', 'ana', 'responder', { gateKind: 'verification' }), 'roleTooLow'],
    ['a responder rejected the outcome', signed('reject', 'ana', 'responder', { gateKind: 'verification' }), undefined],
    ['a supervisor asked too long ago', signed('rollBack', 'sam', 'supervisor', { gateKind: 'verification', ...old }), 'grantExpired'],
    ['a rejection is too old', signed('reject', 'ana', 'responder', { gateKind: 'verification', ...old }), 'grantExpired'],
    ['the policy asked for it', signed('rollBack', SYSTEM, 'system', { gateKind: 'verification' }), 'roleTooLow'],
    ['somebody named SYSTEM asked for it', signed('rollBack', SYSTEM, 'admin', { gateKind: 'verification' }), 'signatureInvalid'],
    ['somebody approved', signed('approve', 'sam', 'supervisor', { gateKind: 'verification' }), 'signatureInvalid'],
    ['somebody broke the glass', signed('breakGlass', 'sam', 'supervisor'), 'signatureInvalid'],
  ] as const)('where %s: %#', (_, decision, because) => {
    expect(roll(decision)).toBe(because);
  });

  it.each([
    ['supervised', undefined],
    ['confidence', undefined],
    ['observe', 'notAutomatic'],
  ] as const)('by itself, where it was let and one of the policies says %s', (autonomy, because) => {
    const { workspaceId, incidentId } = aPlan();
    const facts: ClaimFacts = { workspaceId, incidentId, gate: undefined, decisions: [], killSwitchOn: false, isClosed: false, verificationFailed: true, nowMs: NOW_MS };
    const lets = aPolicy({ onFailedVerification: 'rollBack' });
    expect(judgeRollbackClaim(facts, digest, { kind: 'policy' }, [lets, { ...lets, autonomy }, lets])).toBe(because);
  });
});
