import type { Actor, DecidingRole } from './actor.js';
import { isAtLeast, isSamePerson } from './actor.js';

export const gateKinds = ['execution', 'verification', 'needsHuman'] as const;
export type GateKind = (typeof gateKinds)[number];

export const gateStates = ['open', 'approved', 'rejected', 'changesRequested', 'rollbackRequested', 'expired', 'withdrawn'] as const;
export type GateState = (typeof gateStates)[number];

export const verdicts = ['approve', 'breakGlass', 'review', 'reject', 'requestChanges', 'rollBack'] as const;
export type Verdict = (typeof verdicts)[number];

/** How what waits at a gate may come to run: people say so, the policy does, or nobody can (observe mode). */
export const gateModes = ['people', 'policy', 'nobody'] as const;
export type GateMode = (typeof gateModes)[number];

/** What a gate asks for. */
export interface GateTerms {
  readonly kind: GateKind;
  readonly mode: GateMode;
  /** The digest of the plan that it is about: to be run, or run already; null where there is none. */
  readonly digest: string | null;
  readonly planVersion: number | null;
  /** Whether what was run can be taken back from here. */
  readonly offersRollback: boolean;
  readonly approvalsNeeded: number;
  readonly roleNeeded: DecidingRole;
  /** Whether a supervisor has to record a review before any approval counts. */
  readonly reviewNeeded: boolean;
  /** Whose approval does not count: who wrote what would run, or let it run alone. */
  readonly excluded: readonly string[];
}

/** A point where the workflow waits for people. Its row in Postgres is the truth. */
export interface Gate extends GateTerms {
  readonly id: string;
  readonly incidentId: string;
  readonly state: GateState;
  readonly openedAt: Date;
  /** null: it never expires, because something has changed already. */
  readonly expiresAt: Date | null;
}

/** What a workflow asks people. `expiresAt` is RFC 3339, null where silence never closes it. */
export interface GateOpening extends GateTerms {
  readonly gateId: string;
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

export const refusals = [
  'gateClosed',
  'gateExpired',
  'staleDigest',
  'notAllowed',
  'alreadyDecided',
  'confirmationNeeded',
  'noWayBack',
  'observeOnly',
  'ownBytes',
  'reviewNeeded',
  'reasonNeeded',
  'breakGlassOff',
  'nothingToReview',
  'killSwitch',
] as const;
export type Refusal = (typeof refusals)[number];

export type Hearing =
  | { readonly kind: 'counted'; readonly state: GateState; readonly approvals: number }
  | { readonly kind: 'refused'; readonly because: Refusal };

/** What was said at a gate before, and what it takes besides. */
export interface Said {
  /** Whose approval counted and is still good to run by. Who approved longer ago may approve again. */
  readonly approvedBy: readonly string[];
  readonly isReviewed: boolean;
  /** What letting it run must type, null where nothing. */
  readonly confirmation: string | null;
  /** As the policy is now. */
  readonly breakGlass: boolean;
  /** Whether nothing may run now: what would be approved is kept waiting, not used up. */
  readonly killSwitchOn: boolean;
}

/** Judges whether a decision counts and what it makes of the gate. */
export function hear(gate: Gate, { approvedBy, isReviewed, confirmation, breakGlass, killSwitchOn }: Said, decision: Decision, now: Date): Hearing {
  const { actor, verdict, reason } = decision;
  if (gate.state !== 'open') return refuse('gateClosed');
  if (gate.expiresAt !== null && now >= gate.expiresAt) return refuse('gateExpired');
  if (gate.digest !== decision.digest) return refuse('staleDigest');
  const roleNeeded = { approve: gate.roleNeeded, breakGlass: 'supervisor', review: 'supervisor', rollBack: 'supervisor', reject: 'responder', requestChanges: 'responder' } as const;
  if (!isAtLeast(actor.role, roleNeeded[verdict])) return refuse('notAllowed');
  if (killSwitchOn && gate.kind === 'execution' && (verdict === 'approve' || verdict === 'breakGlass')) return refuse('killSwitch');
  const isConfirmed = confirmation === null || isSameText(decision.confirmation ?? '', confirmation);
  const isActor = (person: string): boolean => isSamePerson(person, actor.person);
  const approvals = approvedBy.length;
  switch (verdict) {
    case 'reject':
      // Whoever was called to say how to go on says why it does not.
      return gate.kind === 'needsHuman' && reason === null ? refuse('reasonNeeded') : { kind: 'counted', state: 'rejected', approvals };
    case 'requestChanges':
      return { kind: 'counted', state: 'changesRequested', approvals };
    case 'rollBack':
      return gate.offersRollback ? { kind: 'counted', state: 'rollbackRequested', approvals } : refuse('noWayBack');
    case 'review':
      if (!gate.reviewNeeded || isReviewed) return refuse('nothingToReview');
      if (gate.excluded.some(isActor)) return refuse('ownBytes');
      return reason === null ? refuse('reasonNeeded') : { kind: 'counted', state: 'open', approvals };
    case 'breakGlass':
      if (gate.mode === 'nobody') return refuse('observeOnly');
      if (gate.kind !== 'execution' || !breakGlass) return refuse('breakGlassOff');
      if (reason === null) return refuse('reasonNeeded');
      return isConfirmed ? { kind: 'counted', state: 'approved', approvals: approvals + 1 } : refuse('confirmationNeeded');
    case 'approve':
      if (gate.mode === 'nobody') return refuse('observeOnly');
      if (gate.excluded.some(isActor)) return refuse('ownBytes');
      if (gate.reviewNeeded && !isReviewed) return refuse('reviewNeeded');
      if (approvedBy.some(isActor)) return refuse('alreadyDecided');
      if (!isConfirmed) return refuse('confirmationNeeded');
      return { kind: 'counted', state: approvals + 1 >= gate.approvalsNeeded ? 'approved' : 'open', approvals: approvals + 1 };
  }
}

function refuse(because: Refusal): Hearing {
  return { kind: 'refused', because };
}

/** However the title is spaced: nobody can see that on a screen. */
const isSameText = (typed: string, wanted: string): boolean => withoutExtraSpace(typed) === withoutExtraSpace(wanted);
const withoutExtraSpace = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
