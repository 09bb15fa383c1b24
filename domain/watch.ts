import type { Policy } from './policy.js';
import type { Unit } from './signal.js';

/** Where a secret, or another text of this machine, is kept; never the text itself. */
export type SecretReference = { readonly env: string } | { readonly file: string };

/** A number to read from an HTTP probe's JSON answer. `field` is a dotted path. */
export interface Reading {
  readonly name: string;
  readonly title: string;
  readonly field: string;
  readonly unit: Unit;
  readonly threshold: number;
}

export type Detector =
  | {
      readonly kind: 'postgres';
      /** Bounds by signal; only these signals are measured. Milliseconds, counts, percent. */
      readonly thresholds: Readonly<Partial<Record<PostgresSignal, number>>>;
    }
  | {
      readonly kind: 'http-probe';
      readonly path: string;
      readonly timeoutMs: number;
      readonly availabilityPercent: number;
      readonly latencyMs: number;
      readonly readings: readonly Reading[];
    }
  | {
      readonly kind: 'audit-log';
      readonly table: string;
      readonly actionColumn: string;
      readonly actorColumn: string;
      readonly timeColumn: string;
      readonly windowMs: number;
      readonly maxDeletes: number;
    }
  | { readonly kind: 'config-file' }
  | {
      readonly kind: 'kubernetes';
      /** Bounds by signal; only these are measured. Counts. */
      readonly thresholds: Readonly<Partial<Record<KubernetesSignal, number>>>;
      /** How far back restarts and kills count. */
      readonly windowMs: number;
    }
  /** Measures nothing; says what serves what. */
  | { readonly kind: 'host' }
  | { readonly kind: 'active-incidents'; readonly maxIncidents: number };

export const postgresSignals = ['queryLatency', 'lockWait', 'blockedSessions', 'idleInTransaction', 'longQuery', 'connections'] as const;
export type PostgresSignal = (typeof postgresSignals)[number];
export const kubernetesSignals = ['waitingPods', 'restarts', 'oomKills', 'pendingPods', 'unavailableReplicas', 'emptyServices'] as const;
export type KubernetesSignal = (typeof kubernetesSignals)[number];

/** Kubernetes Jobs that run scripts, in the target's namespace. */
export interface Jobs {
  /** Has bash, python3 and wget. */
  readonly image: string;
  /** Whose rights the script has; null: none at all. */
  readonly serviceAccount: string | null;
  /** Where the pods reach the API of Sluice, to claim that they are the ones that run. */
  readonly apiUrl: string;
  /** Names of secrets for scripts, each one key of a Secret of the namespace. */
  readonly secrets: Readonly<Record<string, { readonly secret: string; readonly key: string }>>;
}

/** What is watched and, with an executor, acted on. */
export type Target =
  | {
      readonly kind: 'postgres';
      readonly name: string;
      readonly connection: SecretReference;
      readonly executor: 'sql' | null;
      readonly detectors: readonly Detector[];
    }
  | { readonly kind: 'http'; readonly name: string; readonly url: string | SecretReference; readonly detectors: readonly Detector[] }
  | {
      readonly kind: 'config-file';
      readonly name: string;
      readonly path: string | SecretReference;
      readonly executor: 'config-patch' | null;
      /** The targets whose being well says that this configuration is good. */
      readonly serves: readonly string[];
      readonly detectors: readonly Detector[];
    }
  | {
      /** One namespace of a cluster. */
      readonly kind: 'kubernetes';
      readonly name: string;
      /** The path of a kubeconfig file. */
      readonly kubeconfig: string | SecretReference;
      /** null: the kubeconfig's current one. */
      readonly context: string | null;
      readonly namespace: string;
      readonly executor: 'kubernetes' | null;
      /** Other targets whose being well says, beside its own, that what is in the namespace is good. */
      readonly serves: readonly string[];
      /** How bash and python run in it; null: they do not. */
      readonly jobs: Jobs | null;
      readonly detectors: readonly Detector[];
    }
  | {
      /** A machine with an executor worker on it, or the control worker's own. */
      readonly kind: 'host';
      readonly name: string;
      /** The executor worker that acts on it; null for the control worker itself. */
      readonly queue: string | null;
      readonly executor: 'host' | null;
      /** The targets that run on it. */
      readonly serves: readonly string[];
      /** What may be restarted. */
      readonly units: readonly string[];
      readonly containers: readonly string[];
      /** Files and folders that scripts may be given, and secrets. */
      readonly paths: readonly string[];
      readonly secrets: Readonly<Record<string, SecretReference>>;
      readonly detectors: readonly Detector[];
    }
  | { readonly kind: 'workspace'; readonly name: string; readonly detectors: readonly Detector[] };

/** Where the people of `groups` are told. */
export type Channel =
  | { readonly kind: 'webhook'; readonly name: string; readonly url: string | SecretReference; /** What each message is signed with. */ readonly secret: SecretReference; readonly groups: readonly string[] }
  | { readonly kind: 'slack'; readonly name: string; readonly api: string; readonly token: SecretReference; /** Its id, not its name. */ readonly channel: string; readonly groups: readonly string[] };

export interface Workspace {
  readonly id: string;
  readonly targets: readonly Target[];
  readonly alertRules: readonly { readonly match: Readonly<Record<string, string>>; readonly targets: readonly string[] }[];
  /** null: nothing is measured unless an alert or a person asks. */
  readonly sweepEveryMs: number | null;
  readonly channels: readonly Channel[];
  /** As sluice.yaml has it; the one that holds is in the record. */
  readonly startingPolicy: Policy;
}

/** How many signals a target's detectors measure. */
export function countSignals(target: Target): number {
  return target.detectors.reduce((sum, detector) => {
    switch (detector.kind) {
      case 'postgres':
        return sum + 1 + Object.keys(detector.thresholds).length;
      case 'http-probe':
        return sum + 2 + detector.readings.length;
      case 'audit-log':
        return sum + 2;
      case 'kubernetes':
        return sum + 1 + Object.keys(detector.thresholds).length;
      case 'host':
        return sum;
      case 'config-file':
      case 'active-incidents':
        return sum + 1;
    }
  }, 0);
}

/** Names the trouble of a target that a sweep found. */
export const toSweepFingerprint = (target: string): string => `sweep:${target}`;

/** These targets, the files, namespaces and hosts that serve any of them, and what one of those among them serves: what belongs together when one is unwell. */
export function withConfiguration(targets: readonly Target[], names: readonly string[]): readonly string[] {
  const servers = targets.filter((target) => 'serves' in target);
  const serving = servers.filter(({ serves }) => serves.some((name) => names.includes(name))).map(({ name }) => name);
  const served = servers.filter(({ name }) => names.includes(name)).flatMap(({ serves }) => serves);
  return [...new Set([...names, ...serving, ...served])];
}
