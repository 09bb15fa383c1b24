import type { Role } from './actor.js';
import { isAtLeast } from './actor.js';
import type { Tier } from './confidence.js';
import type { GateKind } from './gate.js';
import type { Severity } from './severity.js';

/** Who must agree before a plan may run. */
export type Ruling =
  | { readonly kind: 'gate'; readonly approvalsNeeded: number; readonly roleNeeded: Exclude<Role, 'agent' | 'viewer'> }
  | { readonly kind: 'forbid'; readonly because: string };

/** The waits and bounds of one incident, fixed when it opens. Those that end in `Ms` are milliseconds. */
export interface Policy {
  readonly gateWaitMs: number;
  readonly gateRemindMs: number;
  readonly verificationEscalateMs: number;
  readonly stabilizationMs: number;
  readonly maxRounds: number;
  /** How many different people must approve a plan of each risk. */
  readonly approvals: Readonly<Record<Severity, number>>;
  /** What follows when the signals did not get well: a person is asked, or the plan is taken back at once. */
  readonly onFailedVerification: 'ask' | 'rollBack';
  /** How long a change can be taken back. */
  readonly snapshotKeptMs: number;
}

/** What confidence lets a responder approve, and what needs a supervisor; how many, by risk. */
export function judgePlan(plan: { readonly risk: Severity; readonly steps: readonly unknown[] }, tier: Tier, { approvals }: Pick<Policy, 'approvals'>): Ruling {
  if (plan.steps.length === 0) return { kind: 'forbid', because: 'the plan has no steps' };
  return { kind: 'gate', approvalsNeeded: approvals[plan.risk], roleNeeded: tier === 'HIGH' ? 'responder' : 'supervisor' };
}

/** What both rulings ask for. */
export function toStricter(one: Ruling, other: Ruling): Ruling {
  if (one.kind === 'forbid') return one;
  if (other.kind === 'forbid') return other;
  return {
    kind: 'gate',
    approvalsNeeded: Math.max(one.approvalsNeeded, other.approvalsNeeded),
    roleNeeded: isAtLeast(one.roleNeeded, other.roleNeeded) ? one.roleNeeded : other.roleNeeded,
  };
}

/** What a person must type to let a grave plan run, so that nobody does it by habit; null where a click is enough. */
export function toConfirmation(kind: GateKind, { risk, title }: { readonly risk: Severity; readonly title: string }): string | null {
  return kind === 'execution' && (risk === 'HIGH' || risk === 'CRITICAL') ? title : null;
}
