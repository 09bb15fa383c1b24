import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { toCall } from '../../domain/escalation.js';
import type { Policy } from '../../domain/policy.js';
import { aPolicy } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { openStory, type StoryOptions } from '../harness/story.js';
import { bundleForListening, listenToReplay, type Heard } from '../harness/listen-to-replay.js';
import { listTimers, stretch, stretchWaits, toSpanMs } from '../harness/stretch.js';
import { openTemporal, type TemporalHarness } from '../harness/temporal.js';
import { until } from '../harness/until.js';

let temporal: TemporalHarness;
let database: FreshDatabase;
let listening: { readonly code: string };
beforeAll(async () => {
  [temporal, database, listening] = await Promise.all([openTemporal(), freshDatabase(), bundleForListening()]);
});
afterAll(async () => {
  await temporal.close();
  await database.close();
});
const open = (policy: Partial<Policy>, options: StoryOptions = {}) => openStory(temporal, database, { ...options, policy });
type Story = Awaited<ReturnType<typeof open>>;

const DAY_MS = 86_400_000;
const DAYS_400_MS = 400 * DAY_MS;

/** Whom a gate called, in order: why, and in which channels. */
async function callsOf(story: Story): Promise<readonly string[]> {
  const calls: string[] = [];
  for (const { kind, channel } of await story.told()) {
    const last = calls.at(-1);
    if (last?.startsWith(`${kind}:`) === true && !last.includes(channel)) calls[calls.length - 1] = `${last} ${channel}`;
    else calls.push(`${kind}: ${channel}`);
  }
  return calls;
}

const stillWaiting = async (story: Story) => (await story.updates()).filter(({ text }) => text.startsWith('Still waiting'));

/** What the workflow tells where the history of this run takes so many times as long; throws where it would do something else than the run did. */
const replayStretched = async (handle: WorkflowHandle, factor: number, toPolicy: (policy: Policy) => Policy): Promise<Heard> =>
  listenToReplay(listening, stretch(await handle.fetchHistory(), factor, toPolicy), handle.workflowId);

/** What it told while it waited, in whole days, in its own words. */
const calledIn = ({ told }: Heard): readonly (readonly [day: number, words: string, called: string])[] =>
  told.flatMap(({ atMs, text }) => {
    const [, words, called] = /^Still waiting after (\S+) .*\nCalled: ([a-z, ]+)/.exec(text) ?? [];
    return words === undefined || called === undefined ? [] : [[Math.floor(atMs / DAY_MS), words, called] as const];
  });

describe('an execution gate that nobody answers', () => {
  const waits = { gateRemindMs: 500, escalateMs: 1_500, gateWaitMs: 8_000, groups: ['responders', 'supervisors', 'managers'] };
  const FACTOR = DAYS_400_MS / waits.gateWaitMs;
  const stretched = stretchWaits(FACTOR)(aPolicy(waits));
  let story: Story;
  beforeAll(async () => {
    story = await open(waits);
    await story.run();
  });

  it('reminds the first group, calls one group after the other at twice the time each, expires, and runs nothing', async () => {
    expect(await callsOf(story)).toEqual(['gateOpened: oncall room', 'reminder: oncall room', 'escalation: leads room']);
    expect((await stillWaiting(story)).map(({ text }) => text.split('\n')[1])).toEqual(['Called: responders', 'Called: supervisors', 'Called: managers', 'Called: managers']);
    expect(story.ran).toEqual([]);
    expect((await story.updates()).at(-1)).toMatchObject({ status: 'EXPIRED', text: 'EXPIRED. Nobody approved within 8s. Nothing was run' });
  });

  it('does the same over 400 days', async () => {
    expect(toSpanMs(stretch(await story.handle.fetchHistory(), FACTOR, stretchWaits(FACTOR)))).toBeGreaterThanOrEqual(DAYS_400_MS);
    const heard = await replayStretched(story.handle, FACTOR, stretchWaits(FACTOR));
    const called = calledIn(heard);
    expect(called.map(([, ...words]) => words)).toEqual([
      ['25d', 'responders'],
      ['75d', 'supervisors'],
      ['150d', 'managers'],
      ['300d', 'managers'],
    ]);
    called.forEach(([day], index) => expect(day).toBeGreaterThanOrEqual(toCall(index, stretched).afterMs / DAY_MS));
    // A timer that came late leaves the next one out; each that was set ends exactly when its policy says.
    const [expiry = 0, ...others] = heard.timerEndsMs.toReversed();
    const daysBefore = others.map((endsAtMs) => (expiry - endsAtMs) / DAY_MS);
    expect([375, 325, 250, 100]).toEqual(expect.arrayContaining(daysBefore));
    expect(daysBefore).not.toEqual([]);
  });

  it.each([
    { what: 'an expiry that comes before the last call', toPolicy: (policy: Policy): Policy => ({ ...stretchWaits(FACTOR)(policy), gateWaitMs: 200 * DAY_MS }) },
    { what: 'no second call before the expiry', toPolicy: (policy: Policy): Policy => ({ ...stretchWaits(FACTOR)(policy), escalateMs: 500 * DAY_MS }) },
    { what: 'waits that were over long ago', toPolicy: (policy: Policy): Policy => policy },
  ])('would not, under $what: so the replay can tell', async ({ toPolicy }) => {
    await expect(replayStretched(story.handle, FACTOR, toPolicy)).rejects.toThrow(/Replay failed/);
  });
});

