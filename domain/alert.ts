import type { Severity } from './severity.js';

export const alertSources = ['alertmanager', 'json'] as const;
export type AlertSource = (typeof alertSources)[number];

/** What a sender told us, normalized. Its texts are data and nothing else. */
export interface Alert {
  readonly source: AlertSource;
  /** The same for every notification of one trouble: the sender's, else over its labels. */
  readonly fingerprint: string;
  readonly state: 'firing' | 'resolved';
  readonly title: string;
  readonly severity: Severity | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: Date | null;
}

/** The text to fingerprint where the sender gives none: labels in a fixed order. */
export function toFingerprintText(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The targets that an alert's labels name, by the first rule whose every label matches. Undefined when no rule does. */
export function matchTargets(
  labels: Readonly<Record<string, string>>,
  rules: readonly { readonly match: Readonly<Record<string, string>>; readonly targets: readonly string[] }[],
): readonly string[] | undefined {
  return rules.find(({ match }) => Object.entries(match).every(([name, value]) => labels[name] === value))?.targets;
}
