import type { Aim, RootCause, RootCauseCategory, ScriptParameter } from './root-cause.js';
import type { Severity } from './severity.js';

/** One entry of the library. `command` is SQL with `$1…$n`. */
export interface RemediationScript {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly description: string;
  readonly type: 'SQL';
  readonly command: string;
  /** What each `$n` stands for, in order. */
  readonly parameters: readonly ScriptParameter[];
  /** The root cause that it answers. */
  readonly category: RootCauseCategory;
  readonly risk: Severity;
  /** Milliseconds. */
  readonly estimatedDuration: number;
  readonly enabled: boolean;
  /** Who wrote it; null where Sluice brought it. */
  readonly createdBy: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** How often a script's runs were verified well, and how often not. */
export interface TrackRecord {
  readonly succeeded: number;
  readonly failed: number;
}

/** The share of runs that went well, from 0 to 1; a half where there are none (Laplace's rule of succession). */
export const toSuccessRate = ({ succeeded, failed }: TrackRecord): number => (succeeded + 1) / (succeeded + failed + 2);

export interface Match {
  readonly script: RemediationScript;
  readonly aims: readonly Extract<Aim, { kind: 'values' }>[];
}

/** The enabled script that answers the root cause, has all that it asks for, and has the best record. Undefined when none does. */
export function matchScript(cause: RootCause, library: readonly RemediationScript[], records: Readonly<Record<string, TrackRecord>>): Match | undefined {
  const aims = cause.aims.filter((aim) => aim.kind === 'values');
  if (aims.length === 0) return undefined;
  const rate = ({ id }: RemediationScript) => toSuccessRate(records[id] ?? { succeeded: 0, failed: 0 });
  const [script] = library
    .filter(({ enabled, category, parameters }) => enabled && category === cause.category && parameters.every((name) => aims.every(({ values }) => values[name] !== undefined)))
    .toSorted((a, b) => rate(b) - rate(a));
  return script && { script, aims };
}

export const seedScripts: readonly Omit<RemediationScript, 'id' | 'workspaceId' | 'createdBy' | 'createdAt' | 'updatedAt'>[] = [
  {
    name: 'Database Connection Reset',
    description: 'Terminates one session by pid and backend_start, so that a reused pid is never hit. Its open transaction is rolled back by Postgres.',
    type: 'SQL',
    command: 'SELECT pid, pg_terminate_backend(pid, 5000) AS done FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2',
    parameters: ['pid', 'backendStart'],
    category: 'idleTransaction',
    risk: 'MEDIUM',
    estimatedDuration: 10_000,
    enabled: true,
  },
];
