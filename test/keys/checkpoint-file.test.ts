import { appendFile, open, readFile, truncate, writeFile } from 'node:fs/promises';
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
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1), at(3)], untrusted: 0, revoked: 0 });
    expect([...(await readLastCheckpoints(path, keys.keyring)).values()].map(({ checkpoint }) => checkpoint).toSorted((a, b) => a.seq - b.seq)).toEqual([at(3), at(9, 'other')]);
  });

  it('knows the last row of a workspace, in whatever order processes wrote', async () => {
    await append(at(3));
    await append(at(2));
    expect((await readLastCheckpoints(path, keys.keyring)).get('w')?.checkpoint).toEqual(at(3));
  });

  it('is added to without being read, however long it is', async () => {
    // More than Node reads of a file at once; a hole, so that it takes no room.
    const length = 3 * 2 ** 30;
    await writeFile(path, '');
    await truncate(path, length);
    await appendFile(path, '\nhalf a line');
    await append(at(1));
    const file = await open(path);
    const { size } = await file.stat();
    const { buffer } = await file.read({ buffer: Buffer.alloc(size - length), position: length });
    await file.close();
    expect(buffer.toString()).toMatch(/^\n\{.*\}\n$/);
  });

  it('goes on behind a half line that is longer than a whole one', async () => {
    await append(at(1));
    await appendFile(path, 'x'.repeat(10_000));
    await append(at(2));
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1), at(2)], untrusted: 0, revoked: 0 });
    await writeFile(path, 'x'.repeat(10_000));
    await append(at(3));
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(3)], untrusted: 0, revoked: 0 });
  });

  it('goes on behind a line that a crash left half written', async () => {
    await append(at(1), at(2));
    await truncate(path, (await readFile(path)).length - 20);
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1)], untrusted: 0, revoked: 0 });
    await append(at(3));
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1), at(3)], untrusted: 0, revoked: 0 });
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
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(1)], untrusted: 1, revoked: 0 });
  });

  it('does not trust a line that was signed for something else', async () => {
    const signature = await keys.keyring.sign('decision', at(1));
    await appendFile(path, `${JSON.stringify({ ...at(1), signature })}\n`);
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [], untrusted: 1, revoked: 0 });
  });

  it('trusts no line of a revoked key, which the next checkpoint makes up for, and still knows it', async () => {
    await append(at(1), at(1, 'other'));
    const [first] = await keys.keyring.list();
    await keys.keyring.rotate();
    await keys.keyring.revoke(first?.keyId ?? '');
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [], untrusted: 1, revoked: 1 });
    expect((await readLastCheckpoints(path, keys.keyring)).get('w')).toEqual({ checkpoint: at(1), keyId: first?.keyId, isRevoked: true });
    await append(at(2));
    expect(await read()).toEqual({ workspaceId: 'w', checkpoints: [at(2)], untrusted: 0, revoked: 1 });
    expect((await read('other'))?.untrusted).toBe(1);
  });
});
