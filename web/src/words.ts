import type { Gate, IncidentDetail, IncidentSummary, IncidentUpdate, Me, RootCause, Signal } from './shapes.js';

export type Phase = IncidentSummary['phase'];
type Status = IncidentSummary['status'];
type Outcome = NonNullable<IncidentSummary['outcome']>;
export type Severity = NonNullable<IncidentSummary['severity']>;
export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'alarm';

/** In the order that an incident lives through them. */
export const phaseWords: Record<Phase, string> = {
  DETECTION: 'Detection',
  PROPOSAL_FIX: 'Proposal',
  EXECUTION_GATE: 'Execution gate',
  EXECUTION: 'Execution',
  VERIFICATION_GATE: 'Verification gate',
  VERIFICATION: 'Verification',
  CLOSED: 'Closed',
};

const statusWords: Record<Status, string> = {
  IN_PROGRESS: 'in progress',
  PENDING_HUMAN_APPROVAL: 'waits for approval',
  SUCCESS: 'done',
  FAILED: 'failed',
  REJECTED: 'rejected',
  EXPIRED: 'expired',
  NEEDS_HUMAN: 'needs a person',
};

export const outcomeWords: Record<Outcome, string> = {
  RESOLVED: 'Resolved',
  RECOVERED: 'Recovered',
  NOTHING_FOUND: 'Nothing found',
  REJECTED: 'Rejected',
  EXPIRED: 'Expired',
  ROLLED_BACK: 'Rolled back',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
  HANDED_OVER: 'Handed over',
};

export const outcomeSentence: Record<Outcome, string> = {
  RESOLVED: 'The plan ran and the signals stayed well.',
  RECOVERED: 'It became healthy by itself. Nothing was run.',
  NOTHING_FOUND: 'No signal was out of bounds. Nothing was run.',
  REJECTED: 'A person rejected the plan. Nothing was run.',
  EXPIRED: 'Nobody answered in time. Nothing was run.',
  ROLLED_BACK: 'What the plan had changed was taken back.',
  FAILED: 'Sluice could not go on. Nothing was changed.',
  CANCELLED: 'A person cancelled it before anything was changed.',
  HANDED_OVER: 'A person closed it and took it over.',
};

export const outcomeTone: Record<Outcome, Tone> = {
  RESOLVED: 'good',
  RECOVERED: 'good',
  NOTHING_FOUND: 'good',
  REJECTED: 'plain',
  EXPIRED: 'warn',
  ROLLED_BACK: 'plain',
  FAILED: 'bad',
  CANCELLED: 'plain',
  HANDED_OVER: 'warn',
};

export const severityTone: Record<Severity, Tone> = { LOW: 'plain', MEDIUM: 'warn', HIGH: 'bad', CRITICAL: 'alarm' };

export const triggerWords: Record<IncidentSummary['trigger'], string> = {
  alert: 'from an alert',
  person: 'started by a person',
  schedule: 'found by the schedule',
};

export const gateStateWords: Record<Gate['state'], string> = {
  open: 'open',
  approved: 'approved',
  rejected: 'rejected',
  changesRequested: 'changes requested',
  rollbackRequested: 'answered with a rollback',
  expired: 'expired',
  withdrawn: 'withdrawn',
};

export const categoryWords: Record<RootCause['category'], string> = {
  idleTransaction: 'Idle transaction',
  longRunningQuery: 'Long-running query',
  connectionExhaustion: 'Connections used up',
  massDeletion: 'Mass deletion',
  configuration: 'Configuration change',
  deployment: 'Deployment regression',
  podFailure: 'Pods in trouble',
  targetUnreachable: 'Target unreachable',
  serviceDegraded: 'Service degraded',
  activeIncident: 'Another active incident',
};

/** What kind of update it is, where it is more than a step of the story. */
export const kindWords: Partial<Record<IncidentUpdate['kind'], string>> = { rollback: 'Rollback', reconcile: 'Reconcile' };

type State = Pick<IncidentDetail, 'phase' | 'status' | 'outcome'>;

/** Whether it is closed and its fix is being taken back, or waits for a person who says how. */
export const isRollingBack = ({ status, outcome }: State): boolean => outcome !== null && (status === 'IN_PROGRESS' || status === 'NEEDS_HUMAN');

/** `Execution gate: waits for approval`, or how it ended. */
export function describeState(state: State): string {
  const { phase, status, outcome } = state;
  if (outcome === null) return `${phaseWords[phase]}: ${statusWords[status]}`;
  return `Closed: ${outcomeWords[outcome].toLowerCase()}${isRollingBack(state) ? `; rollback ${statusWords[status]}` : ''}`;
}

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** `a supervisor`, `an admin` */
export const withArticle = (word: string): string => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;

const rank: Record<Me['role'], number> = { executor: 0, agent: 0, viewer: 1, responder: 2, supervisor: 3, admin: 4 };

/** Whether the API would let this role; it decides, this only says so before the click. */
export const isAtLeast = (role: Me['role'], needed: Me['role']): boolean => rank[role] >= rank[needed];

const phaseIcon: Record<Phase, string> = {
  DETECTION: '🔍',
  PROPOSAL_FIX: '🤔',
  EXECUTION_GATE: '⏸️',
  EXECUTION: '🛠️',
  VERIFICATION_GATE: '⏸️',
  VERIFICATION: '🔍',
  CLOSED: '✅',
};

/** The icon that the tail has as text. */
export function toIcon({ phase, status, kind, details }: Pick<IncidentUpdate, 'phase' | 'status' | 'kind' | 'details'>): string {
  if (status === 'NEEDS_HUMAN' || kind === 'reconcile') return '🆘';
  if (status === 'FAILED') return '❌';
  if (status === 'REJECTED' || status === 'EXPIRED') return '⛔';
  if (kind === 'rollback') return '↩️';
  if (phase === 'DETECTION' && status === 'SUCCESS') return (details?.anomalies ?? 0) > 0 ? '⚠️' : '✅';
  return phaseIcon[phase];
}

/** `2450 ms`, `14`, `99.5 %`, or `not measured`. */
export function formatValue(value: number | null, unit: Signal['unit']): string {
  if (value === null) return 'not measured';
  const rounded = value >= 100 ? Math.round(value) : Number(value.toFixed(1));
  return `${rounded}${{ ms: ' ms', count: '', percent: ' %' }[unit]}`;
}

/** The two largest units that matter: `42s`, `3m`, `2h5m`, `3d4h`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${minutes % 60 === 0 ? '' : `${minutes % 60}m`}`;
  return `${Math.floor(hours / 24)}d${hours % 24 === 0 ? '' : `${hours % 24}h`}`;
}
