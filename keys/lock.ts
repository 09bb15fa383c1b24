import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCode, KeysUnusable } from './key-files.js';

// What is done under the lock takes milliseconds: whoever holds it for longer has died.
const STALE_MS = 10_000;
const LOOK_AGAIN_MS = 25;

/** Does `work` while no other process changes the keys in the folder, which is made where it is missing. */
export async function withLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const path = join(folder, 'lock');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    while (!(await take(path))) await pause(LOOK_AGAIN_MS);
  } catch (error) {
    throw new KeysUnusable(`The keys in ${folder} cannot be changed (${String(error)}). Let the user that runs Sluice write there.`, { cause: error });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    const age = await stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs, () => 0);
    if (age > STALE_MS) await rm(path, { force: true });
    return false;
  }
}
