export interface Request {
  readonly endedAt: number;
  readonly tookMs: number;
  readonly ok: boolean;
}

/** What the clients of a demo's service saw in the last three seconds. */
export interface Stats {
  readonly p99Ms: number;
  readonly requestsPerSecond: number;
  readonly failed: number;
  readonly failedPercent: number;
}

/** How long a service must have had clients before its figures say anything. */
export const WINDOW_MS = 3_000;

/** A request that still waits counts with the time it has waited: a service that hangs must not look fast. */
export function toStats(requests: readonly Request[], waitingSince: readonly number[], nowMs: number): Stats {
  const recent = requests.filter(({ endedAt }) => endedAt > nowMs - WINDOW_MS);
  const durations = [...recent.map(({ tookMs }) => tookMs), ...waitingSince.map((since) => nowMs - since)].toSorted((a, b) => a - b);
  const failed = recent.filter(({ ok }) => !ok).length;
  return {
    p99Ms: durations[Math.ceil(durations.length * 0.99) - 1] ?? 0,
    requestsPerSecond: Math.round(recent.filter(({ ok }) => ok).length / (WINDOW_MS / 1_000)),
    failed,
    failedPercent: recent.length === 0 ? 0 : Math.round((100 * failed) / recent.length),
  };
}
