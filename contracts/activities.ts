import type { Anomaly } from '../domain/anomaly.js';
import type { Confidence } from '../domain/confidence.js';
import type { GateMode, GateOpening, GateState } from '../domain/gate.js';
import type { Outcome, UpdateDraft } from '../domain/incident.js';
import type { ClaimRefusal, RollbackCause } from '../domain/grant.js';
import type { Telling } from '../domain/notification.js';
import type { DraftPlan, Plan } from '../domain/plan.js';
import type { Policy } from '../domain/policy.js';
import type { RootCause } from '../domain/root-cause.js';
import type { Severity } from '../domain/severity.js';
import type { Signal } from '../domain/signal.js';
import type { Approval } from '../domain/updates.js';

export interface IncidentRef {
  readonly workspaceId: string;
  readonly incidentId: string;
}

export interface Detection {
  /** Where the whole measurement is kept. */
  readonly measurementId: string;
  readonly anomalies: readonly Anomaly[];
  readonly signals: number;
  readonly update: UpdateDraft;
}

export type Proposal =
  | { readonly kind: 'proposed'; readonly rootCause: RootCause; readonly plan: DraftPlan; readonly update: UpdateDraft }
  | { readonly kind: 'nothingFits'; readonly rootCause: RootCause | null; readonly because: string };

export type Validation =
  | { readonly kind: 'allowed'; readonly plan: Plan; readonly digest: string; readonly confidence: Confidence }
  | { readonly kind: 'denied'; readonly because: readonly string[] }
  /** What the plan aims at is no longer there. */
  | { readonly kind: 'drifted'; readonly because: string };

/** Whether a plan may be run, or taken back, from here on: the record says so in one transaction. */
export type Claim = { readonly kind: 'claimed'; /** Whether what nobody approved is verified without a person who looks. */ readonly skipVerificationGate: boolean } | { readonly kind: 'refused'; readonly because: ClaimRefusal };

export type Rollback =
  | { readonly kind: 'rolledBack'; readonly update: UpdateDraft }
  /** Some of it could not be taken back: which, and why. */
  | { readonly kind: 'notRolledBack'; readonly because: readonly string[] };

export type Execution =
  | { readonly kind: 'executed'; readonly endedAtMs: number; readonly after: readonly Signal[]; readonly sampledMs: number; readonly update: UpdateDraft }
  /** Healthy again, so nothing was run. */
  | { readonly kind: 'recovered' }
  | { readonly kind: 'drifted'; readonly because: string }
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'failed'; readonly because: string; readonly changed: boolean }
  | { readonly kind: 'stopped'; readonly changed: boolean };

export type Verification =
  | { readonly kind: 'well'; readonly improvementPercent: number | null; readonly update: UpdateDraft }
  | { readonly kind: 'failed'; readonly unwell: readonly string[]; readonly update: UpdateDraft };

/** A gate's row as it is now; `approvals` are those that counted. */
export interface GateReading {
  readonly state: GateState;
  readonly mode: GateMode;
  readonly approvals: readonly Approval[];
  /** What supervisors said of it before approvals could count. */
  readonly reviews: readonly Approval[];
  /** Every signed decision that was recorded for its incident, so that a late notice of one is known. */
  readonly decisionIds: readonly string[];
  /** Who settled it and why; null while it is open and where nobody did. */
  readonly settledBy: Approval | null;
  /** The decision that settled it, where one did. */
  readonly settledById: string | null;
}

/** A plan that ran before the workflow was started anew, or may have, and the detection that it answered. */
export interface EarlierRun {
  readonly digest: string;
  readonly planVersion: number;
  readonly title: string;
  readonly hasWayBack: boolean;
  readonly isFullyReversible: boolean;
  readonly measurementId: string;
  readonly before: readonly Signal[];
}

/** Looks, never touches. Safe to repeat at any time. */
export interface ReadActivities {
  detectAnomalies(
    input: IncidentRef & {
      readonly targets: readonly string[] | null;
      readonly severityThreshold: Severity;
      /** Names this detection in the tail, in whatever run of the workflow. */
      readonly key: string;
      /** Looks without a word in the tail. */
      readonly quiet: boolean;
    },
  ): Promise<Detection>;
  sweepTargets(input: { readonly workspaceId: string }): Promise<{ readonly signals: number; readonly opened: readonly string[] }>;
}

