import type { Anomaly } from './anomaly.js';
import type { Confidence } from './confidence.js';
import { formatDuration } from './duration.js';
import type { Outcome, UpdateDraft } from './incident.js';
import { toUpdate } from './incident.js';
import type { Plan } from './plan.js';
import type { Ruling } from './policy.js';
import type { RootCause } from './root-cause.js';
import type { Severity } from './severity.js';
import type { Signal } from './signal.js';
import { formatValue, signalId } from './signal.js';

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
const lines = (...parts: readonly (string | readonly string[])[]): string => parts.flat().join('\n');

/** `2026-11-24 09:00 UTC` */
export const formatMoment = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export const formatDigest = (digest: string): string => `${digest.slice(0, 4)}…`;

export const detecting = (signals: number): UpdateDraft =>
  toUpdate({ phase: 'DETECTION', status: 'IN_PROGRESS', actor: 'AI_AGENT', text: `Measuring ${count(signals, 'signal')}` });

export function detected(anomalies: readonly Anomaly[], signals: number): UpdateDraft {
  const [worst] = anomalies;
  if (worst === undefined) {
    return toUpdate({ phase: 'DETECTION', actor: 'AI_AGENT', text: `No anomaly, ${count(signals, 'signal')} well`, details: { anomalies: 0 } });
  }
  return toUpdate({
    phase: 'DETECTION',
    actor: 'AI_AGENT',
    text: lines(
      `${count(anomalies.length, 'anomaly', 'anomalies')}, highest severity ${worst.score}/10 (${worst.severity})`,
      anomalies.map(
        ({ signal }) =>
          `- ${signal.title} ${formatValue(signal.value, signal.unit)} (threshold ${formatValue(signal.threshold, signal.unit)})`,
      ),
    ),
    details: { anomalies: anomalies.length, severity: worst.severity },
  });
}

export const rootCauseFound = (cause: RootCause): UpdateDraft =>
  toUpdate({ phase: 'PROPOSAL_FIX', actor: 'AI_AGENT', text: `Root cause: ${cause.details} (confidence ${cause.confidence})` });

export interface GateFacts {
  readonly gateId: string;
  readonly severity: Severity;
  readonly score: number;
  readonly plan: Plan;
  readonly digest: string;
  readonly confidence: Confidence;
  readonly expiresAt: Date;
}

/** Whether a plan can be taken back, and which of its steps cannot. */
export function formatWayBack({ steps }: Pick<Plan, 'steps'>): string {
  const oneWay = steps.filter(({ wayBack }) => wayBack.kind === 'oneWay');
  const [snapshot] = steps.flatMap(({ wayBack }) => (wayBack.kind === 'snapshot' ? [wayBack] : []));
  if (snapshot === undefined) return 'none (one-way)';
  const kept = `rollback, kept for ${formatDuration(snapshot.keptMs)}`;
  return oneWay.length === 0 ? kept : `${kept}; step ${oneWay.map(({ stepId }) => stepId).join(', ')} cannot be undone`;
}

/** Whom a plan waits for, or what happens without them. */
export function formatRuling(ruling: Ruling, authors: readonly string[]): string {
  if (ruling.kind === 'forbid') return `The policy does not allow it: ${ruling.because}`;
  const others = authors.length === 0 ? '' : `, not ${authors.join(', ')} who wrote it`;
  const people = `${count(ruling.approvalsNeeded, ruling.roleNeeded)}${others}${ruling.reviewNeeded ? ", after a supervisor's review" : ''}`;
  switch (ruling.kind) {
    case 'gate':
      return `Waits for ${people}`;
    case 'auto':
      return 'The policy lets it run by itself';
    case 'observe':
      return `Observe mode: nothing is run. It would wait for ${people}`;
  }
}

