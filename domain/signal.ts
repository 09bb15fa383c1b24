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

/** One place of a configuration that is not as it was, as short JSON texts, null where there is nothing. The pointer is RFC 6901. */
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

/** What a host serves, and what may be restarted on it. */
export interface HostFact {
  readonly kind: 'host';
  readonly id: string;
  readonly target: string;
  readonly serves: readonly string[];
  readonly units: readonly string[];
  readonly containers: readonly string[];
}

/** How an object of a watched namespace differs from its last known good. */
export interface ObjectChangeFact {
  readonly kind: 'objectChange';
  readonly id: string;
  readonly target: string;
  readonly namespace: string;
  readonly serves: readonly string[];
  /** `deployment/web`. */
  readonly object: string;
  readonly what: 'changed' | 'added' | 'removed';
  /** The first of them; `changeCount` is how many there are. None where the object is new or gone. */
  readonly changes: readonly ConfigChange[];
  readonly changeCount: number;
  /** The step that would put it back; null where nothing can be put back by one. */
  readonly restore: { readonly type: 'kubernetes' | 'kubectl'; readonly script: string } | null;
  /** Whether that puts back all that changed. */
  readonly restoresAll: boolean;
  readonly templateChanged: boolean;
  /** The revision that still has the good pod template, where that is all that a Deployment needs back. */
  readonly goodRevision: number | null;
  /** Whoever takes back what others change in it: `Argo CD (application shop)`. */
  readonly owner: string | null;
  /** The field manager that changed it; null where nobody can tell. */
  readonly changedBy: string | null;
  /** When all was last seen to be good, and when it was changed since; RFC 3339. */
  readonly goodAt: string;
  readonly changedAt: string;
  /** How long before it was measured it was changed. */
  readonly changeAgeMs: number;
}

/** A pod that does not run as it should, and why. */
export interface PodTroubleFact {
  readonly kind: 'podTrouble';
  readonly id: string;
  readonly target: string;
  readonly namespace: string;
  readonly pod: string;
  /** `deployment/web`; null for a pod of its own. */
  readonly workload: string | null;
  /** As Kubernetes says it: `ImagePullBackOff`, `OOMKilled`, `Unschedulable`. */
  readonly reason: string;
  readonly message: string;
  /** Whether its workload would make it the same way today. */
  readonly isOfNewTemplate: boolean;
}

/** What a detector found besides numbers. Facts are gathered, never judged. */
export type Fact =
  | SessionFact
  | ConfigChangeFact
  | HostFact
  | ObjectChangeFact
  | PodTroubleFact
  /** What must still be there when it is measured again: a database without its tables has no trouble either. */
  | { readonly kind: 'objects'; readonly id: string; readonly target: string; readonly of: ObjectSort; readonly names: readonly string[] }
  /** How many of them were gone when it was measured again, and the first of their names; none where nobody could tell. */
  | { readonly kind: 'vanished'; readonly id: string; readonly target: string; readonly of: ObjectSort; readonly names: readonly string[]; readonly count: number }
  | { readonly kind: 'deletesByActor'; readonly id: string; readonly target: string; readonly actor: string; readonly deletes: number }
  | { readonly kind: 'unreachable'; readonly id: string; readonly target: string; readonly because: string }
  | { readonly kind: 'activeIncident'; readonly id: string; readonly target: string; readonly title: string; readonly severity: string };

/** Tables of a database, or workloads and Services of a namespace. */
export type ObjectSort = 'tables' | 'workloads';

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
