const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const MAX_MS = 3_650 * 86_400_000;

/** Milliseconds of `250ms`, `20s`, `5m`, `24h` or `30d`, up to `3650d`; undefined for any other text, and for nothing at all. */
export function readDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  const durationMs = Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return durationMs > 0 && durationMs <= MAX_MS ? durationMs : undefined;
}

/** The exact text that `readDurationMs` reads back, in the largest unit that holds it. */
export function writeDurationMs(durationMs: number): string {
  const [unit, ms] = Object.entries(unitMs).findLast(([, each]) => durationMs % each === 0) ?? ['ms', 1];
  return `${durationMs / ms}${unit}`;
}

/** The two largest units that matter: `0.4s`, `20s`, `3m12s`, `2h5m`, `3d4h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10_000) return `${Number((durationMs / 1_000).toFixed(1))}s`;
  const seconds = Math.round(durationMs / 1_000);
  const pairs: readonly (readonly [string, number, string, number])[] = [
    ['d', 86_400, 'h', 3_600],
    ['h', 3_600, 'm', 60],
    ['m', 60, 's', 1],
  ];
  for (const [large, largeSeconds, small, smallSeconds] of pairs) {
    if (seconds < largeSeconds) continue;
    const rest = Math.floor((seconds % largeSeconds) / smallSeconds);
    return `${Math.floor(seconds / largeSeconds)}${large}${rest === 0 ? '' : `${rest}${small}`}`;
  }
  return `${seconds}s`;
}
