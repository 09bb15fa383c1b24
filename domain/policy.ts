import type { DecidingRole } from './actor.js';
import { isAtLeast } from './actor.js';
import { canonicalize } from './canonical.js';
import type { Tier } from './confidence.js';
import type { GateKind } from './gate.js';
import type { Reach, WayBack } from './reach.js';
import type { Severity } from './severity.js';

export const autonomies = ['observe', 'supervised', 'confidence'] as const;
/** `observe`: nothing can be approved. `supervised`: people approve. `confidence`: what is sure and can be taken back runs by itself. */
export type Autonomy = (typeof autonomies)[number];

/** Who may decide what, when, and what happens when nobody does. Durations end in `Ms`. */
export interface Policy {
  readonly autonomy: Autonomy;
  /** How many different people must approve a plan of each risk. */
  readonly approvals: Readonly<Record<Severity, number>>;
  /** Who must approve at least, by how wide a step's effect can be. */
  readonly approvers: Readonly<Record<Reach, DecidingRole>>;
  /** Whether a supervisor may let a plan run alone, with a reason that everyone is told. */
  readonly breakGlass: boolean;
  /** Whether what nobody had to approve is verified without a person who looks. */
  readonly skipVerificationGate: boolean;
  /** Until an unanswered execution gate expires. */
  readonly gateWaitMs: number;
  /** Until the first group is reminded. */
  readonly gateRemindMs: number;
  /** Until the next group is called; after that at twice the time, and so on. */
  readonly escalateMs: number;
  /** Who is told, one after the other; the channels of sluice.yaml say which groups they reach. Never empty. */
  readonly groups: readonly string[];
  /** Until an unanswered verification gate becomes NEEDS_HUMAN. */
  readonly verificationEscalateMs: number;
  readonly stabilizationMs: number;
  readonly maxRounds: number;
  /** What follows when the signals did not get well: a person is asked, or the plan is taken back at once. */
  readonly onFailedVerification: 'ask' | 'rollBack';
  /** How long a change can be taken back. */
  readonly snapshotKeptMs: number;
  /** How old the evidence of a plan may be when it runs, before the root cause is looked for again. */
  readonly evidenceValidMs: number;
  /** After a fix of a target the next one needs a supervisor for so long, and what people closed is not opened again by a sweep. */
  readonly cooldownMs: number;
  /** The same fix of the same target is not proposed again once it ran so often within `triesWithinMs`. */
  readonly maxTries: number;
  readonly triesWithinMs: number;
}

/** What the API signs when an admin changes the policy: it counts only as far as this says it. */
export interface SignedPolicy {
  readonly workspaceId: string;
  readonly version: number;
  /** `toPolicyText` of it. */
  readonly policy: string;
}

/** The canonical text of a policy. */
export const toPolicyText = (policy: Policy): string => canonicalize({ ...policy, approvals: { ...policy.approvals }, approvers: { ...policy.approvers }, groups: [...policy.groups] });

/** Whether what a signature says is of this very policy. */
export function isSignedPolicy(signed: unknown, { workspaceId, version, policy }: { readonly workspaceId: string; readonly version: number; readonly policy: Policy }): boolean {
  if (typeof signed !== 'object' || signed === null || !('workspaceId' in signed) || !('version' in signed) || !('policy' in signed)) return false;
  return signed.workspaceId === workspaceId && signed.version === version && signed.policy === toPolicyText(policy);
}

/**
 * Which policies of a workspace hold, all of them: the newest alone where it is signed; else it and the newest that is signed. `isProven` says which.
 * `rows` are newest first.
 */
export async function findHolding<Row extends { readonly policy: Policy }>(
  rows: readonly [Row, ...Row[]],
  isSigned: (row: Row) => Promise<boolean>,
): Promise<{ readonly policies: readonly Policy[]; readonly isProven: boolean }> {
  const [newest, ...earlier] = rows;
  if (await isSigned(newest)) return { policies: [newest.policy], isProven: true };
  for (const row of earlier) if (await isSigned(row)) return { policies: [newest.policy, row.policy], isProven: false };
  return { policies: [newest.policy], isProven: false };
}

/** Who must agree before a plan runs. */
export interface Asked {
  readonly approvalsNeeded: number;
  readonly roleNeeded: DecidingRole;
  /** A supervisor has to record a review before any approval counts. */
  readonly reviewNeeded: boolean;
}

