import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Change } from '../../activities/ports.js';
import { settleRestore } from '../../activities/adapters/sandbox/path-rollback.js';
import { readPaths } from '../../activities/adapters/sandbox/path-snapshot.js';
import { identify } from '../../activities/adapters/sandbox/process-tree.js';
import { createRun, takeRun } from '../../activities/adapters/sandbox/run-folder.js';
import { sha256 } from '../../activities/digest.js';
import { aStep } from '../builders.js';

const key = 'ab'.repeat(16);
let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-restore-')));
  for (const name of ['given', 'other']) {
    await mkdir(join(root, name));
    await writeFile(join(root, name, 'file'), 'before');
  }
});
afterEach(() => rm(root, { recursive: true }));

/** Settles a rollback of `given` whose worker died, from the snapshot of these paths. */
async function settle({ of = ['given'], approved, refused }: { readonly of?: readonly string[]; readonly approved?: string; readonly refused?: string } = {}) {
  const snapshot = (await readPaths(of.map((name) => join(root, name)))).text;
  for (const name of ['given', 'other']) await writeFile(join(root, name, 'file'), 'after');
  const folder = join(root, 'runs', await createRun(join(root, 'runs'), key));
  const self = identify(process.pid);
  if (!self) throw new Error('this process is not there');
  await takeRun(folder, { ...self, startedAt: 'another start' });
  const step = { ...aStep({ type: 'bash', target: 'web-1' }), sandbox: { paths: [join(root, 'given')], secrets: [], memoryBytes: 1, diskBytes: 1, processes: 1, outputBytes: 1 } };
  const change: Extract<Change, { kind: 'rollback' }> = { kind: 'rollback', step, key, snapshot, left: '' };
  return settleRestore(folder, change, { before: approved ?? sha256(snapshot), refuse: async () => refused, signal: new AbortController().signal });
}
const read = (name: string): Promise<string> => readFile(join(root, name, 'file'), 'utf8');

describe('a rollback whose worker died on the way', () => {
  it('is made to its end', async () => {
    expect(await settle()).toMatchObject({ kind: 'done' });
    expect(await read('given')).toBe('before');
  });

  it.each([
    ['from a snapshot that was not approved', { approved: sha256('another') }],
    ['below paths that the target does not allow', { refused: 'it is not below one of the paths' }],
    ['of paths that are not those of the step', { of: ['other'] }],
  ] as const)('is not made %s', async (_, over) => {
    expect(await settle(over)).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('cannot be put back') });
    expect([await read('given'), await read('other')]).toEqual(['after', 'after']);
  });
});
