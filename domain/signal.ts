export const units = ['ms', 'count', 'percent'] as const;
export type Unit = (typeof units)[number];

/** One number measured of one target, with the bound that it should keep. */
export interface Signal {
  readonly target: string;
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** null: it could not be measured, which is never well. */
  readonly value: number | null;
  readonly threshold: number;
  /** `lower` is out of bounds at the threshold and above it, `higher` below it. */
  readonly better: 'lower' | 'higher';
}

/** A database session, as it was when it was measured. `backendStart` keeps Postgres' microseconds, so a reused pid is another session. */
export interface SessionFact {
  readonly kind: 'session';
  readonly id: string;
  readonly target: string;
  readonly pid: number;
  readonly backendStart: string;
  readonly state: string;
  readonly stateAgeMs: number;
  readonly applicationName: string;
  readonly userName: string;
  /** How many other sessions wait for this one, directly or behind others. */
  readonly blocks: number;
  readonly isBlocked: boolean;
}

/** What a detector found besides numbers. Facts are gathered, never judged. */
export type Fact =
  | SessionFact
  | { readonly kind: 'deletesByActor'; readonly id: string; readonly target: string; readonly actor: string; readonly deletes: number }
  | { readonly kind: 'unreachable'; readonly id: string; readonly target: string; readonly because: string }
  | { readonly kind: 'activeIncident'; readonly id: string; readonly target: string; readonly title: string; readonly severity: string };

/** What all detectors of a run said at one moment. `measuredAt` is RFC 3339. */
export interface Measurement {
  readonly measuredAt: string;
  readonly signals: readonly Signal[];
  readonly facts: readonly Fact[];
}

export const signalId = (signal: Pick<Signal, 'target' | 'name'>): string => `${signal.target}/${signal.name}`;

export function isWell({ value, threshold, better }: Signal): boolean {
  if (value === null) return false;
  return better === 'lower' ? value < threshold : value >= threshold;
}

/** Whether it is measured of the target itself, and not of what else is going on in its workspace. */
export const isOfTarget = ({ name }: Signal): boolean => name !== 'activeIncidents';

/** `2450 ms`, `14`, `99.5 %`, or `not measured`. */
export function formatValue(value: number | null, unit: Unit): string {
  if (value === null) return 'not measured';
  const rounded = value >= 100 ? Math.round(value) : Number(value.toFixed(1));
  const suffix: Record<Unit, string> = { ms: ' ms', count: '', percent: ' %' };
  return `${rounded}${suffix[unit]}`;
}
