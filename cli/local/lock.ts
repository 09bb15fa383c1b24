import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { pid as ownPid } from 'node:process';
import { identify, isRunning, toIdentity, type ProcessIdentity } from './process-identity.js';
import { hasCode } from './trouble.js';

export type LockAttempt =
  | { readonly kind: 'taken'; readonly release: () => Promise<void> }
  | { readonly kind: 'held'; readonly by: ProcessIdentity };

/** Takes the lock for this process unless another one holds it. A lock whose holder is gone is taken over. */
export async function takeLock(path: string): Promise<LockAttempt> {
  const mine = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(mine, JSON.stringify(identify(ownPid)), { mode: 0o600 });
  try {
    for (;;) {
      try {
        await link(mine, path); // in one go: of two that try at once one succeeds, and nobody reads half a file
        return { kind: 'taken', release: () => rm(path, { force: true }) };
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
      const holder = await holderOf(path, `${mine}.stale`);
      if (holder !== null) return { kind: 'held', by: holder };
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Who holds it; null, and the lock is cleared, when nobody does. */
async function holderOf(path: string, aside: string): Promise<ProcessIdentity | null> {
  const seen = await readFile(path, 'utf8').catch(() => null);
  if (seen === null) return null;
  const holder = identityIn(seen);
  if (holder !== null && isRunning(holder)) return holder;
  try {
    await rename(path, aside);
    // Another start may have taken the lock over in between: then it is put back.
    if ((await readFile(aside, 'utf8')) === seen) await rm(aside);
    else await rename(aside, path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error; // the other start was faster
  }
  return null;
}

function identityIn(text: string): ProcessIdentity | null {
  try {
    return toIdentity(JSON.parse(text));
  } catch {
    return null; // not written by us: nobody holds it
  }
}