/** What policy says of a plan: it runs by itself, people decide, it is only shown, or it is not even that. */
export type Ruling =
  | ({ readonly kind: 'auto' } & Asked)
  | ({ readonly kind: 'gate' } & Asked)
  | ({ readonly kind: 'observe' } & Asked)
  | { readonly kind: 'forbid'; readonly because: string };

/** What was done to a plan's targets before. */
export interface Past {
  /** How long ago the last fix of another incident ended on one of them, in milliseconds; null where none did. */
  readonly sinceFixMs: number | null;
  /** How often this very fix ran on one of them within `triesWithinMs`. */
  readonly tries: number;
  /** Whether a fix of one of them was taken back within `triesWithinMs`: what comes next is for people. */
  readonly wasTakenBack: boolean;
}

export const untouched: Past = { sinceFixMs: null, tries: 0, wasTakenBack: false };

/** What a ruling goes by. */
export interface Ruled {
  readonly risk: Severity;
  readonly derivedFromText: boolean;
  readonly steps: readonly { readonly reach: Reach; readonly wayBack: Pick<WayBack, 'kind'>; readonly findings: readonly unknown[] }[];
}

/** Says who must agree to a plan, by risk, tier, reach, autonomy and what was done before. */
export function judgePlan(plan: Ruled, tier: Tier, policy: Policy, past: Past): Ruling {
  if (plan.steps.length === 0) return { kind: 'forbid', because: 'the plan has no steps' };
  if (past.tries >= policy.maxTries) {
    return { kind: 'forbid', because: `this fix ran ${past.tries === 1 ? 'once' : `${past.tries} times`} on the same target and the trouble came back: find out why before it runs again` };
  }
  const isCoolingDown = past.sinceFixMs !== null && past.sinceFixMs < policy.cooldownMs;
  const roles: readonly DecidingRole[] = [
    tier === 'HIGH' ? 'responder' : 'supervisor',
    ...(isCoolingDown ? (['supervisor'] as const) : []),
    ...plan.steps.map(({ reach }) => policy.approvers[reach]),
  ];
  // What nobody could inspect whole is looked at by two, whatever its risk.
  const eyes = plan.steps.some(({ findings }) => findings.length > 0) ? 2 : 1;
  const asked: Asked = { approvalsNeeded: Math.max(policy.approvals[plan.risk], eyes), roleNeeded: roles.reduce(toHigher), reviewNeeded: tier === 'LOW' };
  if (policy.autonomy === 'observe') return { kind: 'observe', ...asked };
  // Where policy wants more than one responder, somebody is to look at it.
  const isPlain = asked.approvalsNeeded <= 1 && asked.roleNeeded === 'responder';
  return { kind: policy.autonomy === 'confidence' && isPlain && !isCoolingDown && !past.wasTakenBack && mayRunByItself(plan, tier) ? 'auto' : 'gate', ...asked };
}

/** What is sure, not grave, can be taken back whole, and nobody outside had a say in. */
const mayRunByItself = ({ risk, derivedFromText, steps }: Ruled, tier: Tier): boolean =>
  tier === 'HIGH' && (risk === 'LOW' || risk === 'MEDIUM') && !derivedFromText && steps.every(({ wayBack }) => wayBack.kind === 'snapshot');

const toHigher = (one: DecidingRole, other: DecidingRole): DecidingRole => (isAtLeast(one, other) ? one : other);
const strictness = { auto: 0, gate: 1, observe: 2 } as const;

/** What both rulings ask for. */
export function toStricter(one: Ruling, other: Ruling): Ruling {
  if (one.kind === 'forbid') return one;
  if (other.kind === 'forbid') return other;
  return {
    kind: strictness[one.kind] >= strictness[other.kind] ? one.kind : other.kind,
    approvalsNeeded: Math.max(one.approvalsNeeded, other.approvalsNeeded),
    roleNeeded: toHigher(one.roleNeeded, other.roleNeeded),
    reviewNeeded: one.reviewNeeded || other.reviewNeeded,
  };
}

/** What every one of these policies asks for. */
export const judgeUnder = (plan: Ruled, tier: Tier, policies: readonly Policy[], past: Past): Ruling => policies.map((policy) => judgePlan(plan, tier, policy, past)).reduce(toStricter);

/** What a person must type to let a grave plan run, so that nobody does it by habit; null where a click is enough. */
export function toConfirmation(kind: GateKind, { risk, title }: { readonly risk: Severity; readonly title: string }): string | null {
  return kind === 'execution' && (risk === 'HIGH' || risk === 'CRITICAL') ? title : null;
}
