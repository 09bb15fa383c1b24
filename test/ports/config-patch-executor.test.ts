import { readFileSync, writeFileSync } from 'node:fs';
import { chmod, chown, link, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createConfigPatchExecutor } from '../../activities/adapters/config-patch-executor.js';
import type { Change, ChangeOptions, Executor } from '../../activities/ports.js';
import type { Step, ValidStep } from '../../domain/plan.js';
import { aPolicy, aStep } from '../builders.js';
import type { Workspace } from '../../domain/watch.js';
import { describeExecutor, type ExecutorWorld, freezeStep } from './executor-contract.js';
import { watchFile } from './watched-folder.js';

const good = '# The shop\nserver:\n  port: 8080 # public\n  timeoutMs: 30   # too short\nfeatures: [search, cart]\n';
const fixed = good.replace('30 ', '3000 ');
const script = JSON.stringify([
  { op: 'test', path: '/server/timeoutMs', value: 30 },
  { op: 'replace', path: '/server/timeoutMs', value: 3000 },
]);
const aPatch = (over: Partial<ValidStep> = {}): ValidStep => ({ ...aStep(), type: 'config-patch', target: 'shop-config', script, parameters: [], reach: 'file', ...over });

const aWorkspace = (targets: Workspace['targets']): Workspace => ({
  id: 'w',
  targets,
  alertRules: [],
  channels: [],
  sweepEveryMs: null,
  startingPolicy: aPolicy(),
});

const folders: string[] = [];
const watchers: { readonly close: () => void }[] = [];
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.close();
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});
async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  folders.push(folder);
  return folder;
}

const toExecutor = (path: string): Executor =>
  createConfigPatchExecutor(
    {
      readWorkspace: () =>
        aWorkspace([{ kind: 'config-file', name: 'shop-config', path: { env: 'SHOP_CONFIG' }, executor: 'config-patch', serves: [], detectors: [] }]),
    },
    () => path,
  );

async function openWorld(): Promise<ExecutorWorld & { readonly folder: string; readonly path: string }> {
  const folder = await openFolder();
  const path = join(folder, 'shop.yaml');
  await writeFile(path, good);
  const executor = toExecutor(path);
  const watched = watchFile(folder, 'shop.yaml');
  watchers.push(watched);
  return {
    folder,
    path,
    executor,
    workspaceId: 'w',
    step: await freezeStep(executor, 'w', aPatch()),
    effects: () => watched.count(),
    leftovers: async () => (await readdir(folder)).filter((name) => name.startsWith('.sluice-')),
    disturb: async () => {
      await writeFile(join(folder, 'edited'), (await readFile(path, 'utf8')).replace('8080', '9090'));
      await rename(join(folder, 'edited'), path);
    },
    restoredExactly: async () => (await readFile(path, 'utf8')) === good,
    close: async () => {},
  };
}

describeExecutor('config-patch', { wayBack: 'snapshot', open: openWorld });

const options = (begin: ChangeOptions['begin'] = async () => {}, lines: string[] = []): ChangeOptions => ({
  begin,
  signal: new AbortController().signal,
  onOutput: (line) => lines.push(line),
  toldLines: 0,
  drained: async () => {},
});
const toChange = async (executor: Executor, step: Step): Promise<Change> => ({ kind: 'execute', step, key: 'a'.repeat(32), snapshot: await executor.snapshot('w', step) });

