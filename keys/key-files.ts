import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JWK } from 'jose';

/** The keys cannot be used as they are; the message says what to do. */
export class KeysUnusable extends Error {
  override readonly name = 'KeysUnusable';
}

/** Whether it is the system's error of this name. */
export const hasCode = (error: unknown, code: string): boolean => typeof error === 'object' && error !== null && 'code' in error && error.code === code;

/** As it stands in a file: a JWK with when it was made and, where it is no longer trusted, since when. */
export interface StoredKey extends JWK {
  readonly kid: string;
  readonly madeAt: string;
  readonly revokedAt?: string;
}

export interface KeyFile {
  read(): Promise<readonly StoredKey[]>;
}

/**
 * A file of keys, read again only when it was replaced. Each use looks whether it was, so a key that was revoked is refused at once,
 * and names of unknown keys cost no reading, however many come.
 */
export function openKeyFile(path: string): KeyFile {
  let known: { readonly stamp: string; readonly keys: readonly StoredKey[] } | undefined;
  return {
    async read() {
      const stamp = await readStamp(path);
      if (known !== undefined && stamp === known.stamp) return known.keys;
      const keys = stamp === undefined ? undefined : await readKeys(path);
      if (stamp === undefined || keys === undefined) {
        throw new KeysUnusable(`There is no ${path}. Make the first key with \`npx sluice keys make ${dirname(path)}\`, or set SLUICE_KEYS to the folder that has the keys.`);
      }
      known = { stamp, keys };
      return keys;
    },
  };
}

/** Changes whenever the file is replaced; undefined where there is none. */
async function readStamp(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs, size } = await stat(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch (error) {
    return toMissing(path, error);
  }
}

/** The keys of a file; undefined where there is none. */
export async function readKeys(path: string): Promise<readonly StoredKey[] | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => toMissing(path, error));
  return text === undefined ? undefined : parseKeys(path, text);
}

function toMissing(path: string, error: unknown): undefined {
  if (hasCode(error, 'ENOENT')) return undefined;
  throw new KeysUnusable(`${path} cannot be read (${String(error)}). Let the user that runs Sluice read it.`, { cause: error });
}

function parseKeys(path: string, text: string): readonly StoredKey[] {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    if (Array.isArray(keys) && keys.every(isStoredKey)) return keys;
  } catch {
    // Said below, for everything that is not a set of keys.
  }
  throw new KeysUnusable(`${path} is not a set of Ed25519 keys. Put it back from a backup.`);
}

const isStoredKey = (key: Partial<StoredKey>): key is StoredKey =>
  key?.kty === 'OKP' && key.crv === 'Ed25519' && [key.x, key.kid, key.madeAt].every((member) => typeof member === 'string');

/** Replaces the file in one go, on the disk before it returns. Readable by its owner only. */
export async function writeKeys(path: string, keys: readonly StoredKey[]): Promise<void> {
  const fresh = `${path}.${randomUUID()}`;
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ keys }, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
