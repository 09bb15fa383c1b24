export interface Request {
  readonly endedAt: number;
  readonly tookMs: number;
  readonly ok: boolean;
}

/** What the shop's clients saw in the last three seconds. */
export interface ShopStats {
  readonly p99Ms: number;
  readonly requestsPerSecond: number;
  readonly failed: number;
}

const WINDOW_MS = 3_000;
/** What the shop calls slow, and the threshold in the demo's sluice.yaml. */
export const SLOW_MS = 500;

/** A request that still waits counts with the time it has waited: a shop that hangs must not look fast. */
export function toStats(requests: readonly Request[], waitingSince: readonly number[], nowMs: number): ShopStats {
  const recent = requests.filter(({ endedAt }) => endedAt > nowMs - WINDOW_MS);
  const durations = [...recent.map(({ tookMs }) => tookMs), ...waitingSince.map((since) => nowMs - since)].toSorted((a, b) => a - b);
  return {
    p99Ms: durations[Math.ceil(durations.length * 0.99) - 1] ?? 0,
    requestsPerSecond: Math.round(recent.filter(({ ok }) => ok).length / (WINDOW_MS / 1_000)),
    failed: recent.filter(({ ok }) => !ok).length,
  };
}
