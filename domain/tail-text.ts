import type { Phase, UpdateDraft } from './incident.js';

const phaseIcon: Record<Phase, string> = {
  DETECTION: '🔍',
  PROPOSAL_FIX: '🤔',
  EXECUTION_GATE: '⏸️',
  EXECUTION: '🛠️',
  VERIFICATION_GATE: '⏸️',
  VERIFICATION: '🔍',
  CLOSED: '✅',
};

function toIcon({ phase, status, kind, details }: UpdateDraft): string {
  if (status === 'NEEDS_HUMAN' || kind === 'reconcile') return '🆘';
  if (status === 'FAILED') return '❌';
  if (status === 'REJECTED' || status === 'EXPIRED') return '⛔';
  if (kind === 'rollback') return '↩️';
  if (phase === 'DETECTION' && status === 'SUCCESS') return (details?.anomalies ?? 0) > 0 ? '⚠️' : '✅';
  return phaseIcon[phase];
}

/** One update of the job tail as text: icon, phase and status, and below it what a person needs, indented. */
export function formatUpdate(update: UpdateDraft): string {
  const body = update.text.split('\n').map((line) => `   ${line}`);
  return [`${toIcon(update)} ${update.phase} [${update.status}]`, ...body].join('\n');
}
