export const rootCauseCategories = [
  'idleTransaction',
  'longRunningQuery',
  'connectionExhaustion',
  'massDeletion',
  'configuration',
  'deployment',
  'podFailure',
  'targetUnreachable',
  'serviceDegraded',
  'activeIncident',
] as const;
export type RootCauseCategory = (typeof rootCauseCategories)[number];

export interface RootCause {
  readonly category: RootCauseCategory;
  readonly details: string;
  readonly affectedSystems: readonly string[];
  /** 0 to 100. */
  readonly confidence: number;
  /** Ids of the signals and facts that say so; never empty. */
  readonly evidence: readonly string[];
  readonly suggestedActions: readonly string[];
  /** What a fix is to be aimed at; empty where nothing but a person can tell. */
  readonly aims: readonly Aim[];
}

export type AimValues = Readonly<Partial<Record<ScriptParameter, string>>>;

/** One object that a fix is aimed at: by the values that a library script may ask for, or by the script of a step that restores it. */
export type Aim =
  | { readonly kind: 'values'; readonly target: string; readonly values: AimValues }
  | { readonly kind: 'restore'; readonly target: string; readonly type: 'config-patch' | 'kubernetes' | 'kubectl'; readonly script: string };

/** What a script of the library may ask of a root cause. */
export const scriptParameters = ['pid', 'backendStart', 'actor', 'namespace', 'name', 'revision', 'replicas', 'unit', 'container'] as const;
export type ScriptParameter = (typeof scriptParameters)[number];

/**
 * Whether somebody outside could choose its text: an actor's name is what an application wrote, a pid is a number that Postgres gave,
 * names of Kubernetes are what its API server lets through, those of units and containers are in sluice.yaml.
 */
export const isTextFromOutside: Readonly<Record<ScriptParameter, boolean>> = {
  pid: false,
  backendStart: false,
  actor: true,
  namespace: false,
  name: false,
  revision: false,
  replicas: false,
  unit: false,
  container: false,
};
