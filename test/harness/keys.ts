import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Keyring, makeFirstKey, openKeyring } from '../../keys/keyring.js';

export interface FreshKeys {
  readonly folder: string;
  readonly keyring: Keyring;
  readonly close: () => Promise<void>;
}

/** Keys of their own, in a folder that closing removes. */
export async function freshKeys(): Promise<FreshKeys> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-keys-'));
  await makeFirstKey(folder);
  return { folder, keyring: openKeyring(folder), close: () => rm(folder, { recursive: true }) };
}
