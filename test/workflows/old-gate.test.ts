import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { gates, plans } from '../../db/schema.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { openStory } from '../harness/story.js';
import { openTemporal, type TemporalHarness } from '../harness/temporal.js';

let temporal: TemporalHarness;
let database: FreshDatabase;
beforeAll(async () => {
  [temporal, database] = await Promise.all([openTemporal(), freshDatabase()]);
});
afterAll(async () => {
  await temporal.close();
  await database.close();
});

const DAY_MS = 86_400_000;
const AGE_MS = 400 * DAY_MS;

/** An incident whose gate, with its plan and its evidence, has been open for so long. */
async function openAged(ageMs: number) {
  const story = await openStory(temporal, database, { trouble: { measuredAgoMs: ageMs }, policy: { gateWaitMs: 2 * AGE_MS, gateRemindMs: 2 * AGE_MS, evidenceValidMs: DAY_MS } });
  const { incidentId } = story;
  return {
    ...story,
    async age() {
      const gate = await story.openGate('execution');
      const ago = sql`${ageMs} * interval '1 millisecond'`;
      await database.db.update(gates).set({ openedAt: sql`${gates.openedAt} - ${ago}`, expiresAt: sql`${gates.expiresAt} - ${ago}` }).where(eq(gates.id, gate.id));
      await database.db.update(plans).set({ createdAt: sql`${plans.createdAt} - ${ago}` }).where(eq(plans.incidentId, incidentId));
      return gate;
    },
  };
}

describe('a plan that is approved after 400 days', () => {
  it('runs once where what is measured now still leads to it', async () => {
    const story = await openAged(AGE_MS);
    const outcome = await story.run(async () => {
      await story.age();
      expect(await story.answer('execution', 'approve')).toMatchObject({ kind: 'counted', gateState: 'approved' });
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.ran).toHaveLength(1);
  });

  it('runs not at all where all is well again', async () => {
    const story = await openAged(AGE_MS);
    const outcome = await story.run(async () => {
      await story.age();
      story.recover();
      await story.answer('execution', 'approve');
    });
    expect(outcome).toBe('RECOVERED');
    expect(story.ran).toEqual([]);
  });

  it('is followed by another plan at another gate where another session is to blame, though its own is still there', async () => {
    const story = await openAged(AGE_MS);
    const outcome = await story.run(async () => {
      const first = await story.age();
      story.letAnotherBlock();
      await story.answer('execution', 'approve');
      const second = await story.gateAfter(first);
      expect(second.digest).not.toBe(first.digest);
      expect(story.ran).toEqual([]);
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
    expect(await story.tailText()).toMatch(/Database Connection Reset does not fit any more: its evidence is of \d{4}-\d\d-\d\d \d\d:\d\d UTC, and what is measured now does not lead to it\. Nothing was run; a new plan is made/);
  });

  it('is not asked why again while its evidence is fresh: then its own objects decide', async () => {
    const story = await openAged(0);
    await story.run(async () => {
      await story.age();
      story.letAnotherBlock();
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(story.ran).toHaveLength(1);
  });
});
