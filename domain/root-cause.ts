export const rootCauseCategories = [
  'idleTransaction',
  'longRunningQuery',
  'connectionExhaustion',
  'massDeletion',
  'configuration',
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

/** One object that a fix is aimed at: by the values that a library script may ask for, or by what restores it (a JSON Patch). */
export type Aim =
  | { readonly kind: 'values'; readonly target: string; readonly values: Readonly<Partial<Record<ScriptParameter, string>>> }
  | { readonly kind: 'restore'; readonly target: string; readonly patch: string };

/** What a script of the library may ask of a root cause. */
export const scriptParameters = ['pid', 'backendStart', 'actor'] as const;
export type ScriptParameter = (typeof scriptParameters)[number];

/** Whether somebody outside could choose its text: an actor's name is what an application wrote, a pid is a number that Postgres gave. */
export const isTextFromOutside: Readonly<Record<ScriptParameter, boolean>> = { pid: false, backendStart: false, actor: true };
