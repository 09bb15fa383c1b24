import type { Fault } from './recording.js';

/** A system of the week that is watched, and that breaks. */
export interface Watched {
  /** As its alerts name it. */
  readonly place: string;
  /** Its targets, as sluice.yaml has them: nothing there may be run. */
  readonly targets: Readonly<Record<string, object>>;
  /** The variables that they name. */
  readonly variables: Readonly<Record<string, string>>;
  /** Makes the fault, for real, and returns once it hurts. */
  break(fault: Fault): Promise<void>;
  /** Ends it, as whoever has caused it would. Throws where somebody else has touched anything meanwhile. */
  mend(): Promise<void>;
  /** What of it is not as the faults and their ends have left it, by its own account; empty where nobody else did anything. */
  findEffects(): Promise<readonly string[]>;
  close(): Promise<void>;
}
