import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { openHome } from '../../../cli/local/home.js';
import { openLedger } from '../../../cli/local/ledger.js';
import type { Surroundings } from '../../../cli/local/piece.js';

const folders: string[] = [];
const opened: Surroundings[] = [];

/** A folder that is gone after the test; as root, other users can pass through it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-local-'));
  chmodSync(folder, 0o711);
  folders.push(folder);
  return folder;
}

export interface Heard extends Surroundings {
  readonly heard: string[];
}

/** What a start has around it, on that home; whatever runs is stopped after the test. */
export async function surroundingsOf(homeFolder: string): Promise<Heard> {
  const home = await openHome(homeFolder);
  const heard: string[] = [];
  const surroundings = { home, ledger: openLedger(home.processes), say: (line: string) => void heard.push(line), stopping: new AbortController().signal, pieces: new Map(), heard };
  opened.push(surroundings);
  return surroundings;
}

afterEach(async () => {
  for (const { pieces } of opened.splice(0)) for (const piece of pieces.values()) await piece.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
