import type { Fact, Measurement, ObjectSort, Signal } from './signal.js';
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
 * Judges the samples since execution ended: every signal of `before` must have been there and well, and nothing vanished, without a gap
 * for a whole window and in the last sample. It fails when somebody has watched for three windows and none held.
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
    unwell = findUnwell(before, sample.signals, sample.facts);
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

/**
 * What is unwell of what was measured before: by the bounds that were in force then, so that loosening one is no recovery.
 * What was there before and is gone is unwell, too, signals and objects alike.
 */
export function findUnwell(before: readonly Signal[], now: readonly Signal[], facts: readonly Fact[] = []): readonly string[] {
  const unwell = before.flatMap((signal) => {
    const current = findSame(signal, now);
    if (current === undefined || (current.value === null && signal.value !== null)) return [`${signal.title} (vanished)`];
    return isWell({ ...signal, value: current.value }) ? [] : [signal.title];
  });
  return [...unwell, ...facts.filter((fact) => fact.kind === 'vanished').flatMap(describeVanished)];
}

/** The same series: a number in another unit is another one. */
const findSame = ({ target, name, unit }: Signal, among: readonly Signal[]): Signal | undefined =>
  among.find((signal) => signal.target === target && signal.name === name && signal.unit === unit);

type Objects = Extract<Fact, { kind: 'objects' }>;
type Vanished = Extract<Fact, { kind: 'vanished' }>;

/** More of them are not listed. */
export const MAX_OBJECTS = 10_000;
const MAX_VANISHED_NAMES = 20;

/** The objects that were there before and are not any more, one fact for each target that misses some. */
export function findVanished(before: readonly Fact[], now: readonly Fact[]): readonly Vanished[] {
  const isObjects = (fact: Fact): fact is Objects => fact.kind === 'objects';
  return before.filter(isObjects).flatMap(({ target, of, names }): readonly Vanished[] => {
    const current = now.filter(isObjects).find((fact) => fact.target === target && fact.of === of);
    if (current === undefined) return names.length === 0 ? [] : [{ kind: 'vanished', id: `${target}/vanished`, target, of, names: [], count: names.length }];
    const there = new Set(current.names);
    // Of a list that was cut off nobody knows what came after its end.
    const end = current.names.length < MAX_OBJECTS ? undefined : current.names.at(-1);
    const gone = names.filter((name) => !there.has(name) && (end === undefined || name < end));
    return gone.length === 0 ? [] : [{ kind: 'vanished', id: `${target}/vanished`, target, of, names: gone.slice(0, MAX_VANISHED_NAMES), count: gone.length }];
  });
}

const vanishedWords: Readonly<Record<ObjectSort, { readonly one: string; readonly many: string }>> = {
  tables: { one: 'table ', many: 'tables' },
  // Their names say what they are.
  workloads: { one: '', many: 'workloads and services' },
};

function describeVanished({ target, of, names, count }: Vanished): readonly string[] {
  const { one, many } = vanishedWords[of];
  if (names.length === 0) return [`${many} of ${target} (not measured)`];
  const rest = count - names.length;
  return [...names.map((name) => `${one}${name} (vanished)`), ...(rest === 0 ? [] : [`${rest} more ${many} of ${target} (vanished)`])];
}

/** By how much the worst signal got better, in percent of what it was; null where there is no number to compare. */
export function toImprovementPercent(before: readonly Signal[], now: readonly Signal[]): number | null {
  const [worst] = before;
  const current = worst && findSame(worst, now);
  if (!worst || !current || worst.value === null || current.value === null) return null;
  const gained = worst.better === 'lower' ? worst.value - current.value : current.value - worst.value;
  const whole = worst.better === 'lower' ? worst.value : 100 - worst.value;
  return whole === 0 ? null : Number(((gained / whole) * 100).toFixed(1));
}
