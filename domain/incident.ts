import type { Severity } from './severity.js';

export const phases = ['DETECTION', 'PROPOSAL_FIX', 'EXECUTION_GATE', 'EXECUTION', 'VERIFICATION_GATE', 'VERIFICATION', 'CLOSED'] as const;
export type Phase = (typeof phases)[number];

export const statuses = ['IN_PROGRESS', 'PENDING_HUMAN_APPROVAL', 'SUCCESS', 'FAILED', 'REJECTED', 'EXPIRED', 'NEEDS_HUMAN'] as const;
export type Status = (typeof statuses)[number];

export const outcomes = ['RESOLVED', 'RECOVERED', 'NOTHING_FOUND', 'REJECTED', 'EXPIRED', 'ROLLED_BACK', 'FAILED', 'CANCELLED', 'HANDED_OVER'] as const;
export type Outcome = (typeof outcomes)[number];

export const triggers = ['alert', 'person', 'schedule'] as const;
export type Trigger = (typeof triggers)[number];

export const updateKinds = ['step', 'rollback', 'reconcile', 'decision'] as const;
export type UpdateKind = (typeof updateKinds)[number];

export const updateActors = ['AI_AGENT', 'HUMAN_USER', 'SYSTEM'] as const;
export type UpdateActor = (typeof updateActors)[number];

/** One entry of the job tail before the record gives it a place. */
export interface UpdateDraft {
  readonly phase: Phase;
  readonly status: Status;
  readonly kind: UpdateKind;
  readonly actor: UpdateActor;
  /** One thing a person needs at that moment per line; the first is the headline. */
  readonly text: string;
  readonly details: UpdateDetails | null;
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
  readonly reason: string | null;
}

/** What a machine may want of an update; each is present where it means something. */
export interface UpdateDetails {
  readonly anomalies?: number;
  readonly severity?: Severity;
  readonly gateId?: string;
  readonly planVersion?: number;
  readonly digest?: string;
  readonly confidence?: number;
  readonly improvementPercent?: number;
  readonly outcome?: Outcome;
}

/** Builds an update from what differs: a step that succeeded, told by the system. */
export function toUpdate(draft: Pick<UpdateDraft, 'phase' | 'text'> & Partial<UpdateDraft>): UpdateDraft {
  return { status: 'SUCCESS', kind: 'step', actor: 'SYSTEM', details: null, approvedBy: null, approvedAt: null, reason: null, ...draft };
}
