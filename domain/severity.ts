export const severities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
export type Severity = (typeof severities)[number];

const floor: Record<Severity, number> = { CRITICAL: 8, HIGH: 6, MEDIUM: 4, LOW: 0 };
const bySev: Record<string, Severity> = { 'SEV-0': 'CRITICAL', 'SEV-1': 'HIGH', 'SEV-2': 'MEDIUM', 'SEV-3': 'LOW' };
const bySender: Record<string, Severity> = { page: 'CRITICAL', error: 'HIGH', warning: 'MEDIUM', warn: 'MEDIUM', info: 'LOW', none: 'LOW' };

/** The severity of a score from 0 to 10. */
export function toSeverity(score: number): Severity {
  if (score >= floor.CRITICAL) return 'CRITICAL';
  if (score >= floor.HIGH) return 'HIGH';
  return score >= floor.MEDIUM ? 'MEDIUM' : 'LOW';
}

export const isAtLeastAsSevere = (severity: Severity, than: Severity): boolean => floor[severity] >= floor[than];

/** Reads what senders write: our own words, SEV-0 to SEV-3, or the common words of alert rules. Undefined when it is none. */
export function readSeverity(text: string): Severity | undefined {
  const upper = text.trim().toUpperCase();
  return severities.find((severity) => severity === upper) ?? bySev[upper.replace(/^SEV-?/, 'SEV-')] ?? bySender[upper.toLowerCase()];
}