/** Slow, and the answer is only a proposal. */
export interface ReasonActivities {
  proposeRemediation(
    input: IncidentRef & {
      readonly measurementId: string;
      readonly anomalies: readonly Anomaly[];
      /** Names this proposal in the tail. */
      readonly key: string;
    },
  ): Promise<Proposal>;
  validateRemediation(
    input: IncidentRef & { readonly plan: DraftPlan; readonly rootCause: Pick<RootCause, 'category' | 'details' | 'confidence'> },
  ): Promise<Validation>;
}

/** Changes a target, under a claim. Every step has a key, so repeating it changes nothing more. */
export interface ChangeActivities {
  executeRemediation(
    input: IncidentRef & {
      readonly gateId: string;
      readonly claimId: string;
      readonly digest: string;
      readonly before: readonly Signal[];
      readonly measurementId: string;
      readonly stabilizationMs: number;
    },
  ): Promise<Execution>;
  /** Puts back what the steps of a plan changed, last step first, and reads back that it is as it was. */
  rollBackRemediation(input: IncidentRef & { readonly claimId: string; readonly digest: string; readonly askedBy: Approval | null }): Promise<Rollback>;
}

/** Follows what was changed. Re-attaches after a crash and is not bounded as a whole. */
export interface WatchActivities {
  sampleSignals(input: SamplingInput): Promise<{ readonly samples: number }>;
  verifyRemediation(input: SamplingInput): Promise<Verification>;
}

export interface SamplingInput extends IncidentRef {
  readonly planVersion: number;
  readonly before: readonly Signal[];
  /** The detection that `before` is of; the record has the rest of it. */
  readonly measurementId: string;
  readonly stabilizationMs: number;
  /** Whether the plan ran to its end. One that did not gets no credit for what became well. */
  readonly succeeded: boolean;
  /** Who found it good, or asked to measure again. */
  readonly approvals: readonly Approval[];
  /** When execution ended, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** Writes down what the workflow itself decided. Short, so it runs as local activities. */
export interface RecordActivities {
  openGate(input: IncidentRef & { readonly gate: GateOpening; readonly update: UpdateDraft; readonly telling: Telling }): Promise<void>;
  /** With `settleAs`, settles the gate if it is still open; whatever it returns is the truth. */
  readGate(input: IncidentRef & { readonly gateId: string; readonly settleAs?: 'expired' | 'withdrawn' }): Promise<GateReading>;
  /** The last plan that ran for this incident and was not taken back, in whatever run of its workflow; null where none was. */
  readEarlierRun(input: IncidentRef): Promise<{ readonly run: EarlierRun | null; /** Who let a plan of it run alone. */ readonly brokeGlass: readonly string[] }>;
  /** Whether this decision is a person's recorded request to cancel. */
  readCancellation(input: IncidentRef & { readonly decisionId: string }): Promise<Approval | null>;
  /** `key` makes a repeat harmless. */
  recordUpdate(input: IncidentRef & { readonly key: string; readonly update: UpdateDraft; readonly telling: Telling | null }): Promise<void>;
  /** Verifies in one transaction that the gate's approval is signed and still good, and uses it up. `claimId` names who claims. */
  claimExecution(input: IncidentRef & { readonly gateId: string; readonly digest: string; readonly claimId: string }): Promise<Claim>;
  /** The same for taking a plan back. `policy` is that of the incident. */
  claimRollback(input: IncidentRef & { readonly digest: string; readonly claimId: string; readonly cause: RollbackCause; readonly policy: Policy }): Promise<Claim>;
  /** After an execution that nobody heard the end of: marks what was started as unknown and says whether anything was. */
  settleExecution(input: IncidentRef & { readonly digest: string }): Promise<{ readonly mayHaveChanged: boolean }>;
}

export interface CloseActivities {
  /** Ends a rollback after closing: the incident was taken back, or stays as it was. */
  closeRollback(input: IncidentRef & { readonly decisionId: string; readonly rolledBack: boolean; readonly summary: string }): Promise<UpdateDraft>;
  closeIncident(input: IncidentRef & { readonly outcome: Outcome; readonly summary: string }): Promise<UpdateDraft>;
}

export type Activities = ReadActivities & ReasonActivities & ChangeActivities & WatchActivities & RecordActivities & CloseActivities;
