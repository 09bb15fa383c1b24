import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Anomaly } from '../domain/anomaly.js';
import type { GateKind } from '../domain/gate.js';
import type { Outcome, Phase, Status, Trigger, UpdateDraft } from '../domain/incident.js';
import type { DraftPlan } from '../domain/plan.js';
import type { Policy } from '../domain/policy.js';
import type { RootCause } from '../domain/root-cause.js';
import type { Severity } from '../domain/severity.js';
import type { Approval } from '../domain/updates.js';

export const taskQueue = 'sluice';

export interface IncidentInput {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly trigger: Trigger;
  /** Anomalies below it do not count. */
  readonly severityThreshold: Severity;
  /** null: every target of the workspace. */
  readonly targets: readonly string[] | null;
  /** Its waits and rounds are those of the incident; who may decide is asked anew for each plan. */
  readonly policy: Policy;
}

/** Takes back what a closed incident had changed, as the decision asks. */
export interface RollbackInput {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly decisionId: string;
  readonly digest: string;
  readonly title: string;
  readonly askedBy: Approval;
  readonly policy: Policy;
}

export interface SweepInput {
  readonly workspaceId: string;
}

/** One incident, one workflow: the id is what makes a second start harmless. */
export const incidentWorkflowId = (workspaceId: string, incidentId: string): string => `incident:${workspaceId}:${incidentId}`;
/** One at a time: a second request finds the one that runs. */
export const rollbackWorkflowId = (workspaceId: string, incidentId: string): string => `rollback:${workspaceId}:${incidentId}`;
export const sweepScheduleId = (workspaceId: string): string => `sweep:${workspaceId}`;

/** Says that a decision was recorded, or that a gate's row changed, whose id it has then. Only the rows in Postgres count, so a forged signal changes nothing. */
export interface DecisionNotice {
  readonly decisionId: string;
}

export const executionGateSignal = defineSignal<[DecisionNotice]>('executionGate');
export const verificationGateSignal = defineSignal<[DecisionNotice]>('verificationGate');
export const needsHumanGateSignal = defineSignal<[DecisionNotice]>('needsHumanGate');
export const cancelSignal = defineSignal<[DecisionNotice]>('cancel');
/** The sender, or our own sweep, says that the trouble is over. It is measured before anyone believes it. */
export const resolvedSignal = defineSignal('resolved');

export const signalNameOf: Record<GateKind, string> = {
  execution: executionGateSignal.name,
  verification: verificationGateSignal.name,
  needsHuman: needsHumanGateSignal.name,
};

/** The whole of a running incident, for a query. */
export interface IncidentView {
  readonly phase: Phase;
  readonly status: Status;
  readonly outcome: Outcome | null;
  readonly anomalies: readonly Anomaly[];
  readonly rootCause: Pick<RootCause, 'category' | 'details' | 'confidence'> | null;
  readonly plan: DraftPlan | null;
  readonly digest: string | null;
  readonly gate: { readonly gateId: string; readonly kind: GateKind } | null;
  readonly round: number;
  readonly lastUpdates: readonly UpdateDraft[];
}

export const viewQuery = defineQuery<IncidentView>('view');
