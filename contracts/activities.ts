import type { Anomaly } from '../domain/anomaly.js';
import type { Confidence } from '../domain/confidence.js';
import type { GateOpening, GateState } from '../domain/gate.js';
import type { Outcome, UpdateDraft } from '../domain/incident.js';
import type { Plan } from '../domain/plan.js';
import type { Ruling } from '../domain/policy.js';
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
  | { readonly kind: 'proposed'; readonly rootCause: RootCause; readonly plan: Plan; readonly update: UpdateDraft }
  | { readonly kind: 'nothingFits'; readonly rootCause: RootCause | null; readonly because: string };

export type Validation =
  | { readonly kind: 'allowed'; readonly digest: string; readonly confidence: Confidence; readonly ruling: Extract<Ruling, { kind: 'gate' }> }
  | { readonly kind: 'denied'; readonly because: readonly string[] }
  /** What the plan aims at is no longer there. */
  | { readonly kind: 'drifted'; readonly because: string };

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
  readonly approvals: readonly Approval[];
  /** Every decision that was recorded for its incident, so that a late notice of one is known. */
  readonly decisionIds: readonly string[];
  /** Who settled it and why; null while it is open and where nobody did. */
  readonly settledBy: Approval | null;
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
      readonly policyVersion: string;
    },
  ): Promise<Proposal>;
  validateRemediation(
    input: IncidentRef & { readonly plan: Plan; readonly rootCause: Pick<RootCause, 'category' | 'details' | 'confidence'> },
  ): Promise<Validation>;
}

/** Changes a target. Every step has a key, so repeating it changes nothing more. */
export interface ChangeActivities {
  executeRemediation: (
    input: IncidentRef & { readonly gateId: string; readonly digest: string; readonly before: readonly Signal[]; readonly stabilizationMs: number },
  ) => Promise<Execution>;
}

/** Follows what was changed. Re-attaches after a crash and is not bounded as a whole. */
export interface WatchActivities {
  sampleSignals(input: SamplingInput): Promise<{ readonly samples: number }>;
  verifyRemediation(input: SamplingInput): Promise<Verification>;
}

export interface SamplingInput extends IncidentRef {
  readonly planVersion: number;
  readonly before: readonly Signal[];
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
  openGate(input: IncidentRef & { readonly gate: GateOpening; readonly update: UpdateDraft }): Promise<void>;
  /** With `settleAs`, settles the gate if it is still open; whatever it returns is the truth. */
  readGate(input: IncidentRef & { readonly gateId: string; readonly settleAs?: 'expired' | 'withdrawn' }): Promise<GateReading>;
  /** Whether this decision is a person's recorded request to cancel. */
  readCancellation(input: IncidentRef & { readonly decisionId: string }): Promise<Approval | null>;
  /** `key` makes a repeat harmless. */
  recordUpdate(input: IncidentRef & { readonly key: string; readonly update: UpdateDraft }): Promise<void>;
  /** After an execution that nobody heard the end of: marks what was started as unknown and says whether anything was. */
  settleExecution(input: IncidentRef & { readonly digest: string }): Promise<{ readonly mayHaveChanged: boolean }>;
}

export interface CloseActivities {
  closeIncident(input: IncidentRef & { readonly outcome: Outcome; readonly summary: string }): Promise<UpdateDraft>;
}

export type Activities = ReadActivities & ReasonActivities & ChangeActivities & WatchActivities & RecordActivities & CloseActivities;