export const executionGateOpened = (gate: GateFacts): UpdateDraft =>
  toUpdate({
    phase: 'EXECUTION_GATE',
    status: gate.plan.ruling.kind === 'gate' ? 'PENDING_HUMAN_APPROVAL' : 'IN_PROGRESS',
    text: lines(
      `${{ gate: 'Action required', auto: 'Sure enough to run', observe: 'Would run' }[gate.plan.ruling.kind]}. Severity ${gate.score}/10 (${gate.severity})`,
      `Proposed remediation: ${gate.plan.title}, ${count(gate.plan.steps.length, 'step')}, digest ${formatDigest(gate.digest)}`,
      `Risk: ${gate.plan.risk}. Estimated duration: ${formatDuration(gate.plan.estimatedDurationMs)}. Way back: ${formatWayBack(gate.plan)}`,
      `Confidence ${gate.confidence.value} (${gate.confidence.tier}). ${formatRuling(gate.plan.ruling, gate.plan.authors)}${gate.plan.ruling.kind === 'gate' ? ` until ${formatMoment(gate.expiresAt)}` : ''}`,
    ),
    details: {
      gateId: gate.gateId,
      severity: gate.severity,
      planVersion: gate.plan.version,
      digest: gate.digest,
      confidence: gate.confidence.value,
    },
  });

/** One person's counted answer, as the tail and the audit need it. `at` is RFC 3339. */
export interface Approval {
  readonly person: string;
  readonly role: string;
  readonly reason: string | null;
  readonly at: string;
  /** Let it run alone, where the policy asks for more. */
  readonly brokeGlass?: true;
}

/** Who approved, when the last of them did, and why. */
const toApprovedBy = (approvals: readonly Approval[]): Pick<UpdateDraft, 'approvedBy' | 'approvedAt' | 'reason'> => ({
  approvedBy: approvals.length === 0 ? null : approvals.map(({ person }) => person).join(', '),
  approvedAt: approvals.at(-1)?.at ?? null,
  reason: approvals.at(-1)?.reason ?? null,
});

const formatApproval = ({ person, role, reason, brokeGlass }: Approval): string =>
  `${person} (${role})${brokeGlass === true ? ' alone, breaking the glass' : ''}${reason === null ? '' : `: "${reason}"`}`;

export const executed = (input: {
  readonly approvals: readonly Approval[];
  readonly output: readonly string[];
  readonly linesLeftOut: number;
  readonly ok: boolean;
  readonly durationMs: number;
}): UpdateDraft =>
  toUpdate({
    phase: 'EXECUTION',
    status: input.ok ? 'SUCCESS' : 'FAILED',
    text: lines(
      `Approved by ${input.approvals.map(formatApproval).join(', ')}`,
      input.output.length === 0 ? [] : 'Execution log:',
      input.linesLeftOut === 0 ? [] : `| … ${count(input.linesLeftOut, 'line')} before`,
      input.output.map((line) => `| ${line}`),
      `Status: ${input.ok ? 'SUCCESS ✅' : 'FAILED ❌'} in ${formatDuration(input.durationMs)}`,
    ),
    approvedBy: input.approvals.map(({ person }) => person).join(', '),
    approvedAt: input.approvals.at(-1)?.at ?? null,
    reason: input.approvals.at(-1)?.reason ?? null,
  });

/** One person's answer that counted and did not settle the gate. */
export const answered = (phase: UpdateDraft['phase'], approval: Approval, text: string): UpdateDraft =>
  toUpdate({
    phase,
    status: 'PENDING_HUMAN_APPROVAL',
    kind: 'decision',
    actor: 'HUMAN_USER',
    text: `${text} ${formatApproval(approval)}`,
    approvedBy: approval.person,
    approvedAt: approval.at,
    reason: approval.reason,
  });

/** A plan that was approved while another incident changes its target. */
export const waitsForTarget = (title: string): UpdateDraft =>
  toUpdate({ phase: 'EXECUTION', status: 'IN_PROGRESS', text: `${title} waits: another incident is changing the same target (targetBusy)` });

