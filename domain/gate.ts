import type { Actor, Role } from './actor.js';
import { isAtLeast } from './actor.js';

export const gateKinds = ['execution', 'verification', 'needsHuman'] as const;
export type GateKind = (typeof gateKinds)[number];

export const gateStates = ['open', 'approved', 'rejected', 'changesRequested', 'rollbackRequested', 'expired', 'withdrawn'] as const;
export type GateState = (typeof gateStates)[number];

export const verdicts = ['approve', 'reject', 'requestChanges', 'rollBack'] as const;
export type Verdict = (typeof verdicts)[number];

/** A point where the workflow waits for people. Its row in Postgres is the truth. */
export interface Gate {
  readonly id: string;
  readonly incidentId: string;
  readonly kind: GateKind;
  /** The digest of the plan that it is about: to be run, or run already; null where there is none. */
  readonly digest: string | null;
  readonly planVersion: number | null;
  /** Whether what was run can be taken back from here. */
  readonly offersRollback: boolean;
  readonly state: GateState;
  readonly approvalsNeeded: number;
  readonly roleNeeded: Exclude<Role, 'agent' | 'viewer'>;
  readonly openedAt: Date;
  /** null: it never expires, because something has changed already. */
  readonly expiresAt: Date | null;
}

/** What a workflow asks people. `expiresAt` is RFC 3339, null where silence never closes it. */
export interface GateOpening {
  readonly gateId: string;
  readonly kind: GateKind;
  readonly digest: string | null;
  readonly planVersion: number | null;
  readonly offersRollback: boolean;
  readonly approvalsNeeded: number;
  readonly roleNeeded: Gate['roleNeeded'];
  readonly expiresAt: string | null;
}

export interface Decision {
  readonly id: string;
  readonly gateId: string;
  readonly verdict: Verdict;
  /** The digest of the plan that the person was shown; null where the gate has none. */
  readonly digest: string | null;
  readonly actor: Actor;
  readonly reason: string | null;
  /** What the person typed to confirm it, where something must be. */
  readonly confirmation?: string | null;
}

export const refusals = ['gateClosed', 'gateExpired', 'staleDigest', 'notAllowed', 'alreadyDecided', 'confirmationNeeded', 'noWayBack'] as const;
export type Refusal = (typeof refusals)[number];

export type Hearing =
  | { readonly kind: 'counted'; readonly state: GateState; readonly approvals: number }
  | { readonly kind: 'refused'; readonly because: Refusal };

/**
 * Judges whether a decision counts and what it makes of the gate. `approvedBy` are the people whose approval counted before;
 * `confirmation` is what an approval must type, null where nothing.
 */
export function hear(gate: Gate, approvedBy: readonly string[], decision: Decision, now: Date, confirmation: string | null = null): Hearing {
  if (gate.state !== 'open') return refuse('gateClosed');
  if (gate.expiresAt !== null && now >= gate.expiresAt) return refuse('gateExpired');
  if (gate.digest !== decision.digest) return refuse('staleDigest');
  const roleNeeded = { approve: gate.roleNeeded, rollBack: 'supervisor', reject: 'responder', requestChanges: 'responder' } as const;
  if (!isAtLeast(decision.actor.role, roleNeeded[decision.verdict])) return refuse('notAllowed');
  switch (decision.verdict) {
    case 'reject':
      return { kind: 'counted', state: 'rejected', approvals: approvedBy.length };
    case 'requestChanges':
      return { kind: 'counted', state: 'changesRequested', approvals: approvedBy.length };
    case 'rollBack':
      return gate.offersRollback ? { kind: 'counted', state: 'rollbackRequested', approvals: approvedBy.length } : refuse('noWayBack');
    case 'approve': {
      if (approvedBy.includes(decision.actor.person)) return refuse('alreadyDecided');
      if (confirmation !== null && !isSameText(decision.confirmation ?? '', confirmation)) return refuse('confirmationNeeded');
      const approvals = approvedBy.length + 1;
      return { kind: 'counted', state: approvals >= gate.approvalsNeeded ? 'approved' : 'open', approvals };
    }
  }
}

function refuse(because: Refusal): Hearing {
  return { kind: 'refused', because };
}

/** However the title is spaced: nobody can see that on a screen. */
const isSameText = (typed: string, wanted: string): boolean => withoutExtraSpace(typed) === withoutExtraSpace(wanted);
const withoutExtraSpace = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
