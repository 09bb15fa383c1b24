import type { Role } from './actor.js';
import { isAtLeast, isSamePerson, SYSTEM, toOneSpelling } from './actor.js';
import type { GateKind, Verdict } from './gate.js';
import type { Plan } from './plan.js';
import type { Past, Policy, Ruling } from './policy.js';
import { judgeUnder, toStricter } from './policy.js';

/** How long after it was signed an approval may begin to run, in milliseconds. */
export const GRANT_VALID_MS = 24 * 3_600_000;

/** What the API signs when it has authenticated a person and heard the decision. Moments are milliseconds since the epoch. */
export interface SignedDecision {
  readonly decisionId: string;
  readonly workspaceId: string;
  readonly incidentId: string;
  /** null for a cancellation, and for a rollback of an incident that is closed. */
  readonly gateId: string | null;
  readonly gateKind: GateKind | null;
  readonly verdict: Verdict | 'cancel';
  readonly digest: string | null;
  readonly planVersion: number | null;
  readonly person: string;
  /** `system` where the policy let it run by itself. */
  readonly role: Role | 'system';
  readonly decidedAt: number;
  readonly expiresAt: number;
}

/** The name of each reason for which a claim is refused, and what it says to people. */
export const claimRefusals = {
  incidentClosed: 'the incident is closed',
  gateMissing: 'there is no such gate',
  gateNotApproved: 'the gate is not approved',
  planMissing: 'the approved plan is not in the record',
  planAltered: 'the plan in the record is not the one that was approved',
  digestMismatch: 'the gate is for another digest',
  signatureInvalid: 'a decision in the record is not signed by a key of Sluice, or says something else than what was signed',
  grantExpired: 'the approval is older than an approval may be',
  tooFewApprovals: 'fewer people approved than the policy asks for',
  roleTooLow: 'somebody with a higher role has to approve',
  ownBytes: 'whoever wrote what would run may not approve it',
  notReviewed: 'no supervisor has reviewed it',
  breakGlassOff: 'the policy does not let one person run it alone',
  autonomyRevoked: 'the policy does not let it run by itself any more',
  observeOnly: 'the policy lets nothing run',
  forbidden: 'the policy does not allow the plan any more',
  targetBusy: 'another incident is changing the same target',
  killSwitch: 'the kill switch is on',
  alreadyUsed: 'the approval was used before',
  nothingToRollBack: 'nothing of this plan can be taken back',
  snapshotExpired: 'the snapshot is older than it is kept',
  snapshotAltered: 'the snapshot in the record is not the one that was taken',
  notAutomatic: 'the policy does not let a rollback begin by itself',
} as const;
export type ClaimRefusal = keyof typeof claimRefusals;

/** What the world moved past since people approved: a new plan is made, and asked for anew. */
const overtaken: readonly ClaimRefusal[] = [
  'grantExpired',
  'tooFewApprovals',
  'roleTooLow',
  'ownBytes',
  'notReviewed',
  'breakGlassOff',
  'autonomyRevoked',
  'observeOnly',
  'forbidden',
  'targetBusy',
];
export const isOvertaken = (because: ClaimRefusal): boolean => overtaken.includes(because);

/** A decision as the record holds it, beside what its signature says; null where the signature is not one of ours. */
export interface RecordedDecision {
  readonly id: string;
  readonly verdict: Verdict | 'cancel';
  readonly person: string;
  readonly signed: SignedDecision | null;
}

export interface ClaimFacts {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly gate: { readonly id: string; readonly kind: GateKind; readonly state: string; readonly digest: string | null } | undefined;
  readonly decisions: readonly RecordedDecision[];
  readonly killSwitchOn: boolean;
  readonly isClosed: boolean;
  /** Whether the plan was verified, and did not hold. */
  readonly verificationFailed: boolean;
  readonly nowMs: number;
}

/** What else an execution is judged by. */
export interface Surroundings {
  /** What holds now: all of them. */
  readonly policies: readonly Policy[];
  readonly past: Past;
  /** Whether another incident is changing one of the plan's targets. */
  readonly isTargetBusy: boolean;
}

/** Whether this signature is of this decision: same person, incident, gate, verdict and digest. */
function isOf({ signed, id, verdict, person }: RecordedDecision, facts: ClaimFacts, digest: string): boolean {
  if (signed === null) return false;
  return (
    signed.decisionId === id &&
    signed.verdict === verdict &&
    signed.person === person &&
    signed.workspaceId === facts.workspaceId &&
    signed.incidentId === facts.incidentId &&
    signed.gateId === (facts.gate?.id ?? null) &&
    signed.digest === digest &&
    // Nobody has a token for this name, and the policy signs under no other.
    (signed.role === 'system') === (signed.person === SYSTEM)
  );
}

const letsRun: readonly string[] = ['approve', 'breakGlass', 'review'];

/**
 * Judges whether a plan may be claimed for execution: what the record says counts only as far as signatures say it too.
 * `plan` is what the approved bytes say; the stricter of the ruling it was frozen with and today's policy applies. Undefined: it may.
 */
export function judgeExecutionClaim(facts: ClaimFacts, plan: Plan, digest: string, { policies, past, isTargetBusy }: Surroundings): ClaimRefusal | undefined {
  if (facts.killSwitchOn) return 'killSwitch';
  if (facts.isClosed) return 'incidentClosed';
  const ruling = () => toStricter(plan.ruling, judgeUnder(plan, plan.tier, policies, past));
  return judgeGate(facts, plan, digest) ?? (isTargetBusy ? 'targetBusy' : undefined) ?? judgeApprovals(toSigned(facts), plan, ruling(), policies, facts.nowMs);
}

