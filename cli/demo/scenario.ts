import type { ApiClient } from '../client.js';

/** One story that the demo can tell. */
export interface Scenario {
  /** Checks what it needs, before anything is started, and returns the path of the sluice.yaml that says what is watched. */
  prepare(surroundings: Pick<Place, 'folder' | 'environment'>): Promise<string>;
  /** Why its fix cannot be taken back; null where it can. */
  readonly oneWay: string | null;
  /** Opens what is watched, before Sluice's own processes start. */
  open(place: Place): Promise<Scene>;
}

/** The only workspace of every scenario's sluice.yaml. */
export const WORKSPACE = 'demo';

export interface Place {
  readonly databaseUrl: string;
  /** The demo's state folder. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  /** Aborted when the demo is called off. */
  readonly signal: AbortSignal;
}

export interface Scene {
  /** The variables that its sluice.yaml names. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where to look at it, for people. */
  readonly whereabouts: string;
  /** One incident each, one after the other. */
  readonly acts: readonly Act[];
  stop(): Promise<void>;
}

export interface Act {
  /** Waits until all is well and Sluice knows it. */
  untilWell(): Promise<void>;
  breakIt(): Promise<void>;
  /** How Sluice hears of it. `sender` may send alerts, `person` may read incidents. */
  raiseAlarm(sender: ApiClient, person: ApiClient): Alarm;
  /** Looks, not through Sluice, whether it works, and says so. */
  look(): Promise<boolean>;
  /** Looks, not through Sluice, whether it is again what it was before the fix, and says so. */
  lookTakenBack(): Promise<boolean>;
}

export interface Alarm {
  /** The incident that it opened. */
  readonly incidentId: Promise<string>;
  stop(): Promise<void>;
}
