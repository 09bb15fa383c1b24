import type { Aim, RootCause, RootCauseCategory, ScriptParameter } from './root-cause.js';
import type { Severity } from './severity.js';

/** SHELL and KUBECTL are one command line each, which no shell reads. BASH and PYTHON run in a sandbox. */
export const scriptTypes = ['SQL', 'KUBECTL', 'SHELL', 'BASH', 'PYTHON'] as const;
export type ScriptType = (typeof scriptTypes)[number];

/** One entry of the library. `command` is SQL with `$1…$n`, a command line with `{name}`s, or a script that gets its parameters as arguments. */
export interface RemediationScript {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly description: string;
  readonly type: ScriptType;
  readonly command: string;
  /** What each `$n`, each argument, or each `{…}` stands for, in order. */
  readonly parameters: readonly ScriptParameter[];
  /** The root cause that it answers. */
  readonly category: RootCauseCategory;
  readonly risk: Severity;
  /** Milliseconds. */
  readonly estimatedDuration: number;
  /** Until it is stopped, in milliseconds. */
  readonly timeoutMs: number;
  /** Files and folders that a BASH or PYTHON script may change, and secrets that it is given; empty for the other types. */
  readonly paths: readonly string[];
  readonly secrets: readonly string[];
  readonly enabled: boolean;
  /** Who wrote it; null where Sluice brought it. */
  readonly createdBy: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const placeholder = /\{([A-Za-z]+)\}/g;
// Fit for one word of a command line, and never an option.
const plainWord = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,252}$/;

/** The names of a command line's placeholders, in order. */
export const listPlaceholders = (command: string): readonly string[] => [...command.matchAll(placeholder)].map(([, name = '']) => name);

/** Fills the placeholders of a command line with values, each a plain word. Throws for any other value. */
export function fillCommand(command: string, values: Readonly<Partial<Record<string, string>>>): string {
  return command.replaceAll(placeholder, (_, name: string) => {
    const value = values[name] ?? '';
    if (!plainWord.test(value)) throw new Error(`${name} is ${JSON.stringify(value)}, which cannot stand in a command line`);
    return value;
  });
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
    timeoutMs: 30_000,
    paths: [],
    secrets: [],
    enabled: true,
  },
  {
    name: 'Rollback Deployment',
    description: 'Puts a deployment back to the pod template of an earlier revision, one that is named, and waits until all its pods run it.',
    type: 'KUBECTL',
    command: 'kubectl rollout undo deployment/{name} -n {namespace} --to-revision={revision}',
    parameters: ['name', 'namespace', 'revision'],
    category: 'deployment',
    risk: 'MEDIUM',
    estimatedDuration: 60_000,
    timeoutMs: 300_000,
    paths: [],
    secrets: [],
    enabled: true,
  },
  {
    name: 'Restart Service',
    description: 'Restarts the one unit of systemd that a degraded service runs as, where nothing better explains it.',
    type: 'SHELL',
    command: 'systemctl restart {unit}',
    parameters: ['unit'],
    category: 'serviceDegraded',
    risk: 'MEDIUM',
    estimatedDuration: 15_000,
    // Managers give a service a minute and a half to stop before they kill it.
    timeoutMs: 180_000,
    paths: [],
    secrets: [],
    enabled: true,
  },
  {
    name: 'Restart Docker Container',
    description: 'Restarts the one container that a degraded service runs in, where nothing better explains it.',
    type: 'SHELL',
    command: 'docker restart {container}',
    parameters: ['container'],
    category: 'serviceDegraded',
    risk: 'MEDIUM',
    estimatedDuration: 15_000,
    // Managers give a service a minute and a half to stop before they kill it.
    timeoutMs: 180_000,
    paths: [],
    secrets: [],
    enabled: true,
  },
  {
    name: 'Restart Database',
    description: 'Restarts the unit of systemd of a database that cannot be reached. Whoever is connected to it is cut off.',
    type: 'SHELL',
    command: 'systemctl restart {unit}',
    parameters: ['unit'],
    category: 'targetUnreachable',
    risk: 'HIGH',
    estimatedDuration: 15_000,
    // Managers give a service a minute and a half to stop before they kill it.
    timeoutMs: 180_000,
    paths: [],
    secrets: [],
    enabled: true,
  },
  {
    name: 'Restart Database Container',
    description: 'Restarts the container of a database that cannot be reached. Whoever is connected to it is cut off.',
    type: 'SHELL',
    command: 'docker restart {container}',
    parameters: ['container'],
    category: 'targetUnreachable',
    risk: 'HIGH',
    estimatedDuration: 15_000,
    // Managers give a service a minute and a half to stop before they kill it.
    timeoutMs: 180_000,
    paths: [],
    secrets: [],
    enabled: true,
  },
];
