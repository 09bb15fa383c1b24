import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { openStory, type StoryOptions } from '../harness/story.js';
import { openTemporal, type TemporalHarness } from '../harness/temporal.js';
import { until } from '../harness/until.js';

let temporal: TemporalHarness;
let database: FreshDatabase;
beforeAll(async () => {
  [temporal, database] = await Promise.all([openTemporal(), freshDatabase()]);
});
afterAll(async () => {
  await temporal.close();
  await database.close();
});
const open = (options: StoryOptions = {}) => openStory(temporal, database, options);

describe('two incidents on one target', () => {
  it('change it one after the other: what was approved meanwhile waits; what comes soon after a fix takes a supervisor', async () => {
    const first = await open({ trouble: { run: 'takesUntilCancelled' } });
    const second = await open({ beside: first });
    const outcomes = await first.worker.runUntil(
      second.worker.runUntil(async () => {
        await first.answer('execution', 'approve');
        await until('the run', async () => (await first.executions())[0]?.state === 'started');
        const asked = await second.openGate('execution');
        await second.answer('execution', 'approve');
        await until('the second to wait', async () => (await second.tailText()).includes('Database Connection Reset waits: another incident is changing the same target'));
        expect(second.ran).toEqual([]);
        expect(await second.executions()).toEqual([]);

        await first.askToCancel();
        await first.answer('needsHuman', 'reject');
        const firstOutcome = await first.handle.result();
        // Approved under what was asked before the fix; the claim asks for more.
        const cooling = await second.gateAfter(asked);
        expect(cooling).toMatchObject({ roleNeeded: 'supervisor' });
        expect(await second.answer('execution', 'approve')).toMatchObject({ kind: 'refused', because: 'notAllowed' });
        await second.answer('execution', 'approve', second.person('sam', 'supervisor'));
        await second.answer('verification', 'approve');
        return [firstOutcome, await second.handle.result()];
      }),
    );
    expect(outcomes).toEqual(['HANDED_OVER', 'RESOLVED']);
    expect(second.ran).toHaveLength(1);
  });

  it('do not wait for each other while one only waits for people, nor where they are in two workspaces', async () => {
    const first = await open();
    const second = await open({ beside: first });
    const elsewhere = await open({ policy: { cooldownMs: 3_600_000 } });
    await first.worker.runUntil(
      second.run(async () => {
        await first.openGate('execution');
        await second.answer('execution', 'approve');
        await second.answer('verification', 'approve');
        await elsewhere.run(async () => {
          expect(await elsewhere.openGate('execution')).toMatchObject({ roleNeeded: 'responder' });
          await elsewhere.answer('execution', 'reject');
        });
      }),
    );
    expect(second.ran).toHaveLength(1);
  });
});

describe('the same fix of the same target', () => {
  it('that has run as often as the policy allows is not proposed again, and a person reads why', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp', fault: 'deletes' }, policy: { maxTries: 2, maxRounds: 5, stabilizationMs: 300, onFailedVerification: 'rollBack' } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
      await story.answer('execution', 'approve', story.person('sam', 'supervisor'));
      await story.answer('verification', 'approve');
      await story.openGate('needsHuman');
      expect(await story.row()).toMatchObject({ status: 'NEEDS_HUMAN' });
      expect(await story.tailText()).toContain('this fix ran 2 times on the same target and the trouble came back: find out why before it runs again');
      await story.answer('needsHuman', 'reject');
    });
    expect(outcome).toBe('HANDED_OVER');
    expect(story.ran).toHaveLength(2);
  });
});
