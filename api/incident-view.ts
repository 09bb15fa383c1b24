import type { Gate, IncidentDetail, IncidentSummary, Plan } from '../contracts/http.js';
import { incidentWorkflowId } from '../contracts/messages.js';
import { toCounted } from '../db/gate-records.js';
import type { DetailRow, SummaryRow } from '../db/incident-reads.js';
import { findAnomalies } from '../domain/anomaly.js';
import type { GateState } from '../domain/gate.js';
import type { Plan as DomainPlan } from '../domain/plan.js';
import { toConfirmation } from '../domain/policy.js';
import { signalId } from '../domain/signal.js';

export interface TemporalUi {
  readonly url: string;
  readonly namespace: string;
}

export const toIncidentSummary = (row: SummaryRow): IncidentSummary => ({
  ...row,
  openedAt: row.openedAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  closedAt: row.closedAt?.toISOString() ?? null,
});

export function toIncidentDetail({ incident, plan, gate, said, detection, now, lastRun }: DetailRow, temporalUi: TemporalUi | null): IncidentDetail {
  const { rootCause, ...summary } = incident;
  const before = findAnomalies(detection?.signals ?? []).map(({ signal }) => signal);
  return {
    ...toIncidentSummary(summary),
    rootCause: rootCause && toRootCause(rootCause),
    plan: plan === undefined ? null : toPlan(plan),
    gate: gate === undefined ? null : toGate(gate, said, plan),
    before,
    now: before.flatMap((signal) => now?.signals.find((candidate) => signalId(candidate) === signalId(signal)) ?? []),
    measuredAt: now?.measuredAt.toISOString() ?? null,
    canRollBackUntil: lastRun === undefined || lastRun.wasRolledBack || lastRun.keptUntil < new Date() ? null : lastRun.keptUntil.toISOString(),
    temporalUrl: temporalUi && toTemporalUrl(temporalUi, incident),
  };
}

const toRootCause = (cause: NonNullable<DetailRow['incident']['rootCause']>): NonNullable<IncidentDetail['rootCause']> => ({
  category: cause.category,
  details: cause.details,
  confidence: cause.confidence,
  affectedSystems: [...cause.affectedSystems],
  evidence: [...cause.evidence],
  suggestedActions: [...cause.suggestedActions],
});

function toPlan(row: NonNullable<DetailRow['plan']>): Plan {
  // What people are shown is read from the very text that the digest is made over.
  const plan = JSON.parse(row.canonical) as DomainPlan;
  return {
    version: row.version,
    digest: row.digest,
    title: plan.title,
    risk: plan.risk,
    estimatedDurationMs: plan.estimatedDurationMs,
    steps: plan.steps.map(({ stepId, type, target, script, parameters, reach, findings, queue, sandbox, wayBack }) => ({
      stepId,
      type,
      target,
      script,
      parameters: [...parameters],
      reach,
      findings: [...findings],
      queue,
      sandbox: sandbox && { ...sandbox, paths: [...sandbox.paths], secrets: [...sandbox.secrets] },
      wayBack,
    })),
    confidence: { ...row.confidence, factors: [...row.confidence.factors], caps: [...row.confidence.caps] },
    rehearsal: row.rehearsal.map(({ stepId, lines }) => ({ stepId, lines: [...lines] })),
  };
}

const settlingVerdict: Partial<Record<GateState, string>> = { rejected: 'reject', changesRequested: 'requestChanges', rollbackRequested: 'rollBack' };

function toGate(row: NonNullable<DetailRow['gate']>, said: DetailRow['said'], plan: DetailRow['plan']): Gate {
  const approvals = toCounted(said, row.settledAt).map(toApproval);
  const reviews = said.filter(({ verdict }) => verdict === 'review').map(toApproval);
  const settling = said.find(({ verdict }) => verdict === settlingVerdict[row.state]);
  return {
    id: row.id,
    kind: row.kind,
    mode: row.mode,
    state: row.state,
    digest: row.digest,
    planVersion: row.planVersion,
    offersRollback: row.offersRollback,
    approvalsNeeded: row.approvalsNeeded,
    roleNeeded: row.roleNeeded,
    reviewNeeded: row.reviewNeeded,
    excluded: [...row.excluded],
    confirmation: plan === undefined || plan.digest !== row.digest ? null : toConfirmation(row.kind, JSON.parse(plan.canonical) as DomainPlan),
    approvals,
    reviews,
    settledBy: row.state === 'approved' ? (approvals.at(-1) ?? null) : settling === undefined ? null : toApproval(settling),
    openedAt: row.openedAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    updateId: row.updateId,
  };
}

const toApproval = ({ person, role, reason, createdAt }: DetailRow['said'][number]) => ({ person, role, reason, at: createdAt.toISOString() });

const toTemporalUrl = ({ url, namespace }: TemporalUi, { workspaceId, id }: { readonly workspaceId: string; readonly id: string }): string =>
  `${url.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(incidentWorkflowId(workspaceId, id))}`;
