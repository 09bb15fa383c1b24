import type { Measurement, Signal } from './signal.js';
import { isWell, signalId } from './signal.js';

export type VerificationResult =
  | { readonly kind: 'well'; readonly improvementPercent: number | null }
  | { readonly kind: 'waiting'; readonly wellForMs: number; readonly unwell: readonly string[] }
  | { readonly kind: 'failed'; readonly unwell: readonly string[] };

/** How often to sample so that a window is never judged by a handful of points. Milliseconds. */
export const toSampleEveryMs = (stabilizationMs: number): number => Math.min(15_000, Math.max(500, Math.round(stabilizationMs / 20)));

// Longer than this between two samples and nobody knows what was in between.
const MAX_GAP_SAMPLES = 5;
const MIN_GAP_MS = 5_000;
// Two bad moments are forgiven: the window may start anew until three of them have passed.
const WINDOWS_UNTIL_FAILED = 3;

/**
 * Judges the samples since execution ended: every signal of `before` must have been there and well, without a gap, for a whole window,
 * and must be well in the last sample. A signal that vanished is unwell. It fails when somebody has watched for three windows and none held.
 * `sinceMs` is when execution ended, `watchedSinceMs` when verification began; a gate may have waited for days between the two.
 */
export function judgeVerification(input: {
  readonly before: readonly Signal[];
  readonly samples: readonly Measurement[];
  readonly stabilizationMs: number;
  readonly sinceMs: number;
  readonly watchedSinceMs: number;
  readonly nowMs: number;
}): VerificationResult {
  const { before, samples, stabilizationMs, sinceMs, watchedSinceMs, nowMs } = input;
  const maxGapMs = Math.max(MIN_GAP_MS, MAX_GAP_SAMPLES * toSampleEveryMs(stabilizationMs));
  let wellSinceMs: number | undefined;
  let lastMs = sinceMs;
  let held = false;
  let last: Measurement | undefined;
  let unwell: readonly string[] = before.map(signalId);
  for (const sample of samples) {
    const atMs = Date.parse(sample.measuredAt);
    if (atMs < sinceMs) continue;
    unwell = findUnwell(before, sample.signals);
    if (unwell.length > 0 || atMs - lastMs > maxGapMs) wellSinceMs = undefined;
    if (unwell.length === 0) wellSinceMs ??= atMs;
    held = unwell.length === 0 && (held || (wellSinceMs !== undefined && atMs - wellSinceMs >= stabilizationMs));
    lastMs = atMs;
    last = sample;
  }
  if (held && last !== undefined && lastMs >= watchedSinceMs) return { kind: 'well', improvementPercent: toImprovementPercent(before, last.signals) };
  if (nowMs - watchedSinceMs > WINDOWS_UNTIL_FAILED * stabilizationMs) return { kind: 'failed', unwell };
  return { kind: 'waiting', wellForMs: wellSinceMs === undefined ? 0 : lastMs - wellSinceMs, unwell };
}

/** The titles of the signals that are unwell now or were measured before and are gone. */
export function findUnwell(before: readonly Signal[], now: readonly Signal[]): readonly string[] {
  const byId = new Map(now.map((signal) => [signalId(signal), signal]));
  return before
    .filter((signal) => {
      const current = byId.get(signalId(signal));
      return current === undefined || !isWell(current);
    })
    .map((signal) => (byId.has(signalId(signal)) ? signal.title : `${signal.title} (vanished)`));
}

/** By how much the worst signal got better, in percent of what it was; null where there is no number to compare. */
export function toImprovementPercent(before: readonly Signal[], now: readonly Signal[]): number | null {
  const [worst] = before;
  const current = worst && now.find((signal) => signalId(signal) === signalId(worst));
  if (!worst || !current || worst.value === null || current.value === null) return null;
  const gained = worst.better === 'lower' ? worst.value - current.value : current.value - worst.value;
  const whole = worst.better === 'lower' ? worst.value : 100 - worst.value;
  return whole === 0 ? null : Number(((gained / whole) * 100).toFixed(1));
}
