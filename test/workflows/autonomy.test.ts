import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

/** Nobody outside has a say in it, and it can be taken back. */
const stopDeletes = { name: 'Stop Deletes', command: "UPDATE app.switches SET is_on = false WHERE name = 'deletes'", parameters: [] };
const openSure = (policy: StoryOptions['policy'] = {}, options: StoryOptions = {}) =>
  open({ trouble: { fault: 'deletes' }, script: stopDeletes, policy: { autonomy: 'confidence', ...policy }, ...options });

describe('an incident that is only observed', () => {
  it('shows what would run, lets nobody approve it, tells nobody, and ends when the system recovers by itself', async () => {
    const story = await open({ policy: { autonomy: 'observe' } });
    const outcome = await story.run(async () => {
      expect(await story.openGate('execution')).toMatchObject({ mode: 'nobody' });
      expect(await story.row()).toMatchObject({ phase: 'EXECUTION_GATE', status: 'IN_PROGRESS' });
      for (const [verdict, role] of [['approve', 'admin'], ['breakGlass', 'supervisor']] as const) {
        expect(await story.answer('execution', verdict, story.person('sam', role))).toMatchObject({ kind: 'refused', because: 'observeOnly' });
      }
      expect(await story.letPolicySign()).toBeUndefined();
      story.recover();
      await story.tellResolved();
    });
    expect(outcome).toBe('RECOVERED');
    expect(story.ran).toEqual([]);
    expect(await story.executions()).toEqual([]);
    expect(await story.told()).toEqual([]);
    const text = await story.tailText();
    expect(text).toContain('EXECUTION_GATE [IN_PROGRESS]\n   Would run. Severity 8.5/10 (CRITICAL)\n   Proposed remediation: Database Connection Reset');
    expect(text).toContain('Observe mode: nothing is run. It would wait for 1 responder');
    await keepHistory('observed', story.handle);
  });

  it('ends as EXPIRED where it does not recover, and nobody was called meanwhile', async () => {
    const story = await open({ policy: { autonomy: 'observe', gateRemindMs: 100, escalateMs: 200, gateWaitMs: 2_000 } });
    expect(await story.run()).toBe('EXPIRED');
    expect(story.ran).toEqual([]);
    expect(await story.told()).toEqual([]);
    const text = await story.tailText();
    expect(text).not.toContain('Still waiting');
    expect(text).toContain('Observed for 2s. Nothing was run');
  });

  it('is proposed anew for people once the policy lets them decide', async () => {
    const story = await open({ policy: { autonomy: 'observe' } });
    const outcome = await story.run(async () => {
      const observed = await story.openGate('execution');
      await story.changePolicy({ autonomy: 'supervised' });
      expect(await story.answer('execution', 'approve')).toMatchObject({ kind: 'refused', because: 'observeOnly' });
      await story.answer('execution', 'requestChanges');
      expect(await story.gateAfter(observed)).toMatchObject({ kind: 'execution', mode: 'people', planVersion: 2 });
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.ran).toHaveLength(1);
  });

  it('can be closed by a person', async () => {
    const story = await open({ policy: { autonomy: 'observe' } });
    expect(await story.run(() => story.answer('execution', 'reject'))).toBe('REJECTED');
  });
});

describe('a plan that is sure and can be taken back, where policy goes by confidence', () => {
  it('runs on the word of SYSTEM, the last group is told, and a person still looks at the outcome', async () => {
    const story = await openSure();
    const outcome = await story.run(async () => {
      expect(await story.openGate('execution')).toMatchObject({ mode: 'policy' });
      expect(await story.told()).toEqual([]);
      await story.tell('execution', await story.letPolicySign());
      await story.openGate('verification');
      expect(story.store).toEqual({ value: 'nobody may delete', changes: 1 });
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    const told = await story.told();
    expect(told.filter(({ kind }) => kind === 'ranByPolicy').map(({ channel }) => channel)).toEqual(['leads', 'room']);
    expect(told.filter(({ kind }) => kind === 'gateOpened').map(({ channel }) => channel)).toEqual(['oncall', 'room']);
    const text = await story.tailText();
    expect(text).toContain('Sure enough to run. Severity');
    expect(text).toContain('Stop Deletes runs by itself, as the policy says');
    expect(text).toContain('Approved by SYSTEM (system): "policy version 1"');
    await keepHistory('ran-by-policy', story.handle);
  });

  it('is verified without a person where the policy skips that gate, and what people approved is not', async () => {
    const story = await openSure({ skipVerificationGate: true });
    expect(await story.run(async () => story.tell('execution', await story.letPolicySign()))).toBe('RESOLVED');
    expect(await story.headlines()).not.toContain('VERIFICATION_GATE PENDING_HUMAN_APPROVAL');

    const approved = await openSure({ skipVerificationGate: true });
    await approved.run(async () => {
      await approved.answer('execution', 'approve');
      await approved.answer('verification', 'approve');
    });
    expect(approved.store.changes).toBe(1);
  });

  it.each([
    { what: 'cannot be taken back', options: {} },
    { what: 'derives from a name that somebody outside chose', options: { trouble: { fault: 'deletes' } } },
    { what: 'is of HIGH risk', options: { trouble: { fault: 'deletes' }, script: { ...stopDeletes, risk: 'HIGH' } } },
  ] satisfies readonly { what: string; options: StoryOptions }[])('but $what waits for people, who are told', async ({ options }) => {
    const story = await open({ ...options, policy: { autonomy: 'confidence' } });
    const outcome = await story.run(async () => {
      const gate = await story.openGate('execution');
      expect(gate.mode).toBe('people');
      expect(await story.letPolicySign()).toBeUndefined();
      expect(await story.told()).toEqual(['oncall', 'room'].map((channel) => ({ kind: 'gateOpened', channel, gateId: gate.id })));
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
    expect(story.store.changes).toBe(0);
  });
});

describe('autonomy that is taken away', () => {
  it.each([
    { autonomy: 'supervised', because: 'autonomyRevoked', mode: 'people' },
    { autonomy: 'observe', because: 'observeOnly', mode: 'nobody' },
  ] as const)('by $autonomy between the approval and the claim runs nothing and opens another gate', async ({ autonomy, because, mode }) => {
    const story = await openSure();
    const outcome = await story.run(async () => {
      const first = await story.openGate('execution');
      const decisionId = await story.letPolicySign();
      expect(decisionId).toBeDefined();
      await story.changePolicy({ autonomy });
      await story.tell('execution', decisionId);
      const second = await story.gateAfter(first);
      expect(second.mode).toBe(mode);
      expect(second.digest).not.toBe(first.digest);
      expect(story.store.changes).toBe(0);
      expect(await story.executions()).toEqual([]);
      expect(await story.letPolicySign()).toBeUndefined();
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
    expect(await story.tailText()).toContain(`(${because}). Nothing was run; a new plan is made`);
  });

  it('before the policy has signed leaves the gate to people', async () => {
    const story = await openSure({ gateRemindMs: 500 });
    const outcome = await story.run(async () => {
      const gate = await story.openGate('execution');
      await story.changePolicy({ autonomy: 'supervised' });
      expect(await story.letPolicySign()).toBeUndefined();
      await story.tell('execution', gate.id);
      await until('the first group is told', async () => (await story.told()).some(({ kind, gateId }) => kind === 'gateOpened' && gateId === gate.id));
      expect(await story.row()).toMatchObject({ phase: 'EXECUTION_GATE', status: 'PENDING_HUMAN_APPROVAL' });
      expect(await story.tailText()).toContain('Left to people: it does not run by itself any more. Waits for 1 responder until');
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.store.changes).toBe(1);
  });
});
