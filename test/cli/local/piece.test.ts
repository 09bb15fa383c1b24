import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { saysReady, startPiece, type PieceSpec } from '../../../cli/local/piece.js';
import { identify } from '../../../cli/local/process-identity.js';
import { surroundingsOf, temporaryFolder } from './surroundings.js';

const ready = `process.send({ kind: 'ready' }); setInterval(() => {}, 1000);`;

const aSpec = (program: string, over: Partial<PieceSpec> = {}): PieceSpec => ({
  name: 'worker',
  command: process.execPath,
  args: ['-e', program],
  cwd: '/',
  env: {},
  runsAs: {},
  channel: true,
  stopSignal: 'SIGTERM',
  stopWithinMs: 2_000,
  readyWithinMs: 10_000,
  ready: saysReady,
  ...over,
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

describe('a piece', () => {
  it('is there once it says that it is ready, and gone once stopped', async () => {
    const surroundings = await surroundingsOf(temporaryFolder());
    const piece = await startPiece(aSpec(ready), surroundings);
    const pid = piece.pid() ?? 0;
    expect(identify(pid)).not.toBeNull();
    await piece.stop();
    expect(identify(pid)).toBeNull();
  });

  it('is started again when it is killed, and that is said', async () => {
    const surroundings = await surroundingsOf(temporaryFolder());
    const piece = await startPiece(aSpec(ready), surroundings);
    const first = piece.pid() ?? 0;
    kill(first, 'SIGKILL');
    await until(() => piece.pid() !== first);
    expect(surroundings.heard).toEqual([expect.stringContaining('worker ended unexpectedly (SIGKILL)')]);
  });

  it('is not started again after it was stopped', async () => {
    const surroundings = await surroundingsOf(temporaryFolder());
    const piece = await startPiece(aSpec(ready), surroundings);
    kill(piece.pid() ?? 0, 'SIGKILL');
    await piece.stop();
    await sleep(700);
    expect(identify(piece.pid() ?? 0)).toBeNull();
  });

  it('that ends before it is ready fails the start, with what it wrote last', async () => {
    const surroundings = await surroundingsOf(temporaryFolder());
    const start = startPiece(aSpec(`console.error('no database here'); process.exit(3)`), surroundings);
    await expect(start).rejects.toMatchObject({ name: 'Trouble', message: expect.stringMatching(/worker ended \(exit code 3\)[\s\S]*no database here/) });
  });

  it('that is never ready is ended and fails the start', async () => {
    const surroundings = await surroundingsOf(temporaryFolder());
    const start = startPiece(aSpec('setInterval(() => {}, 1000)', { readyWithinMs: 300 }), surroundings);
    await expect(start).rejects.toMatchObject({ message: expect.stringContaining('was not ready in time') });
    expect(identify(surroundings.pieces.get('worker')?.pid() ?? 0)).toBeNull();
  });

  it('that does not heed its stop signal is killed', async () => {
    const surroundings = await surroundingsOf(temporaryFolder());
    const piece = await startPiece(aSpec(`process.on('SIGTERM', () => {}); ${ready}`, { stopWithinMs: 200 }), surroundings);
    const pid = piece.pid() ?? 0;
    await piece.stop();
    expect(identify(pid)).toBeNull();
  });

  it('whose program is missing fails the start', async () => {
    const surroundings = await surroundingsOf(temporaryFolder());
    await expect(startPiece(aSpec('', { command: '/nowhere/temporal' }), surroundings)).rejects.toMatchObject({ name: 'Trouble', message: expect.stringContaining('ENOENT') });
  });

  it('ends when the start is called off meanwhile', async () => {
    const calledOff = new AbortController();
    const surroundings = { ...(await surroundingsOf(temporaryFolder())), stopping: calledOff.signal };
    const start = startPiece(aSpec('setInterval(() => {}, 1000)'), surroundings);
    setTimeout(() => calledOff.abort(), 200);
    await expect(start).rejects.toThrow('worker ended (SIGTERM)');
    expect(identify(surroundings.pieces.get('worker')?.pid() ?? 0)).toBeNull();
  });
});
