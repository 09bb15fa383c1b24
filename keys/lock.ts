import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCode, KeysUnusable } from './key-files.js';

// What is done under the lock takes milliseconds: whoever holds it for longer has died.
const STALE_MS = 10_000;
const LOOK_AGAIN_MS = 25;

/**
 * Does `work` while no other process changes the keys in the folder, which is made where it is missing.
 *
 * The lock is the numbered file with the highest number, held for as long as it is fresh. Whoever takes it makes the next number, which
 * one of many succeeds in, and nobody ever removes the highest: so nobody can take away what another one has just taken over.
 */
export async function withLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const path = await take(folder);
  try {
    return await work();
  } finally {
    await release(path);
  }
}

async function take(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (;;) {
      const path = await tryToTake(folder);
      if (path !== undefined) return path;
      await pause(LOOK_AGAIN_MS);
    }
  } catch (error) {
    throw new KeysUnusable(`The keys in ${folder} cannot be changed (${String(error)}). Let the user that runs Sluice write there.`, { cause: error });
  }
}

async function tryToTake(folder: string): Promise<string | undefined> {
  const toPath = (number: number): string => join(folder, `lock.${number}`);
  const newest = Math.max(0, ...(await listNumbers(folder)));
  if (newest > 0 && !(await isStale(toPath(newest)))) return undefined;
  const mine = newest + 1;
  try {
    await writeFile(toPath(mine), '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return undefined;
    throw error;
  }
  const numbers = await listNumbers(folder);
  // Somebody who looked long ago may make a number that others have passed.
  const isPassed = numbers.some((number) => number > mine);
  await Promise.all(numbers.filter((number) => (isPassed ? number === mine : number < mine)).map((number) => rm(toPath(number), { force: true })));
  return isPassed ? undefined : toPath(mine);
}

async function listNumbers(folder: string): Promise<readonly number[]> {
  return (await readdir(folder)).flatMap((name) => /^lock\.(\d+)$/.exec(name)?.[1] ?? []).map(Number);
}

const isStale = (path: string): Promise<boolean> => stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs > STALE_MS, () => false);

async function release(path: string): Promise<void> {
  try {
    await utimes(path, 0, 0);
  } catch (error) {
    // Held for so long that another one has taken it over.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
