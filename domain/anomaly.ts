import type { Severity } from './severity.js';
import { toSeverity } from './severity.js';
import type { Signal } from './signal.js';
import { isWell } from './signal.js';

/** A signal out of bounds, with a score from 0 to 10. */
export interface Anomaly {
  readonly signal: Signal;
  readonly score: number;
  readonly severity: Severity;
}

// What cannot be measured is judged as HIGH: it hides whatever is behind it.
const UNMEASURED_SCORE = 7;
const SCORE_AT_THRESHOLD = 4;
const SCORE_PER_DECADE = 3.25;

/** The anomalies among the signals, worst first. */
export function findAnomalies(signals: readonly Signal[]): readonly Anomaly[] {
  return signals
    .filter((signal) => !isWell(signal))
    .map((signal) => {
      const score = toScore(signal);
      return { signal, score, severity: toSeverity(score) };
    })
    .toSorted((a, b) => b.score - a.score);
}

/** MEDIUM at the threshold, CRITICAL at about seventeen times it: the score grows with the logarithm of how far out a value is. */
function toScore({ value, threshold, better }: Signal): number {
  if (value === null) return UNMEASURED_SCORE;
  const timesOver = better === 'lower' ? value / threshold : (100 - value) / (100 - threshold);
  const score = SCORE_AT_THRESHOLD + SCORE_PER_DECADE * Math.log10(Math.max(1, timesOver));
  return Math.min(10, Number(score.toFixed(1)));
}
