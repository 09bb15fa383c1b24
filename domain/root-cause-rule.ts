import type { Anomaly } from './anomaly.js';
import type { RootCause } from './root-cause.js';
import type { Fact } from './signal.js';
import { signalId } from './signal.js';

/** Explains the anomalies by the facts, or does not. */
export type Rule = (anomalies: readonly Anomaly[], facts: readonly Fact[]) => Omit<RootCause, 'affectedSystems'> | undefined;

export const named = (anomalies: readonly Anomaly[], ...names: readonly string[]): readonly Anomaly[] =>
  anomalies.filter(({ signal }) => names.includes(signal.name));

/** What a root cause cites. */
export const ids = (anomalies: readonly Anomaly[], facts: readonly Fact[]): readonly string[] => [
  ...anomalies.map(({ signal }) => signalId(signal)),
  ...facts.map(({ id }) => id),
];