/** A plan that the policy would have let run by itself, and does not any more. */
export const leftToPeople = (
  { phase }: Pick<UpdateDraft, 'phase'>,
  { gateId, approvalsNeeded, roleNeeded, expiresAt }: { readonly gateId: string; readonly approvalsNeeded: number; readonly roleNeeded: string; readonly expiresAt: string | null },
): UpdateDraft =>
  toUpdate({
    phase,
    status: 'PENDING_HUMAN_APPROVAL',
    text: `Left to people: it does not run by itself any more. Waits for ${count(approvalsNeeded, roleNeeded)}${expiresAt === null ? '' : ` until ${formatMoment(new Date(expiresAt))}`}`,
    details: { gateId },
  });

/** A plan that runs on the word of the policy, or of one person alone. */
export const runsUnasked = (title: string, approval: Approval): UpdateDraft =>
  toUpdate({
    phase: 'EXECUTION',
    status: 'IN_PROGRESS',
    kind: 'decision',
    actor: approval.brokeGlass === true ? 'HUMAN_USER' : 'SYSTEM',
    text: approval.brokeGlass === true ? `${title} runs on the word of ${formatApproval(approval)}` : `${title} runs by itself, as the policy says`,
    ...toApprovedBy([approval]),
  });

/** A gate that still waits; `called` is who is told of it. */
export const stillWaiting = (
  { phase, status }: Pick<UpdateDraft, 'phase' | 'status'>,
  gate: { readonly gateId: string; readonly approvalsNeeded: number; readonly roleNeeded: string; readonly offersRollback: boolean; readonly expiresAt: string | null },
  waitedMs: number,
  called: string,
): UpdateDraft =>
  toUpdate({
    phase,
    status,
    text: lines(
      `Still waiting after ${formatDuration(waitedMs)} for ${gate.approvalsNeeded === 1 ? 'a' : gate.approvalsNeeded} ${gate.roleNeeded}` +
        (gate.expiresAt === null ? '' : `, until ${formatMoment(new Date(gate.expiresAt))}`),
      `Called: ${called}${gate.offersRollback ? '. What was run can be taken back' : ''}`,
    ),
    details: { gateId: gate.gateId },
  });

/** A plan that was approved and overtaken before it began. */
export const notRun = (approvals: readonly Approval[], because: string): UpdateDraft =>
  toUpdate({
    phase: 'EXECUTION',
    status: 'REJECTED',
    text: lines(approvals.length === 0 ? [] : `Approved by ${approvals.map(formatApproval).join(', ')}`, `${because}. Nothing was run; a new plan is made`),
    ...toApprovedBy(approvals),
  });

/** A plan that was taken back. `oneWay` are the steps that nothing brings back. */
export const rolledBack = (input: {
  readonly title: string;
  readonly askedBy: Approval | null;
  readonly output: readonly string[];
  readonly oneWay: readonly string[];
  readonly durationMs: number;
}): UpdateDraft =>
  toUpdate({
    phase: 'EXECUTION',
    kind: 'rollback',
    text: lines(
      `Took back ${input.title}`,
      input.askedBy === null ? 'As the policy says after a verification that failed' : `Asked for by ${formatApproval(input.askedBy)}`,
      input.output.length === 0 ? [] : 'Execution log:',
      input.output.map((line) => `| ${line}`),
      input.oneWay.length === 0 ? [] : `Cannot be undone and stays: ${input.oneWay.join(', ')}`,
      `Status: SUCCESS ✅ in ${formatDuration(input.durationMs)}`,
    ),
    approvedBy: input.askedBy?.person ?? null,
    approvedAt: input.askedBy?.at ?? null,
    reason: input.askedBy?.reason ?? null,
  });

/** A person asked to take back what a closed incident had changed. */
export const rollbackAsked = (approval: Approval): UpdateDraft =>
  toUpdate({ phase: 'CLOSED', status: 'IN_PROGRESS', kind: 'rollback', actor: 'HUMAN_USER', text: `Rollback asked for by ${formatApproval(approval)}`, reason: approval.reason });

