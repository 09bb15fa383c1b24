import { resolve } from 'node:path';
import type { KeyList, KeyReceipt } from '../contracts/http.js';
import { makeFirstKey } from '../keys/keyring.js';
import type { Context } from './commands.js';
import { toPlainText } from './render.js';
import { type Surroundings, WrongUsage } from './surroundings.js';

/** Makes the folder and its first key on this machine; the API needs them to start. */
export async function makeKeys({ print }: Surroundings, folder: string): Promise<void> {
  const { keyId, isNew } = await makeFirstKey(resolve(folder));
  print(isNew ? `Made the key ${keyId}. Give workers only ${resolve(folder)}/public-keys.json.` : `There was a key already: ${keyId}`);
}

export async function listKeys({ client, json, print }: Context): Promise<void> {
  const list = await client.get<KeyList>('/api/keys');
  print(json ? JSON.stringify(list) : toPlainText(list.keys.map(({ keyId, madeAt, state }) => `${keyId}  ${madeAt}  ${state}`).join('\n')));
}

export async function rotateKeys({ client, json, print }: Context, { reason }: { readonly reason?: string }): Promise<void> {
  const receipt = await client.post<KeyReceipt>('/api/keys/rotate', reason === undefined ? {} : { reason });
  print(json ? JSON.stringify(receipt) : toPlainText(receipt.message));
}

export async function revokeKey({ client, json, print }: Context, keyId: string, { reason }: { readonly reason?: string }): Promise<void> {
  if (reason === undefined) throw new WrongUsage('Say why with --reason; it is kept in the audit.');
  const receipt = await client.post<KeyReceipt>(`/api/keys/${encodeURIComponent(keyId)}/revoke`, { reason });
  print(json ? JSON.stringify(receipt) : toPlainText(receipt.message));
}
