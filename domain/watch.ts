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
  | { readonly kind: 'active-incidents'; readonly maxIncidents: number };

export const postgresSignals = ['queryLatency', 'lockWait', 'blockedSessions', 'idleInTransaction', 'longQuery', 'connections'] as const;
export type PostgresSignal = (typeof postgresSignals)[number];

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
      case 'config-file':
      case 'active-incidents':
        return sum + 1;
    }
  }, 0);
}

/** Names the trouble of a target that a sweep found. */
export const toSweepFingerprint = (target: string): string => `sweep:${target}`;

/** These targets, the configuration files that serve any of them, and what a file among them serves: what belongs together when one is unwell. */
export function withConfiguration(targets: readonly Target[], names: readonly string[]): readonly string[] {
  const files = targets.filter((target) => target.kind === 'config-file');
  const serving = files.filter(({ serves }) => serves.some((name) => names.includes(name))).map(({ name }) => name);
  const served = files.filter(({ name }) => names.includes(name)).flatMap(({ serves }) => serves);
  return [...new Set([...names, ...serving, ...served])];
}
