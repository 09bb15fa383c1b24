import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendCheckpoints, readCheckpoints, readLastCheckpoints } from '../../keys/checkpoint-file.js';
import { type FreshKeys, freshKeys } from '../harness/keys.js';

let keys: FreshKeys;
let path: string;
beforeEach(async () => {
  keys = await freshKeys();
  path = join(keys.folder, 'checkpoints.jsonl');
});
afterEach(() => keys.close());

const at = (seq: number, workspaceId = 'w') => ({ workspaceId, seq, hash: `hash ${seq}`, at: 0 });
const append = (...checkpoints: readonly ReturnType<typeof at>[]) => appendCheckpoints(path, keys.keyring, checkpoints);
const read = (workspaceId = 'w') => readCheckpoints(path, keys.keyring, workspaceId);
const edit = async (change: (text: string) => string) => writeFile(path, change(await readFile(path, 'utf8')));

describe('the file of checkpoints', () => {
  it('gives back what was added, by workspace', async () => {
    expect(await read()).toBeUndefined();
    await append(at(1), at(9, 'other'));
    await append(at(3));
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1), at(3)], untrusted: 0 });
    expect([...(await readLastCheckpoints(path, keys.keyring)).values()].toSorted((a, b) => a.seq - b.seq)).toEqual([at(3), at(9, 'other')]);
  });

  it('goes on behind a line that a crash left half written', async () => {
    await append(at(1), at(2));
    await truncate(path, (await readFile(path)).length - 20);
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1)], untrusted: 0 });
    await append(at(3));
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1), at(3)], untrusted: 0 });
  });

  it.each<[string, (text: string) => string]>([
    ['says something else than what was signed', (text) => text.replace('"seq":2', '"seq":3')],
    ['has another hash', (text) => text.replace('hash 2', 'hash 9')],
    ['has a spoilt signature', (text) => text.replace(/(.{9})"\}\n$/, 'AAAAAAAAA"}\n')],
    ['is no JSON', (text) => `${text.trimEnd()}}\n`],
  ])('counts a last line that %s as not trusted', async (_, change) => {
    await append(at(1));
    await append(at(2));
    await edit(change);
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1)], untrusted: 1 });
  });

  it('does not trust a line that was signed for something else', async () => {
    const signature = await keys.keyring.sign('decision', at(1));
    await appendFile(path, `${JSON.stringify({ ...at(1), signature })}\n`);
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [], untrusted: 1 });
  });

  it('trusts no line of a revoked key, which the next checkpoint makes up for', async () => {
    await append(at(1), at(1, 'other'));
    const [first] = await keys.keyring.list();
    await keys.keyring.rotate();
    await keys.keyring.revoke(first?.keyId ?? '');
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [], untrusted: 1 });
    expect((await readLastCheckpoints(path, keys.keyring)).size).toBe(0);
    await append(at(2));
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(2)], untrusted: 0 });
    expect((await read('other'))?.untrusted).toBe(1);
  });
});
