import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seedScripts } from '../../domain/script-library.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { keepHistory } from '../harness/keep-history.js';
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
type Story = Awaited<ReturnType<typeof open>>;

describe('a supervisor who breaks the glass', () => {
  const openGrave = (policy: StoryOptions['policy'] = {}) => open({ trouble: { fault: 'deletes' }, script: { risk: 'CRITICAL' }, policy });
  const sam = (story: Story) => story.person('sam', 'supervisor');
  const reviewedByAnother = async (story: Story, kind: 'verification' | 'needsHuman') => {
    expect(await story.answer(kind, 'approve', sam(story))).toMatchObject({ kind: 'refused', because: 'ownBytes' });
    expect(await story.answer(kind, 'approve', story.person('bo'))).toMatchObject({ kind: 'refused', because: 'notAllowed' });
    await story.answer(kind, 'approve', story.person('kim', 'supervisor'));
  };

  it('lets a plan run alone where two are asked for, everyone is told, and another supervisor looks at the outcome', async () => {
    const story = await openGrave();
    const outcome = await story.run(async () => {
      expect(await story.openGate('execution')).toMatchObject({ approvalsNeeded: 2, roleNeeded: 'supervisor' });
      expect(await story.answer('execution', 'breakGlass', story.person('ana'))).toMatchObject({ kind: 'refused', because: 'notAllowed' });
      expect(await story.answer('execution', 'breakGlass', sam(story), null)).toMatchObject({ kind: 'refused', because: 'reasonNeeded' });
      await story.answer('execution', 'breakGlass', sam(story), 'nobody else is awake');
      await story.openGate('verification');
      expect(story.store.changes).toBe(1);
      await reviewedByAnother(story, 'verification');
    });
    expect(outcome).toBe('RESOLVED');
    expect((await story.told()).filter(({ kind }) => kind === 'brokenGlass').map(({ channel }) => channel)).toEqual(['leads', 'oncall', 'room']);
    const text = await story.tailText();
    expect(text).toContain('Revoke Delete runs on the word of sam (supervisor) alone, breaking the glass: "nobody else is awake"');
    expect(text).toContain('Approved by sam (supervisor) alone, breaking the glass: "nobody else is awake"');
    await keepHistory('broken-glass', story.handle);
  });

  it('does not look at the outcome either when the workflow was started anew', async () => {
    const story = await openGrave();
    const outcome = await story.worker.runUntil(async () => {
      await story.answer('execution', 'breakGlass', sam(story), 'nobody else is awake');
      await story.openGate('verification');
      await story.handle.terminate('test');
      const again = await story.startAgain();
      await story.openGate('needsHuman');
      await reviewedByAnother(story, 'needsHuman');
      return again.result();
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.store.changes).toBe(1);
  });

  it('does not close what was done, however it is answered, before another supervisor has looked', async () => {
    const story = await openGrave();
    const outcome = await story.run(async () => {
      await story.answer('execution', 'breakGlass', sam(story), 'nobody else is awake');
      await story.openGate('verification');
      await story.askToCancel();
      await story.answer('needsHuman', 'reject', sam(story), 'it is good as it is');
      await until('the review', async () => (await story.tailText()).includes('sam broke the glass. Another supervisor looks at what was done and approves; then it closes as HANDED_OVER'));
      await story.answer('needsHuman', 'reject', sam(story), 'really');
      await reviewedByAnother(story, 'needsHuman');
    });
    expect(outcome).toBe('HANDED_OVER');
    expect(await story.tailText()).toContain('Reviewed by kim (supervisor)');
  });

  it('is looked at by another supervisor also where the plan was taken back', async () => {
    const story = await openGrave();
    const outcome = await story.run(async () => {
      await story.answer('execution', 'breakGlass', sam(story), 'nobody else is awake');
      await story.answer('verification', 'reject', sam(story), 'it got worse');
      await reviewedByAnother(story, 'needsHuman');
    });
    expect(outcome).toBe('ROLLED_BACK');
    expect(story.store.changes).toBe(2);
  });

  it('does not look at a later round either', async () => {
    const story = await openGrave();
    const outcome = await story.run(async () => {
      await story.answer('execution', 'breakGlass', sam(story), 'nobody else is awake');
      const first = await story.openGate('verification');
      story.blockAgain();
      await story.answer('verification', 'requestChanges', sam(story));
      await story.gateAfter(first);
      for (const name of ['kim', 'lee']) await story.answer('execution', 'approve', story.person(name, 'supervisor'));
      await reviewedByAnother(story, 'verification');
    });
    expect(outcome).toBe('RESOLVED');
  });

  it('is refused where the policy does not have it, and asked again where it was taken away before the claim', async () => {
    const without = await openGrave({ breakGlass: false });
    await without.run(async () => {
      expect(await without.answer('execution', 'breakGlass', sam(without), 'now')).toMatchObject({ kind: 'refused', because: 'breakGlassOff' });
      await without.answer('execution', 'reject');
    });
    const story = await openGrave();
    await story.run(async () => {
      const first = await story.openGate('execution');
      const { decisionId } = await story.decideQuietly('execution', 'breakGlass', sam(story), 'now');
      await story.changePolicy({ breakGlass: false });
      await story.tell('execution', decisionId);
      await story.gateAfter(first);
      await story.answer('execution', 'reject');
    });
    expect(story.store.changes).toBe(0);
    expect((await story.told()).filter(({ kind }) => kind === 'brokenGlass')).toEqual([]);
    expect(await story.tailText()).toContain('(breakGlassOff). Nothing was run; a new plan is made');
  });
});

describe('a plan of LOW confidence', () => {
  it('is reviewed by a supervisor, with a reason, before an approval counts', async () => {
    const story = await open({ trouble: { fault: 'longQuery' }, library: 'empty' });
    const outcome = await story.run(async () => {
      await story.openGate('needsHuman');
      // A script that has not helped so far.
      await story.addScript({ name: 'End Report', category: 'longRunningQuery', command: seedScripts[0]?.command ?? '', parameters: ['pid', 'backendStart'], risk: 'CRITICAL' }, { failed: 9 });
      await story.answer('needsHuman', 'requestChanges');
      expect(await story.openGate('execution')).toMatchObject({ reviewNeeded: true, approvalsNeeded: 2, roleNeeded: 'supervisor' });
      const [sam, kim] = [story.person('sam', 'supervisor'), story.person('kim', 'supervisor')];
      expect(await story.answer('execution', 'approve', sam)).toMatchObject({ kind: 'refused', because: 'reviewNeeded' });
      expect(await story.answer('execution', 'review', story.person('ana'))).toMatchObject({ kind: 'refused', because: 'notAllowed' });
      expect(await story.answer('execution', 'review', sam, null)).toMatchObject({ kind: 'refused', because: 'reasonNeeded' });
      expect(await story.answer('execution', 'review', sam, 'read the statement')).toMatchObject({ kind: 'counted', gateState: 'open' });
      await until('the review in the tail', async () => (await story.tailText()).includes('Reviewed by sam (supervisor): "read the statement"'));
      await story.answer('execution', 'approve', sam);
      await until('the first approval in the tail', async () => (await story.tailText()).includes('1 of 2 approvals: sam (supervisor)'));
      await story.answer('execution', 'approve', kim);
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.ran).toHaveLength(1);
    expect(await story.tailText()).toMatch(/\(LOW\)\. Waits for 2 supervisors, .*after a supervisor's review until/);
  });
});

describe('whoever wrote the script', () => {
  it('does not approve it, and others do', async () => {
    const story = await open({ trouble: { fault: 'deletes' }, script: { createdBy: 'ana' } });
    await story.run(async () => {
      expect(await story.openGate('execution')).toMatchObject({ excluded: ['ana'] });
      expect(await story.answer('execution', 'approve', story.person('ana'))).toMatchObject({ kind: 'refused', because: 'ownBytes' });
      expect(story.store.changes).toBe(0);
      await story.answer('execution', 'approve', story.person('bo'));
      await story.answer('verification', 'approve', story.person('ana'));
    });
    expect(story.store.changes).toBe(1);
    expect(await story.tailText()).toContain('not ana who wrote it');
  });
});