describe('a verification gate that nobody answers', () => {
  it('reminds, then needs a human and tells everyone, goes on calling, offers the rollback, and never expires; nor does it in 400 days', async () => {
    const waits = { gateRemindMs: 500, escalateMs: 2_000, verificationEscalateMs: 1_200 };
    const story = await open(waits, { trouble: { fault: 'deletes' } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await until('the third call', async () => (await stillWaiting(story)).length === 4);
      expect(await story.row()).toMatchObject({ phase: 'VERIFICATION_GATE', status: 'NEEDS_HUMAN' });
      expect(await story.openGate('verification')).toMatchObject({ expiresAt: null, offersRollback: true });
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect((await stillWaiting(story)).map(({ status, text }) => [status, text.split('\n')[1]])).toEqual([
      ['PENDING_HUMAN_APPROVAL', 'Called: responders. What was run can be taken back'],
      ['NEEDS_HUMAN', 'Called: responders, supervisors. What was run can be taken back'],
      ['NEEDS_HUMAN', 'Called: supervisors. What was run can be taken back'],
      ['NEEDS_HUMAN', 'Called: supervisors. What was run can be taken back'],
    ]);
    expect((await callsOf(story)).slice(1)).toEqual([
      'gateOpened: oncall room',
      'reminder: oncall room',
      'needsHuman: leads oncall room',
      'escalation: leads room',
      'escalation: leads room',
    ]);
    const factor = DAYS_400_MS / 4_000;
    expect(calledIn(await replayStretched(story.handle, factor, stretchWaits(factor))).map(([, ...words]) => words)).toEqual([
      ['50d', 'responders'],
      ['120d', 'responders, supervisors'],
      ['200d', 'supervisors'],
      ['400d', 'supervisors'],
    ]);
  });
});

describe('where people are needed to say how to go on', () => {
  it('everybody is asked for at once, the groups are called in turn, and it never expires', async () => {
    const story = await open({ gateRemindMs: 400, escalateMs: 1_200 }, { library: 'empty' });
    await story.run(async () => {
      await until('two calls', async () => (await stillWaiting(story)).length === 2);
      expect((await stillWaiting(story)).map(({ status }) => status)).toEqual(['NEEDS_HUMAN', 'NEEDS_HUMAN']);
      await story.answer('needsHuman', 'reject');
    });
    expect(await callsOf(story)).toEqual(['needsHuman: oncall room', 'reminder: oncall room', 'escalation: leads room']);
  });
});

describe('a wait of 400 days', () => {
  it('is one timer of Temporal, which a person ends', async () => {
    const story = await open({ gateRemindMs: DAYS_400_MS - DAY_MS, escalateMs: DAYS_400_MS, gateWaitMs: DAYS_400_MS });
    const outcome = await story.run(async () => {
      const gate = await story.openGate('execution');
      expect(Number(gate.expiresAt) - Number(gate.openedAt)).toBeGreaterThan(DAYS_400_MS - DAY_MS);
      const [timer] = await until('the timer', async () => {
        const timers = listTimers(await story.handle.fetchHistory());
        return timers.length > 0 && timers;
      });
      expect(timer).toBeGreaterThan(398 * DAY_MS);
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.ran).toHaveLength(1);
  });
});
