import type { Confidence } from '../domain/confidence.js';
import type { GateOpening } from '../domain/gate.js';
import type { Outcome, Phase, UpdateDraft } from '../domain/incident.js';
import type { Plan, Step } from '../domain/plan.js';
import type { RootCause } from '../domain/root-cause.js';
import type { RemediationScript, TrackRecord } from '../domain/script-library.js';
import type { Severity } from '../domain/severity.js';
import type { Measurement } from '../domain/signal.js';
import type { Approval } from '../domain/updates.js';
import type { Target, Workspace } from '../domain/watch.js';
import type { GateReading, IncidentRef } from '../contracts/activities.js';

/** Measures targets. What cannot be measured comes back as a signal without a value and a fact that says why; it does not throw. */
export interface Detectors {
  measure(targets: readonly Target[], context: { readonly workspaceId: string; readonly incidentId: string | null }): Promise<Measurement>;
}

export interface Rehearsal {
  /** Whether everything that the step aims at is there. */
  readonly found: boolean;
  /** What it would touch, a line each. */
  readonly lines: readonly string[];
}

/** Runs steps on targets. */
export interface Executor {
  /** Reads what the step would touch; has no effect. */
  rehearse(workspaceId: string, step: Step): Promise<Rehearsal>;
  /**
   * Runs the step. Running it again under the same key must change nothing more.
   * Throws `Fault('outcomeUnknown')` when it may have had its effect and nobody can tell.
   */
  run(
    workspaceId: string,
    step: Step,
    options: { readonly key: string; readonly signal: AbortSignal; readonly onOutput: (line: string) => void },
  ): Promise<{ readonly ok: boolean; readonly summary: string }>;
}

/** What is watched, as it is configured now. Throws `Fault('targetMissing')` for what is not there. */
export interface Watch {
  readWorkspace(workspaceId: string): Workspace;
}

/** `void`: called off before it began; it can never begin any more. */
export type ExecutionState = 'claimed' | 'started' | 'succeeded' | 'failed' | 'unknown' | 'void';

export interface OutputRow {
  readonly key: string;
  readonly event: 'output';
  readonly body: { readonly output: { readonly stream: 'stdout' | 'stderr'; readonly text: string; readonly firstLine: number } };
}

/** The record of incidents. Every write may be repeated and then changes nothing. */
export interface Recorder {
  recordUpdate(incidentId: string, key: string, update: UpdateDraft): Promise<void>;
  /** Shows what is being done now, in lists and on the page; the tail says it when it is done. */
  showPhase(incidentId: string, phase: Phase): Promise<void>;
  appendOutput(incidentId: string, rows: readonly OutputRow[]): Promise<void>;
  saveMeasurement(row: {
    readonly id: string;
    readonly incidentId: string;
    readonly purpose: 'detection' | 'recheck' | 'verification';
    readonly planVersion: number;
    readonly measurement: Measurement;
  }): Promise<void>;
  readMeasurement(id: string): Promise<Measurement | undefined>;
  readSamples(incidentId: string, planVersion: number): Promise<readonly Measurement[]>;
  setSeverity(incidentId: string, severity: Severity, score: number): Promise<void>;
  setRootCause(incidentId: string, rootCause: RootCause): Promise<void>;
  listScripts(workspaceId: string): Promise<readonly RemediationScript[]>;
  readTrackRecords(workspaceId: string): Promise<Readonly<Record<string, TrackRecord>>>;
  /** One more than any plan of the incident has, from whatever run of its workflow. */
  nextPlanVersion(incidentId: string): Promise<number>;
  savePlan(row: {
    readonly plan: Plan;
    readonly category: RootCause['category'];
    readonly digest: string;
    readonly canonical: string;
    readonly confidence: Confidence;
    readonly rehearsal: readonly { readonly stepId: string; readonly lines: readonly string[] }[];
  }): Promise<void>;
  readPlan(incidentId: string, digest: string): Promise<{ readonly version: number; readonly canonical: string } | undefined>;
  markVerified(incidentId: string, planVersion: number, verifiedWell: boolean): Promise<void>;
  openGate(ref: IncidentRef, gate: GateOpening, update: UpdateDraft): Promise<void>;
  settleGate(incidentId: string, gateId: string, state: 'expired' | 'withdrawn'): Promise<void>;
  readGate(
    incidentId: string,
    gateId: string,
  ): Promise<(GateReading & { readonly digest: string | null; readonly planVersion: number | null }) | undefined>;
  readCancellation(incidentId: string, decisionId: string): Promise<Approval | undefined>;
  claimExecution(row: {
    readonly key: string;
    readonly incidentId: string;
    readonly gateId: string;
    readonly digest: string;
    readonly stepId: string;
  }): Promise<{ readonly state: ExecutionState; readonly result: string | null } | undefined>;
  /** False when it was called off meanwhile: then it must not be begun. */
  markStarted(key: string): Promise<boolean>;
  markEnded(key: string, state: 'succeeded' | 'failed', result: string): Promise<void>;
  readExecutionSpan(incidentId: string, digest: string): Promise<{ readonly claimedAt: Date; readonly endedAt: Date } | null>;
  settleExecution(incidentId: string, digest: string): Promise<boolean>;
  close(incidentId: string, outcome: Outcome, update: UpdateDraft): Promise<void>;
  openFromSweep(opening: {
    readonly id: string;
    readonly workspaceId: string;
    readonly trigger: 'schedule';
    readonly title: string;
    readonly fingerprint: string;
    readonly startedBy: null;
    readonly labels: Readonly<Record<string, string>>;
    readonly targets: readonly string[];
    readonly severityThreshold: Severity;
    readonly severity: Severity;
  }): Promise<{ readonly incidentId: string; readonly isNew: boolean }>;
  tellWell(workspaceId: string, unwellTargets: readonly string[], wellTargets: readonly string[]): Promise<void>;
}

export interface Ports {
  readonly detectors: Detectors;
  readonly executor: Executor;
  readonly watch: Watch;
  readonly recorder: Recorder;
  readonly now: () => Date;
}