/** Judges whether a plan was approved when it began, however long ago and whatever policy asks for by now. Undefined: it was. */
export const judgePastExecution = (facts: ClaimFacts, plan: Plan, digest: string): ClaimRefusal | undefined =>
  judgeGate(facts, plan, digest) ?? judgeApprovals(toSigned(facts), plan, plan.ruling, [], -Infinity);

/** Whether the gate let this plan run, and every decision of it is signed. */
function judgeGate(facts: ClaimFacts, plan: Plan, digest: string): ClaimRefusal | undefined {
  const { gate } = facts;
  if (gate === undefined) return 'gateMissing';
  // One no is enough, whatever the gate's row says after it.
  if (gate.kind !== 'execution' || gate.state !== 'approved' || facts.decisions.some(({ verdict }) => !letsRun.includes(verdict))) return 'gateNotApproved';
  if (gate.digest !== digest || plan.workspaceId !== facts.workspaceId || plan.incidentId !== facts.incidentId) return 'digestMismatch';
  const isSigned = (decision: RecordedDecision): boolean => isOf(decision, facts, digest) && decision.signed?.planVersion === plan.version && decision.signed.gateKind === 'execution';
  return facts.decisions.every(isSigned) ? undefined : 'signatureInvalid';
}

const toSigned = ({ decisions }: ClaimFacts): readonly SignedDecision[] => decisions.flatMap(({ signed }) => signed ?? []);

/** Whether what people, or the policy, signed is what the ruling asks for. */
function judgeApprovals(signed: readonly SignedDecision[], plan: Plan, ruling: Ruling, policies: readonly Policy[], nowMs: number): ClaimRefusal | undefined {
  if (ruling.kind === 'forbid') return 'forbidden';
  if (ruling.kind === 'observe') return 'observeOnly';
  const isFresh = ({ expiresAt }: SignedDecision): boolean => nowMs <= expiresAt;
  const approvals = signed.filter(({ verdict }) => verdict === 'approve');

  const broken = signed.filter(({ verdict, role }) => verdict === 'breakGlass' && role !== 'system' && isAtLeast(role, 'supervisor'));
  if (broken.length > 0 && policies.every(({ breakGlass }) => breakGlass)) return broken.some(isFresh) ? undefined : 'grantExpired';
  const byPolicy = approvals.filter(({ role }) => role === 'system');
  if (byPolicy.length > 0 && ruling.kind === 'auto') return byPolicy.some(isFresh) ? undefined : 'grantExpired';

  const people = approvals.flatMap((approval) => (approval.role === 'system' ? [] : [{ ...approval, role: approval.role }]));
  if (people.length === 0 && byPolicy.length > 0) return 'autonomyRevoked';
  if (people.length === 0 && signed.some(({ verdict }) => verdict === 'breakGlass')) return 'breakGlassOff';
  const isAuthor = (person: string): boolean => plan.authors.some((author) => isSamePerson(author, person));
  // A policy in the record may ask for nobody, or for what is no number: what nobody signed does not run.
  const isEnough = (given: readonly SignedDecision[]): boolean => countPeople(given) >= Math.max(1, ruling.approvalsNeeded);
  const others = people.filter(({ person }) => !isAuthor(person));
  const able = others.filter(({ role }) => isAtLeast(role, ruling.roleNeeded));
  if (!isEnough(people)) return 'tooFewApprovals';
  if (!isEnough(others)) return 'ownBytes';
  if (!isEnough(able)) return 'roleTooLow';
  const reviews = signed.filter(({ verdict, role, person }) => verdict === 'review' && role !== 'system' && isAtLeast(role, 'supervisor') && !isAuthor(person));
  if (ruling.reviewNeeded && reviews.length === 0) return 'notReviewed';
  return isEnough(able.filter(isFresh)) ? undefined : 'grantExpired';
}

const countPeople = (approvals: readonly SignedDecision[]): number => new Set(approvals.map(({ person }) => toOneSpelling(person))).size;

/** Whom a rollback is claimed for: a person's decision, or the policy after a verification that failed. */
export type RollbackCause = { readonly kind: 'decision'; readonly decisionId: string } | { readonly kind: 'policy' };

/** Judges whether a plan that ran may be taken back. `facts.gate` is where the person decided; undefined after closing. Undefined: it may. */
export function judgeRollbackClaim(
  facts: ClaimFacts,
  digest: string,
  cause: RollbackCause,
  policies: readonly Pick<Policy, 'autonomy' | 'onFailedVerification'>[],
): ClaimRefusal | undefined {
  if (facts.killSwitchOn) return 'killSwitch';
  if (cause.kind === 'policy') {
    const isAutomatic = facts.verificationFailed && !facts.isClosed && policies.every(({ autonomy, onFailedVerification }) => autonomy !== 'observe' && onFailedVerification === 'rollBack');
    return isAutomatic ? undefined : 'notAutomatic';
  }
  const decision = facts.decisions.find(({ id }) => id === cause.decisionId);
  if (decision?.signed == null || !isOf(decision, facts, digest)) return 'signatureInvalid';
  const { verdict, gateKind, role, expiresAt } = decision.signed;
  const isRejection = verdict === 'reject' && gateKind === 'verification';
  if (!isRejection && verdict !== 'rollBack') return 'signatureInvalid';
  if (role === 'system' || !isAtLeast(role, isRejection ? 'responder' : 'supervisor')) return 'roleTooLow';
  return facts.nowMs > expiresAt ? 'grantExpired' : undefined;
}