describe('a config-patch step', () => {
  it.each([
    ['  password: hunter2\n', 'password: •••'],
    ['  password:\n    value: hunter2\n', '    value: •••'],
    ['  # password: hunter2\n', '  # •••'],
  ])('shows nothing around what it changes that looks like a secret, nor what somebody else put there: %j', async (secret, shown) => {
    const { executor, path, step } = await openWorld();
    await writeFile(path, good.replace('  port', `${secret}  port`));
    const { lines } = await executor.rehearse('w', aPatch());
    expect(lines.join('\n')).toContain(shown);
    expect(lines).toContain('   port: 8080 # public');
    const told: string[] = [];
    await executor.run('w', { kind: 'execute', step, key: 'a'.repeat(32), snapshot: good }, options(undefined, told));
    expect([...lines, ...told].join('\n')).not.toContain('hunter2');
    expect(told.some((line) => line.startsWith('+') && line.endsWith(shown))).toBe(true);
  });

  it('shows nothing of what is a secret only before it or only after it', async () => {
    const { executor, path } = await openWorld();
    const text = 'credentials:\n  value: hunter2\n  port: 8080\n';
    await writeFile(path, text);
    const swap = JSON.stringify([{ op: 'test', path: '/credentials/port', value: 8080 }, { op: 'move', from: '/credentials', path: '/shown' }]);
    const { lines } = await executor.rehearse('w', aPatch({ script: swap }));
    expect(lines.filter((line) => line.startsWith(' '))).toEqual(['   value: •••', '   port: •••']);
  });

  it('that is settled tells its line if its worker died before that was stored, and not once more', async () => {
    const { executor, step } = await openWorld();
    const change = await toChange(executor, step);
    let handle = '';
    const told: string[] = [];
    await executor.run('w', change, options(async (noted) => void (handle = noted), told));
    const again: string[] = [];
    await executor.settle('w', change, handle, { ...options(undefined, again), toldLines: told.length });
    expect(again).toEqual([]);
    await executor.settle('w', change, handle, options(undefined, again));
    expect(again).toEqual(told);
  });

  it('is rehearsed as a unified diff, and pinned by the SHA-256 of the bytes', async () => {
    const { executor, step } = await openWorld();
    const { lines } = await executor.rehearse('w', step);
    expect(lines[0]).toContain('1 line added, 1 taken away');
    expect(lines.slice(3)).toEqual([
      '@@ -1,5 +1,5 @@',
      ' # The shop',
      ' server:',
      '   port: 8080 # public',
      '-  timeoutMs: 30   # too short',
      '+  timeoutMs: 3000   # too short',
      ' features: [search, cart]',
    ]);
    const sha256 = (text: string) => createHash('sha256').update(Buffer.from(text)).digest('hex');
    expect(step.pins).toEqual({ before: sha256(good), after: sha256(fixed) });
    expect(step.wayBack).toMatchObject({ kind: 'snapshot', of: 'file' });
  });

  it('leaves the file as the diff says, with its mode and owner, and the link that leads to it', async () => {
    const folder = await openFolder();
    await mkdir(join(folder, 'real'));
    const file = join(folder, 'real', 'shop.yaml');
    await writeFile(file, good);
    await chmod(file, 0o640);
    if (process.getuid?.() === 0) await chown(file, 12_345, 54_321);
    const before = await stat(file);
    const linked = join(folder, 'shop.yaml');
    await symlink('real/shop.yaml', linked);
    const executor = toExecutor(linked);
    expect(await executor.run('w', await toChange(executor, await freezeStep(executor, 'w', aPatch())), options())).toMatchObject({ kind: 'done' });
    expect(await readFile(file, 'utf8')).toBe(fixed);
    const { mode, uid, gid, ino } = await stat(file);
    expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
    expect(ino).not.toBe(before.ino);
    expect(await readlink(linked)).toBe('real/shop.yaml');
  });

  it('never shows half of itself to a reader', async () => {
    const { executor, step, path } = await openWorld();
    const seen = new Set<string>();
    const change = await toChange(executor, step);
    let done = false;
    const running = executor.run('w', change, options()).finally(() => (done = true));
    while (!done) seen.add(await readFile(path, 'utf8'));
    await running;
    expect([good, fixed]).toEqual(expect.arrayContaining([...seen]));
  });

  it.each([
    ['a file that is not there', async (path: string) => rm(path), 'not there'],
    ['a folder', async (path: string) => (await rm(path), mkdir(path)), 'not a file'],
    ['a link to itself', async (path: string) => (await rm(path), symlink(path, path)), 'cannot be read'],
    ['a file that is not YAML', async (path: string) => writeFile(path, 'a: [1\n'), 'not one YAML document'],
    ['bytes that are not text', async (path: string) => writeFile(path, Buffer.from([0xff, 0xfe, 0x41])), 'not text'],
    ['a zero byte', async (path: string) => writeFile(path, 'a: "\0"\n'), 'not text'],
    ['a file over a mebibyte', async (path: string) => writeFile(path, `a: ${'x'.repeat(1_048_576)}\n`), '1048576'],
    ['a value that is not as the patch expects', async (path: string) => writeFile(path, good.replace('30', '60')), 'is 60, not 30'],
  ])('is not found in %s, in words', async (_what, spoil, words) => {
    const { executor, step, path } = await openWorld();
    await spoil(path);
    expect(await executor.rehearse('w', step)).toEqual({ found: false, lines: [expect.stringContaining(words)] });
    await expect(executor.snapshot('w', step)).rejects.toMatchObject({ kind: 'targetChanged' });
    const change: Change = { kind: 'execute', step, key: 'a'.repeat(32), snapshot: good };
    expect(await executor.run('w', change, options())).toMatchObject({ kind: 'conflict' });
  });

  it('is not found where it would change nothing', async () => {
    const { executor } = await openWorld();
    const same = JSON.stringify([{ op: 'test', path: '/server/timeoutMs', value: 30 }, { op: 'replace', path: '/server/timeoutMs', value: 30 }]);
    expect(await executor.rehearse('w', aPatch({ script: same }))).toMatchObject({ found: false, lines: [expect.stringContaining('already')] });
  });

  it('shows no more of a long difference than people read, and says how much it left out', async () => {
    const { executor, path } = await openWorld();
    await writeFile(path, `list:\n${Array.from({ length: 300 }, (_, index) => `- ${index}\n`).join('')}`);
    const { lines } = await executor.rehearse('w', aPatch({ script: JSON.stringify([{ op: 'test', path: '/list/0', value: 0 }, { op: 'remove', path: '/list' }]) }));
    expect(lines.length).toBeLessThan(210);
    expect(lines.at(-1)).toMatch(/^… \d+ more lines$/);
  });

  it('is refused for a target without that executor', async () => {
    const executor = createConfigPatchExecutor({ readWorkspace: () => aWorkspace([]) }, () => '');
    await expect(executor.rehearse('w', aPatch())).rejects.toMatchObject({ kind: 'targetMissing' });
  });

  it('that is edited while it begins is not made, says so, and is still known not to be made when its worker dies before it could', async () => {
    const { executor, step, path, disturb } = await openWorld();
    const change = await toChange(executor, step);
    let handle = '';
    const result = await executor.run('w', change, options(async (noted) => {
      handle = noted;
      await disturb();
    }));
    expect(result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('at the same moment') });
    expect(await readFile(path, 'utf8')).toBe(good.replace('8080', '9090'));
    expect(await executor.settle('w', change, handle, options())).toEqual({ kind: 'notDone' });
    // Tried again, it finds the edit before it begins, and may die once more.
    expect(await executor.run('w', change, options())).toMatchObject({ kind: 'conflict' });
    expect(await executor.settle('w', change, handle, options())).toEqual({ kind: 'notDone' });
  });

  it('whose file was changed right after it was put there does not say that it was done', async () => {
    const { executor, step, path } = await openWorld();
    let ended = false;
    const meddle = () => {
      if (readFileSync(path, 'utf8') === fixed) writeFileSync(path, 'server: {}\n');
      else if (!ended) setImmediate(meddle);
    };
    const result = await executor.run('w', await toChange(executor, step), options(async () => meddle())).finally(() => (ended = true));
    expect(result).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('is not what was put there') });
  });

  it('that was called off leaves nothing of the file on disk but an empty mark, and that not for ever', async () => {
    const { executor, step, folder, leftovers } = await openWorld();
    const change = await toChange(executor, step);
    let handle = '';
    const dies = options(async (noted) => {
      handle = noted;
      throw new Error('died');
    });
    await expect(executor.run('w', change, dies)).rejects.toThrow('died');
    await executor.settle('w', change, handle, options());
    const [mark = '', ...more] = await leftovers();
    expect(more).toEqual([]);
    expect(await readFile(join(folder, mark), 'utf8')).toBe('');
    const long = new Date(Date.now() - 30 * 86_400_000);
    const other: Change = { ...change, key: 'c'.repeat(32) };
    await expect(executor.run('w', other, dies)).rejects.toThrow('died');
    await executor.settle('w', other, handle, options());
    expect(await leftovers()).toHaveLength(2);
    await utimes(join(folder, mark), long, long);
    await executor.run('w', { ...change, key: 'd'.repeat(32) }, options());
    const [kept = '', ...others] = await leftovers();
    expect(kept).toContain(other.key);
    expect(others).toEqual([]);
  });

  it('is refused in words for a file with other names, of which it would reach only one', async () => {
    const { executor, step, path, folder, leftovers } = await openWorld();
    const change = await toChange(executor, step);
    await link(path, join(folder, 'other.yaml'));
    expect(await executor.rehearse('w', step)).toEqual({ found: false, lines: [expect.stringContaining('2 names (hard links)')] });
    let began = false;
    const result = await executor.run('w', change, options(async () => void (began = true)));
    expect(result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('2 names (hard links)') });
    expect(began).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(good);
    expect(await leftovers()).toEqual([]);
  });

  (process.getuid?.() === 0 ? describe : describe.skip)('of a file of somebody else (needs root, to make one)', () => {
    const nobody = 65_534;
    /** Lets the executor run as a user who owns the folder. */
    async function asNobody<Result>(folder: string, act: () => Promise<Result>, group = nobody): Promise<Result> {
      await chown(folder, nobody, group);
      await chmod(folder, 0o2755);
      process.seteuid?.(nobody);
      try {
        return await act();
      } finally {
        process.seteuid?.(0);
      }
    }

    it.each([
      ['owner', 12_345, 0],
      ['group', nobody, 54_321],
    ])('is refused in words where the %s cannot be kept', async (_what, uid, gid) => {
      const { executor, step, path, folder, leftovers } = await openWorld();
      const change = await toChange(executor, step);
      await chown(path, uid, gid);
      await chmod(path, 0o644);
      await asNobody(folder, async () => {
        expect(await executor.rehearse('w', step)).toEqual({ found: false, lines: [expect.stringContaining(`belongs to ${uid}:${gid}`)] });
        let began = false;
        const result = await executor.run('w', change, options(async () => void (began = true)));
        expect(result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining(`belongs to ${uid}:${gid}`) });
        expect(began).toBe(false);
      });
      expect(await readFile(path, 'utf8')).toBe(good);
      expect(await stat(path)).toMatchObject({ uid, gid });
      expect(await leftovers()).toEqual([]);
    });

    it('is refused where its bits cannot be kept, which only shows when it is tried', async () => {
      const { executor, step, path, folder, leftovers } = await openWorld();
      const change = await toChange(executor, step);
      await chown(path, nobody, 54_321);
      await chmod(path, 0o2644);
      // What is made in the folder gets its group, but only members of that may set this bit.
      const result = await asNobody(folder, () => executor.run('w', change, options()), 54_321);
      expect(result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('cannot be kept') });
      expect(await leftovers()).toEqual([]);
    });

    it('is made where only its group is another of ours, and keeps it', async () => {
      const { executor, step, path, folder } = await openWorld();
      const change = await toChange(executor, step);
      const groups = process.getgroups?.() ?? [];
      await chown(path, nobody, 54_321);
      process.setgroups?.([54_321]);
      try {
        expect(await asNobody(folder, () => executor.run('w', change, options()))).toMatchObject({ kind: 'done' });
      } finally {
        process.setgroups?.(groups);
      }
      expect(await stat(path)).toMatchObject({ uid: nobody, gid: 54_321 });
    });
  });

  it('that would not give what was approved is not made', async () => {
    const { executor, step, path } = await openWorld();
    const change = await toChange(executor, { ...step, script: script.replace('3000', '1') });
    expect(await executor.run('w', change, options())).toMatchObject({ kind: 'failed', changed: false });
    expect(await readFile(path, 'utf8')).toBe(good);
  });

  it('that is stopped before it begins throws, and leaves nothing behind', async () => {
    const { executor, step, leftovers } = await openWorld();
    const stopped = { ...options(), signal: AbortSignal.abort(new Error('stopped')) };
    await expect(executor.run('w', await toChange(executor, step), stopped)).rejects.toThrow('stopped');
    expect(await leftovers()).toEqual([]);
  });

  it('whose begin fails otherwise may be noted as begun, so it can still be settled', async () => {
    const { executor, step } = await openWorld();
    const change = await toChange(executor, step);
    let handle = '';
    const begin = async (noted: string) => {
      handle = noted;
      throw new Error('the connection was lost');
    };
    await expect(executor.run('w', change, options(begin))).rejects.toThrow('lost');
    expect(await executor.settle('w', change, handle, options())).toEqual({ kind: 'notDone' });
  });

  it('whose worker wakes up late does not say that it was done, nor that it was not', async () => {
    const { executor, step } = await openWorld();
    const change = await toChange(executor, step);
    const late = executor.run('w', change, options(async (handle) => {
      await executor.settle('w', change, handle, options());
      await executor.run('w', change, options());
    }));
    await expect(late).rejects.toThrow('settled by another worker');
  });

  it.each([
    ['no handle', () => 'nonsense'],
    ['a handle of other files', () => JSON.stringify({ file: '/etc/passwd', key: '../..', suffix: 'passwd' })],
  ])('is unknown when there is %s', async (_what, toHandle) => {
    const { executor, step } = await openWorld();
    await expect(executor.settle('w', await toChange(executor, step), toHandle(), options())).rejects.toMatchObject({ kind: 'outcomeUnknown' });
  });

  it('is unknown when somebody removed what was staged', async () => {
    const { executor, step, folder, leftovers } = await openWorld();
    const change = await toChange(executor, step);
    let handle = '';
    await expect(executor.run('w', change, options(async (noted) => {
      handle = noted;
      throw new Error('died');
    }))).rejects.toThrow('died');
    for (const name of await leftovers()) await rm(join(folder, name));
    await expect(executor.settle('w', change, handle, options())).rejects.toMatchObject({ kind: 'outcomeUnknown' });
  });
});

