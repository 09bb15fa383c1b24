import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withLock } from '../../keys/lock.js';
import { until } from '../harness/until.js';

const WAITING = 10;
const ROUNDS = 8;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const locks = async () => (await readdir(folder)).filter((name) => name.startsWith('lock'));

/** Somebody who holds the lock until told to let go. */
function hold() {
  const letGo = new AbortController();
  let holds = false;
  const done = withLock(folder, async () => {
    holds = true;
    await once(letGo.signal, 'abort');
  });
  return {
    holds: () => holds,
    untilHeld: () => until('the lock', async () => holds),
    async letGo() {
      letGo.abort();
      await done;
    },
  };
}

/** Makes the lock look as if its holder had died long ago. */
async function age(): Promise<void> {
  for (const name of await locks()) await utimes(join(folder, name), 1, 1);
}

describe('the lock of the keys', () => {
  it('is held by one at a time, also where many find it stale at the same moment', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const died = hold();
      await died.untilHeld();
      await age();
      let inside = 0;
      let most = 0;
      const work = async (): Promise<void> => {
        most = Math.max(most, (inside += 1));
        await pause(1);
        inside -= 1;
      };
      const waiting: Promise<void>[] = [];
      for (let waiter = 0; waiter < WAITING; waiter += 1) {
        waiting.push(withLock(folder, work));
        // One is at removing what another has just looked at.
        await setImmediate();
      }
      await Promise.all(waiting);
      await died.letGo();
      expect(most).toBe(1);
    }
  }, 60_000);

  it('is not let go by somebody who was taken for dead', async () => {
    const slow = hold();
    await slow.untilHeld();
    await age();
    const next = hold();
    await next.untilHeld();
    await slow.letGo();
    const third = hold();
    // Longer than it waits between two looks.
    await pause(100);
    expect(third.holds()).toBe(false);
    await next.letGo();
    await third.untilHeld();
    await third.letGo();
  });

  it('is let go when the work fails, and leaves no heap of files, however often it is taken', async () => {
    await expect(withLock(folder, async () => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
    for (let time = 0; time < 3; time += 1) await withLock(folder, async () => {});
    expect((await locks()).length).toBeLessThanOrEqual(1);
  });

  it('says what to do where the folder cannot be written', async () => {
    await expect(withLock('/dev/null/keys', async () => {})).rejects.toThrow(/\/dev\/null\/keys cannot be changed .*Let the user/);
  });
});
