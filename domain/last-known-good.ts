import type { Signal } from './signal.js';
import { isOfTarget, isWell } from './signal.js';

/** What is known of one content of a watched configuration file. */
export interface KnownContent {
  /** SHA-256 of its bytes. */
  readonly hash: string;
  /** Since when it is there and all is well; null once that ended. */
  readonly wellSince: Date | null;
  /** When all was last seen to be well with it. */
  readonly wellAt: Date;
  /** When it became the last known good; null if it never did. */
  readonly goodAt: Date | null;
}

export type GoodJudgement =
  | { readonly kind: 'notWell' }
  /** `goodAt` is what to note of the content that is there now. */
  | { readonly kind: 'well'; readonly wellSince: Date; readonly goodAt: Date | null };

const MIN_GAP_MS = 5_000;
const MAX_GAP_SWEEPS = 3;

/** Longer than this between two looks, and nobody knows what was in between. */
export const toMaxGapMs = (sweepEveryMs: number): number => Math.max(MIN_GAP_MS, MAX_GAP_SWEEPS * sweepEveryMs);

/**
 * Judges whether a file's content is the last known good: the same bytes, looked at without a gap, and all that it serves well
 * for a whole stabilization window. `hash` is null where the file could not be read.
 */
export function judgeGood(input: {
  readonly known: readonly KnownContent[];
  readonly hash: string | null;
  readonly allWell: boolean;
  readonly now: Date;
  readonly stabilizationMs: number;
  readonly maxGapMs: number;
}): GoodJudgement {
  const { known, hash, allWell, now, stabilizationMs, maxGapMs } = input;
  if (hash === null || !allWell) return { kind: 'notWell' };
  const same = known.find((content) => content.hash === hash);
  const isUnbroken = same !== undefined && now.getTime() - same.wellAt.getTime() <= maxGapMs;
  const wellSince = (isUnbroken ? same.wellSince : null) ?? now;
  const isLastKnownGood = hash === findLastKnownGood(known)?.hash;
  const hasHeld = now.getTime() - wellSince.getTime() >= stabilizationMs;
  return { kind: 'well', wellSince, goodAt: hasHeld && !isLastKnownGood ? now : (same?.goodAt ?? null) };
}

/** The content that became good last, even if an older one of them is back in place. */
export const findLastKnownGood = <Content extends Pick<KnownContent, 'goodAt'>>(known: readonly Content[]): Content | undefined =>
  known.filter(({ goodAt }) => goodAt !== null).toSorted((a, b) => (b.goodAt?.getTime() ?? 0) - (a.goodAt?.getTime() ?? 0))[0];

/** Whether each of these targets was measured, and all of it was well. */
export const areAllWell = (targets: readonly string[], signals: readonly Signal[]): boolean =>
  targets.every((name) => {
    const own = signals.filter((signal) => signal.target === name && isOfTarget(signal));
    return own.length > 0 && own.every(isWell);
  });
