import type { Role } from './actor.js';
import type { GateKind } from './gate.js';
import type { Tier } from './confidence.js';
import type { Plan } from './plan.js';

/** Who must agree before a plan may run. */
export type Ruling =
  | { readonly kind: 'gate'; readonly approvalsNeeded: number; readonly roleNeeded: Exclude<Role, 'agent' | 'viewer'> }
  | { readonly kind: 'forbid'; readonly because: string };

/** The waits and bounds of one incident, fixed when it opens. All in milliseconds but `maxRounds`. */
export interface Policy {
  readonly gateWaitMs: number;
  readonly gateRemindMs: number;
  readonly verificationEscalateMs: number;
  readonly stabilizationMs: number;
  readonly maxRounds: number;
}

/** What confidence lets a responder approve, and what needs a supervisor. A CRITICAL risk takes two people. */
export function judgePlan(plan: Plan, tier: Tier): Ruling {
  if (plan.steps.length === 0) return { kind: 'forbid', because: 'the plan has no steps' };
  return {
    kind: 'gate',
    approvalsNeeded: plan.risk === 'CRITICAL' ? 2 : 1,
    roleNeeded: tier === 'HIGH' ? 'responder' : 'supervisor',
  };
}

/** What a person must type to let a grave plan run, so that nobody does it by habit; null where a click is enough. */
export function toConfirmation(kind: GateKind, { risk, title }: Pick<Plan, 'risk' | 'title'>): string | null {
  return kind === 'execution' && (risk === 'HIGH' || risk === 'CRITICAL') ? title : null;
}