/** How a rollback of a closed incident ended. */
export const rollbackClosed = (succeeded: boolean, summary: string): UpdateDraft =>
  succeeded
    ? { ...closed('ROLLED_BACK', summary), kind: 'rollback' }
    : toUpdate({ phase: 'CLOSED', status: 'REJECTED', kind: 'rollback', text: `Not rolled back. ${summary}` });

const compare = (before: readonly Signal[], after: readonly Signal[]): readonly string[] =>
  before.map((signal) => {
    const now = after.find((candidate) => signalId(candidate) === signalId(signal));
    return `${signal.title} ${formatValue(signal.value, signal.unit)} → ${formatValue(now?.value ?? null, signal.unit)}`;
  });

export function verificationGateOpened(input: {
  readonly gateId: string;
  readonly before: readonly Signal[];
  readonly after: readonly Signal[];
  readonly sampledMs: number;
}): UpdateDraft {
  const [first = 'Nothing to compare', ...rest] = compare(input.before, input.after);
  return toUpdate({
    phase: 'VERIFICATION_GATE',
    status: 'PENDING_HUMAN_APPROVAL',
    text: lines(`${first}, sampled for ${formatDuration(input.sampledMs)}`, rest),
    details: { gateId: input.gateId },
  });
}

const signed = (percent: number): string => `${percent < 0 ? '' : '+'}${percent}%`;

export const verified = (stabilizationMs: number, improvementPercent: number | null, approvals: readonly Approval[]): UpdateDraft =>
  toUpdate({
    phase: 'VERIFICATION',
    actor: 'AI_AGENT',
    text: lines(
      `All signals well for ${formatDuration(stabilizationMs)}.${improvementPercent === null ? '' : ` Improvement: ${signed(improvementPercent)}`}`,
      approvals.length === 0 ? [] : `Asked for by ${approvals.map(formatApproval).join(', ')}`,
    ),
    details: improvementPercent === null ? null : { improvementPercent },
    ...toApprovedBy(approvals),
  });

export const notVerified = (unwell: readonly string[], triedForMs: number): UpdateDraft =>
  toUpdate({
    phase: 'VERIFICATION',
    status: 'FAILED',
    actor: 'AI_AGENT',
    text: lines(`Not well after ${formatDuration(triedForMs)}`, unwell.map((title) => `- ${title}`)),
  });

export const needsHuman = (phase: UpdateDraft['phase'], gateId: string, because: readonly string[], kind: UpdateDraft['kind']): UpdateDraft =>
  toUpdate({ phase, status: 'NEEDS_HUMAN', kind, text: lines(because), details: { gateId } });

const outcomeStatus: Record<Outcome, UpdateDraft['status']> = {
  RESOLVED: 'SUCCESS',
  RECOVERED: 'SUCCESS',
  NOTHING_FOUND: 'SUCCESS',
  HANDED_OVER: 'SUCCESS',
  ROLLED_BACK: 'SUCCESS',
  REJECTED: 'REJECTED',
  CANCELLED: 'REJECTED',
  EXPIRED: 'EXPIRED',
  FAILED: 'FAILED',
};

export const closed = (outcome: Outcome, summary: string): UpdateDraft =>
  toUpdate({ phase: 'CLOSED', status: outcomeStatus[outcome], text: `${outcome}. ${summary}`, details: { outcome } });

/** The last line of a RESOLVED incident. */
export const summarize = (anomalies: number, title: string, succeeded: boolean, improvementPercent: number | null): string =>
  `Detected ${count(anomalies, 'anomaly', 'anomalies')}, ${succeeded ? `executed ${title}` : `${title} did not run to its end and people went on`}, ` +
  `${improvementPercent === null ? '' : `improved by ${improvementPercent}%, `}stable`;
