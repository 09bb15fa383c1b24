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

/** One place of a configuration file that is not as it was, as short JSON texts, null where there is nothing. The pointer is RFC 6901. */
export interface ConfigChange {
  readonly pointer: string;
  readonly good: string | null;
  readonly now: string | null;
  /** Whether the patch puts it back. What looks secret and what does not fit into JSON it leaves to people. */
  readonly isRestored: boolean;
}

/** How a watched configuration file differs from its last known good. */
export interface ConfigChangeFact {
  readonly kind: 'configChange';
  readonly id: string;
  readonly target: string;
  readonly path: string;
  readonly serves: readonly string[];
  /** The first of them; `changeCount` is how many there are. */
  readonly changes: readonly ConfigChange[];
  readonly changeCount: number;
  /** The JSON Patch (RFC 6902) that would put back what changed; null where nothing can be put back by it. */
  readonly patch: string | null;
  /** Whether the patch puts back all that changed. */
  readonly restoresAll: boolean;
  /** When it was last seen to be good, and when it was changed since; RFC 3339. */
  readonly goodAt: string;
  readonly changedAt: string;
  /** How long before it was measured it was changed. */
  readonly changeAgeMs: number;
}

/** What a detector found besides numbers. Facts are gathered, never judged. */
export type Fact =
  | SessionFact
  | ConfigChangeFact
  /** What must still be there when it is measured again: a database without its tables has no trouble either. */
  | { readonly kind: 'objects'; readonly id: string; readonly target: string; readonly names: readonly string[] }
  /** How many of them were gone when it was measured again, and the first of their names; none where nobody could tell. */
  | { readonly kind: 'vanished'; readonly id: string; readonly target: string; readonly names: readonly string[]; readonly count: number }
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
