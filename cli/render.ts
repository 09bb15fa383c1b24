import type { IncidentDetail, IncidentSummary, TailEntry } from '../contracts/http.js';
import { formatDuration } from '../domain/duration.js';
import { formatValue } from '../domain/signal.js';
import { formatUpdate } from '../domain/tail-text.js';
import { formatMoment } from '../domain/updates.js';

/** Text from outside must not move the cursor, colour the screen or turn the direction of what is beside it. Lines and tabs stay. */
export const toPlainText = (text: string): string => text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (sign) => (sign === '\n' || sign === '\t' ? sign : '\ufffd'));

type Step = NonNullable<IncidentDetail['plan']>['steps'][number];

const at = (moment: string): string => formatMoment(new Date(moment));
const indent = (lines: readonly string[], by: number): readonly string[] => lines.flatMap((line) => line.split('\n').map((part) => `${' '.repeat(by)}${part}`));

/** One entry as the terminal shows it; nothing for the one that only says that it is done. */
export function renderEntry(entry: TailEntry): string | undefined {
  if (entry.event === 'update') return toPlainText(formatUpdate(entry.data));
  if (entry.event === 'done') return undefined;
  const lines = entry.data.text.replace(/\n$/, '').split('\n');
  return toPlainText(lines.map((line) => `   | ${line}`).join('\n'));
}

export function renderList(incidents: readonly IncidentSummary[]): string {
  if (incidents.length === 0) return 'No incidents';
  const rows = incidents.map(({ id, phase, status, outcome, severity, openedAt, title }) => [id, at(openedAt), severity ?? '-', outcome ?? `${phase} [${status}]`, title]);
  return renderTable(rows);
}

/** Rows of as many cells each, below each other. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return toPlainText(rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n'));
}

export function renderIncident(incident: IncidentDetail): string {
  const { id, title, phase, status, outcome, severity, score, openedAt, rootCause, before, now } = incident;
  const signals = before.map((signal) => {
    const current = now.find(({ target, name }) => target === signal.target && name === signal.name);
    return `${signal.title} ${formatValue(signal.value, signal.unit)} → ${formatValue(current?.value ?? null, signal.unit)} (threshold ${formatValue(signal.threshold, signal.unit)})`;
  });
  const lines = [
    title,
    `  id        ${id}`,
    `  phase     ${phase} [${status}]${outcome === null ? '' : ` ${outcome}`}`,
    `  severity  ${severity === null ? 'not known yet' : `${score}/10 (${severity})`}`,
    `  opened    ${at(openedAt)}`,
    ...(rootCause === null ? [] : [`  cause     ${rootCause.details} (confidence ${rootCause.confidence})`]),
    ...signals.map((signal) => `  signal    ${signal}`),
    ...renderRollback(incident),
    ...renderPlan(incident),
    ...renderGate(incident),
  ];
  return toPlainText(lines.join('\n'));
}

/** Until when what a closed incident had changed can be taken back. */
const renderRollback = ({ id, outcome, canRollBackUntil }: IncidentDetail): readonly string[] =>
  outcome === null || canRollBackUntil === null ? [] : [`  way back  until ${at(canRollBackUntil)}: sluice rollback ${id} --reason TEXT`];

/** `cannot be undone: why`, or for how long it can. */
const describeWayBack = ({ wayBack }: Step): string =>
  wayBack.kind === 'oneWay' ? `cannot be undone: ${wayBack.because}` : `can be taken back until it is ${formatDuration(wayBack.keptMs)} old`;

function renderPlan({ plan }: IncidentDetail): readonly string[] {
  if (plan === null) return [];
  const steps = plan.steps.flatMap((step) => [
    `  ${step.stepId}. ${step.type} on ${step.target}, reach ${step.reach}${step.queue === null ? '' : `, run by the executor worker ${step.queue}`}`,
    ...indent([describeWayBack(step), ...step.findings.map(({ rule, reason }) => `look twice: ${reason} (${rule})`)], 5),
    ...indent([step.script, ...step.parameters.map((value, index) => `$${index + 1} = ${value}`)], 5),
    ...indent(plan.rehearsal.find(({ stepId }) => stepId === step.stepId)?.lines ?? [], 5),
  ]);
  return [
    `Plan ${plan.version}: ${plan.title}, risk ${plan.risk}, confidence ${plan.confidence.value} (${plan.confidence.tier})`,
    ...plan.confidence.caps.map(({ name, atMost }) => `  at most ${atMost}: ${name}`),
    `  digest ${plan.digest}`,
    ...steps,
  ];
}

const modeWords = { people: 'waits for', policy: 'the policy lets it run by itself; else waits for', nobody: 'only observed; would wait for' } as const;

function renderGate({ id, gate }: IncidentDetail): readonly string[] {
  if (gate === null) return [];
  const said = gate.approvals.map(({ person, role, reason }) => `  approved by ${person} (${role})${reason === null ? '' : `: "${reason}"`}`);
  if (gate.state !== 'open') return [`Gate: ${gate.kind}, ${gate.state}`, ...said];
  const until = gate.expiresAt === null ? '' : ` until ${at(gate.expiresAt)}`;
  return [
    `Gate: ${gate.kind}, ${modeWords[gate.mode]} ${gate.approvalsNeeded} × ${gate.roleNeeded}${until}`,
    ...(gate.excluded.length === 0 ? [] : [`  not ${gate.excluded.join(', ')}`]),
    ...(gate.reviewNeeded && gate.reviews.length === 0 ? [`  low confidence, so first: sluice review ${id} --reason TEXT, as a supervisor`] : []),
    ...gate.reviews.map(({ person, role, reason }) => `  reviewed by ${person} (${role}): "${reason}"`),
    ...(gate.digest === null ? [] : [`  digest ${gate.digest}`]),
    ...(gate.confirmation === null ? [] : [`  to approve, type ${gate.confirmation}`]),
    ...(gate.offersRollback ? [`  what was run can be taken back: sluice rollback ${id} --reason TEXT${gate.kind === 'verification' ? ', or by rejecting it' : ''}`] : []),
    ...said,
  ];
}