describe('a config-patch rollback', () => {
  it('of a step that nobody settled keeps its worker from making it later', async () => {
    const { executor, step, restoredExactly, leftovers } = await openWorld();
    const change = await toChange(executor, step);
    const late = executor.run('w', change, options(async (left) => {
      const rollback: Change = { kind: 'rollback', step, key: 'b'.repeat(32), snapshot: good, left };
      expect(await executor.run('w', rollback, options())).toMatchObject({ kind: 'done' });
    }));
    await expect(late).rejects.toThrow('settled by another worker');
    expect(await restoredExactly()).toBe(true);
    expect(await leftovers()).toEqual([]);
  });
});

describe('a config-patch conflict', () => {
  it('shows how the file differs from what was rehearsed', async () => {
    const { executor, step, disturb } = await openWorld();
    const change = await toChange(executor, step);
    await disturb();
    const lines: string[] = [];
    const result = await executor.run('w', change, options(undefined, lines));
    expect(result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('since it was rehearsed: 1 line added, 1 taken away') });
    expect(lines).toEqual(expect.arrayContaining(['-  port: 8080 # public', '+  port: 9090 # public']));
  });

  it('of a rollback shows how the file differs from what the step left', async () => {
    const { executor, step, disturb } = await openWorld();
    const change = await toChange(executor, step);
    let left = '';
    await executor.run('w', change, options(async (handle) => void (left = handle)));
    await disturb();
    const lines: string[] = [];
    const rollback: Change = { kind: 'rollback', step, key: 'b'.repeat(32), snapshot: good, left };
    expect(await executor.run('w', rollback, options(undefined, lines))).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('since the step: 1 line added') });
    expect(lines).toEqual(expect.arrayContaining(['-  port: 8080 # public', '+  port: 9090 # public']));
    expect(lines).not.toContain('-  timeoutMs: 3000   # too short');
  });
});
