import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { endProcess, identify, isRunning, toIdentity, type ProcessIdentity } from './process-identity.js';
import { Trouble } from './trouble.js';

interface Entry extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: NodeJS.Signals;
}

/** What was started from one home and not yet seen to end, on disk, so that the start after a crash ends exactly that. */
export interface Ledger {
  note(name: string, pid: number, stopSignal: NodeJS.Signals): void;
  strike(pid: number): void;
  /** Ends what an earlier start left behind, newest first. */
  endLeftovers(say: (line: string) => void): Promise<void>;
}

const patienceMs = 15_000;

export function openLedger(path: string): Ledger {
  let entries = readEntries(path);
  // Synchronous: between a start and its note there must be no turn of the loop in which we could die.
  const save = (changed: readonly Entry[]): void => {
    entries = changed;
    writeFileSync(`${path}.new`, JSON.stringify(entries, null, 2), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return {
    note(name, pid, stopSignal) {
      const identity = identify(pid);
      if (identity !== null) save([...entries, { ...identity, name, stopSignal }]);
    },
    strike(pid) {
      // Somebody may have deleted the home while it was in use; then there is nothing to keep.
      if (existsSync(path)) save(entries.filter((entry) => entry.pid !== pid));
    },
    async endLeftovers(say) {
      for (const entry of [...entries].reverse()) {
        if (isRunning(entry)) {
          say(`Ending ${entry.name} (process ${entry.pid}), left behind by an earlier start`);
          await endProcess(entry, entry.stopSignal, patienceMs);
        }
      }
      save([]);
    },
  };
}

function readEntries(path: string): readonly Entry[] {
  if (!existsSync(path)) return [];
  try {
    const values: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(values)) throw new Error('not a list');
    return values.map(toEntry);
  } catch (error) {
    throw new Trouble(
      `${path}, the list of what an earlier start left running, cannot be read`,
      'look whether processes of an earlier start still run, end them, and delete the file',
      { cause: error },
    );
  }
}

function toEntry(value: unknown): Entry {
  const identity = toIdentity(value);
  if (identity === null || typeof value !== 'object' || value === null || !('name' in value)) throw new Error('not an entry');
  const stopSignal = 'stopSignal' in value && value.stopSignal === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
  return { ...identity, name: String(value.name), stopSignal };
}
