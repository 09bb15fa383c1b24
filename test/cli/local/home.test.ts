import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openHome } from '../../../cli/local/home.js';
import { openLedger } from '../../../cli/local/ledger.js';
import { takeLock } from '../../../cli/local/lock.js';
import { identify, isRunning } from '../../../cli/local/process-identity.js';
import { temporaryFolder } from './surroundings.js';

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

async function sleeper(): Promise<{ pid: number; child: ChildProcess }> {
  const child = spawn('sleep', ['60']);
  children.push(child);
  await once(child, 'spawn');
  return { pid: child.pid ?? 0, child };
}

describe('a state folder', () => {
  it('is made with what it needs, closed to others but for passing through', async () => {
    const home = await openHome(join(temporaryFolder(), 'deep', 'home'));
    expect(statSync(home.logs).mode & 0o777).toBe(0o700);
    expect(statSync(home.folder).mode & 0o066).toBe(0);
  });

  it.each([
    ['is a file', (folder: string) => (writeFileSync(join(folder, 'home'), ''), join(folder, 'home'))],
    ['is below a file', (folder: string) => (writeFileSync(join(folder, 'file'), ''), join(folder, 'file', 'home'))],
    ['has a file where a folder belongs', (folder: string) => (writeFileSync(join(folder, 'logs'), ''), folder)],
  ])('that %s stops the start with a remedy', async (_why, make) => {
    const folder = make(temporaryFolder());
    await expect(openHome(folder)).rejects.toMatchObject({ name: 'Trouble', message: expect.stringContaining(folder), remedy: expect.stringContaining('SLUICE_HOME') });
  });
});

describe('a process', () => {
  it('is known by its start time, so that another one with its pid is not it', async () => {
    const { pid } = await sleeper();
    const identity = identify(pid);
    expect(identity).not.toBeNull();
    expect(isRunning({ pid, startedAt: identity?.startedAt ?? '' })).toBe(true);
    expect(isRunning({ pid, startedAt: 'another time' })).toBe(false);
  });

  it('that ended is nobody', async () => {
    const { pid, child } = await sleeper();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(identify(pid)).toBeNull();
  });
});

describe('what an earlier start left behind', () => {
  it('is ended by the next one, and nothing else is', async () => {
    const path = join(temporaryFolder(), 'processes.json');
    const [left, stranger] = [await sleeper(), await sleeper()];
    openLedger(path).note('worker', left.pid, 'SIGTERM');
    openLedger(path).note('api', stranger.pid, 'SIGTERM');
    const entries: { pid: number; startedAt: string }[] = JSON.parse(readFileSync(path, 'utf8'));
    // The stranger got the pid that a process of ours once had.
    writeFileSync(path, JSON.stringify(entries.map((entry) => (entry.pid === stranger.pid ? { ...entry, startedAt: 'earlier' } : entry))));

    const said: string[] = [];
    await openLedger(path).endLeftovers((line) => said.push(line));

    expect(identify(left.pid)).toBeNull();
    expect(identify(stranger.pid)).not.toBeNull();
    expect(said).toEqual([`Ending worker (process ${left.pid}), left behind by an earlier start`]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([]);
  });

  it('stops the start when its list cannot be read', () => {
    const path = join(temporaryFolder(), 'processes.json');
    writeFileSync(path, '[{"pid":');
    expect(() => openLedger(path)).toThrow(expect.objectContaining({ name: 'Trouble', message: expect.stringContaining(path) }));
  });
});

describe('the lock of a state folder', () => {
  it('keeps a second start out, and tells it who is in', async () => {
    const path = join(temporaryFolder(), 'lock');
    expect((await takeLock(path)).kind).toBe('taken');
    expect(await takeLock(path)).toMatchObject({ kind: 'held', by: { pid: process.pid } });
  });

  it('is free again once released', async () => {
    const path = join(temporaryFolder(), 'lock');
    const first = await takeLock(path);
    if (first.kind === 'taken') await first.release();
    expect((await takeLock(path)).kind).toBe('taken');
  });

  it.each([['whose holder is gone', JSON.stringify({ pid: process.pid, startedAt: 'before' })], ['that is damaged', '{']])('%s is taken over', async (_why, text) => {
    const path = join(temporaryFolder(), 'lock');
    writeFileSync(path, text);
    expect((await takeLock(path)).kind).toBe('taken');
  });

  it('goes to one of many that try at once', async () => {
    const path = join(temporaryFolder(), 'lock');
    const attempts = await Promise.all(Array.from({ length: 20 }, () => takeLock(path)));
    expect(attempts.filter(({ kind }) => kind === 'taken')).toHaveLength(1);
  });
});
