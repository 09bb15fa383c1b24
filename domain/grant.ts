import type { Role } from './actor.js';
import { isAtLeast } from './actor.js';
import type { GateKind, Verdict } from './gate.js';
import type { Plan } from './plan.js';
import type { Policy } from './policy.js';
import { judgePlan, toStricter } from './policy.js';

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
  readonly role: Role;
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
  forbidden: 'the policy does not allow the plan any more',
  killSwitch: 'the kill switch is on',
  alreadyUsed: 'the approval was used before',
  nothingToRollBack: 'nothing of this plan can be taken back',
  snapshotExpired: 'the snapshot is older than it is kept',
  snapshotAltered: 'the snapshot in the record is not the one that was taken',
  notAutomatic: 'the policy does not let a rollback begin by itself',
} as const;
export type ClaimRefusal = keyof typeof claimRefusals;

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
    signed.digest === digest
  );
}

/**
 * Judges whether a plan may be claimed for execution: what the record says counts only as far as signatures say it too.
 * `plan` is what the approved bytes say; the stricter of the ruling it was frozen with and today's policy applies. Undefined: it may.
 */
export function judgeExecutionClaim(facts: ClaimFacts, plan: Plan, digest: string, policyNow: Pick<Policy, 'approvals'>): ClaimRefusal | undefined {
  const { gate } = facts;
  if (facts.killSwitchOn) return 'killSwitch';
  if (facts.isClosed) return 'incidentClosed';
  if (gate === undefined) return 'gateMissing';
  // One no is enough, whatever the gate's row says after it.
  if (gate.kind !== 'execution' || gate.state !== 'approved' || facts.decisions.some(({ verdict }) => verdict !== 'approve')) return 'gateNotApproved';
  if (gate.digest !== digest || plan.workspaceId !== facts.workspaceId || plan.incidentId !== facts.incidentId) return 'digestMismatch';
  const ruling = toStricter(plan.ruling, judgePlan(plan, plan.tier, policyNow));
  if (ruling.kind === 'forbid') return 'forbidden';
  const approvals = facts.decisions.filter(({ verdict }) => verdict === 'approve');
  if (approvals.some((approval) => !isOf(approval, facts, digest) || approval.signed?.planVersion !== plan.version || approval.signed.gateKind !== 'execution')) return 'signatureInvalid';
  const signed = approvals.flatMap((approval) => approval.signed ?? []);
  const able = signed.filter(({ role }) => isAtLeast(role, ruling.roleNeeded));
  if (countPeople(signed) < ruling.approvalsNeeded) return 'tooFewApprovals';
  if (countPeople(able) < ruling.approvalsNeeded) return 'roleTooLow';
  return countPeople(able.filter(({ expiresAt }) => facts.nowMs <= expiresAt)) < ruling.approvalsNeeded ? 'grantExpired' : undefined;
}

const countPeople = (approvals: readonly SignedDecision[]): number => new Set(approvals.map(({ person }) => person)).size;

/** Whom a rollback is claimed for: a person's decision, or the policy after a verification that failed. */
export type RollbackCause = { readonly kind: 'decision'; readonly decisionId: string } | { readonly kind: 'policy' };

/** Judges whether a plan that ran may be taken back. `facts.gate` is where the person decided; undefined after closing. Undefined: it may. */
export function judgeRollbackClaim(
  facts: ClaimFacts,
  digest: string,
  cause: RollbackCause,
  policies: readonly Pick<Policy, 'onFailedVerification'>[],
): ClaimRefusal | undefined {
  if (facts.killSwitchOn) return 'killSwitch';
  if (cause.kind === 'policy') {
    const isAutomatic = facts.verificationFailed && !facts.isClosed && policies.every(({ onFailedVerification }) => onFailedVerification === 'rollBack');
    return isAutomatic ? undefined : 'notAutomatic';
  }
  const decision = facts.decisions.find(({ id }) => id === cause.decisionId);
  if (decision?.signed == null || !isOf(decision, facts, digest)) return 'signatureInvalid';
  const { verdict, gateKind, role, expiresAt } = decision.signed;
  const isRejection = verdict === 'reject' && gateKind === 'verification';
  if (!isRejection && verdict !== 'rollBack') return 'signatureInvalid';
  if (!isAtLeast(role, isRejection ? 'responder' : 'supervisor')) return 'roleTooLow';
  return facts.nowMs > expiresAt ? 'grantExpired' : undefined;
}
