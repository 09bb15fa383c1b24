import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rollbackWorkflowId, type RollbackInput, signalNameOf } from '../../contracts/messages.js';
import { askRollback, readRollbackRequest } from '../../db/ask-rollback.js';
import { createRecorder } from '../../db/recorder.js';
import { readTail } from '../../db/tail-reads.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { keepHistory } from '../harness/keep-history.js';
import { testSign } from '../harness/signatures.js';
import { openStory, type StoryOptions } from '../harness/story.js';
import { openTemporal, replay, type TemporalHarness } from '../harness/temporal.js';
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

const BEFORE = 'everybody may delete';
const AFTER = 'report may not delete';
/** A fault whose fix is a change of a row. */
const open = (options: StoryOptions = {}) => openStory(temporal, database, { ...options, trouble: { fault: 'deletes', ...options.trouble } });
type Story = Awaited<ReturnType<typeof open>>;

const approve = async (story: Story) => {
  await story.answer('execution', 'approve');
  await story.openGate('verification');
};
const textOf = async (story: Story) => (await story.tailText()).replaceAll(/in [\d.]+s/g, 'in 0.1s');

describe('a fix that is found not good', () => {
  it('is taken back at once when the verification gate is rejected, and the incident closes as ROLLED_BACK', async () => {
    const story = await open();
    const outcome = await story.run(async () => {
      await approve(story);
      expect(story.store.value).toBe(AFTER);
      expect(await story.openGate('verification')).toMatchObject({ offersRollback: true, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
      await story.answer('verification', 'reject', story.person('ana'), 'the report stopped');
    });
    expect(outcome).toBe('ROLLED_BACK');
    expect(story.store).toEqual({ value: BEFORE, changes: 2 });
    const text = await textOf(story);
    expect(text).toContain('Way back: rollback, kept for 1m');
    expect(text).toContain(
      [
        '   Took back Revoke Delete',
        '   Asked for by ana (responder): "the report stopped"',
        '   Execution log:',
        `   | set to ${BEFORE}`,
        '   Status: SUCCESS ✅ in 0.1s',
        '✅ CLOSED [SUCCESS]',
        '   ROLLED_BACK. Revoke Delete was taken back by ana (responder): "the report stopped"',
      ].join('\n'),
    );
    expect(await story.executions()).toEqual([
      expect.objectContaining({ kind: 'execute', state: 'succeeded', snapshot: BEFORE }),
      expect.objectContaining({ kind: 'rollback', state: 'succeeded' }),
    ]);
    await keepHistory('rolled-back', story.handle);
  });

  it('is taken back by itself after a verification that failed, where the policy says so, and another plan is made until rounds are used up', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp' }, policy: { onFailedVerification: 'rollBack', maxRounds: 2, stabilizationMs: 300 } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
      // It has failed once, so its confidence is lower.
      await story.answer('execution', 'approve', story.person('sam', 'supervisor'));
      await story.answer('verification', 'approve');
      await story.openGate('needsHuman');
      expect(story.store).toEqual({ value: BEFORE, changes: 4 });
      await story.answer('needsHuman', 'reject');
    });
    expect(outcome).toBe('HANDED_OVER');
    const text = await textOf(story);
    expect(text).toContain('As the policy says after a verification that failed');
    expect(text).toContain('2 rounds did not help\n   Revoke Delete was taken back');
  });

  it('is told in the end as taken back, whatever becomes of the next plan', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp' }, policy: { onFailedVerification: 'rollBack', stabilizationMs: 300 } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('ROLLED_BACK');
    expect(story.store).toEqual({ value: BEFORE, changes: 2 });
    expect(await textOf(story)).toContain('ROLLED_BACK. Revoke Delete was taken back. Rejected by ana');
  });

  it('is not forgotten by a workflow that is started anew: a person says what becomes of it', async () => {
    const story = await open();
    const worker = story.worker;
    const outcome = await worker.runUntil(async () => {
      await approve(story);
      await story.handle.terminate('test');
      const again = await story.startAgain();
      await story.openGate('needsHuman');
      expect(await textOf(story)).toContain('The workflow was started anew after Revoke Delete had run, or may have');
      await story.answerOf(again, 'needsHuman', 'rollBack', 'take it back', 'supervisor');
      return again.result();
    });
    expect(outcome).toBe('ROLLED_BACK');
    expect(story.store).toEqual({ value: BEFORE, changes: 2 });
  });

  it('is not taken back by itself when the policy of today asks first', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp' }, policy: { onFailedVerification: 'rollBack', stabilizationMs: 300 }, policyNow: { onFailedVerification: 'ask' } });
    await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
      await story.openGate('needsHuman');
      expect(story.store).toEqual({ value: AFTER, changes: 1 });
      await story.answer('needsHuman', 'reject');
    });
    expect(await textOf(story)).toContain('the policy does not let a rollback begin by itself (notAutomatic)');
  });

  it('is asked for by default: a supervisor takes it back, a responder may not', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp' }, policy: { stabilizationMs: 300 } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
      expect(await story.answer('needsHuman', 'rollBack', story.person('ana'))).toMatchObject({ kind: 'refused', because: 'notAllowed' });
      expect(story.store.changes).toBe(1);
      expect(await story.answer('needsHuman', 'rollBack', story.person('sam', 'supervisor'))).toMatchObject({ kind: 'counted', gateState: 'rollbackRequested' });
    });
    expect(outcome).toBe('ROLLED_BACK');
    expect(story.store).toEqual({ value: BEFORE, changes: 2 });
    await keepHistory('failed-and-rolled-back', story.handle);
  });
});

describe('a rollback', () => {
  it('by policy needs a verification that failed, an incident that is open, and happens once', async () => {
    const story = await open({ policy: { onFailedVerification: 'rollBack' } });
    const claim = async () => {
      const digest = (await story.executions())[0]?.digest ?? '';
      const { workspaceId, incidentId, policy } = story;
      return story.activities.claimRollback({ workspaceId, incidentId, digest, claimId: randomUUID(), cause: { kind: 'policy' }, policy });
    };
    await story.run(async () => {
      await approve(story);
      expect(await claim()).toEqual({ kind: 'refused', because: 'notAutomatic' });
      await story.answer('verification', 'approve');
    });
    expect(await claim()).toEqual({ kind: 'refused', because: 'notAutomatic' });
    expect(story.store.changes).toBe(1);
  });

  it('of a target that somebody changed since changes nothing and is for a person, by name; tried again, it goes through', async () => {
    const story = await open();
    const outcome = await story.run(async () => {
      await approve(story);
      story.store.value = 'somebody was here';
      await story.answer('verification', 'reject');
      await story.openGate('needsHuman');
      expect(story.store.value).toBe('somebody was here');
      expect(await textOf(story)).toContain('Step 1 on shop-db was not taken back: somebody changed the value since');
      story.store.value = AFTER;
      await story.answer('needsHuman', 'rollBack', story.person('sam', 'supervisor'));
    });
    expect(outcome).toBe('ROLLED_BACK');
    expect(story.store.value).toBe(BEFORE);
  });

  it('goes on where a worker died in its middle, without a second change', async () => {
    const story = await open();
    const run = story.executor.run.bind(story.executor);
    let died = false;
    story.executor.run = async (workspaceId, change, options) => {
      const result = await run(workspaceId, change, options);
      if (change.kind !== 'rollback' || died) return result;
      died = true;
      throw new Error('the worker died before it could tell');
    };
    const outcome = await story.run(async () => {
      await approve(story);
      await story.answer('verification', 'reject');
    });
    expect(outcome).toBe('ROLLED_BACK');
    expect(died).toBe(true);
    expect(story.store).toEqual({ value: BEFORE, changes: 2 });
  });

  it('is not offered for a step that has no way back', async () => {
    const story = await openStory(temporal, database);
    await story.run(async () => {
      await approve(story);
      expect(await story.answer('verification', 'rollBack', story.person('sam', 'supervisor'))).toMatchObject({ kind: 'refused', because: 'noWayBack' });
      await story.answer('verification', 'approve');
    });
  });

  it('without a signed decision behind it is refused, whatever the record says', async () => {
    const story = await open();
    await story.run(async () => {
      await approve(story);
      const gate = await story.openGate('verification');
      const decisionId = await story.forge({ gate, verdict: 'reject' });
      await story.handle.signal(signalNameOf.verification, { decisionId });
      await story.openGate('needsHuman');
      expect(story.store).toEqual({ value: AFTER, changes: 1 });
      await story.answer('needsHuman', 'reject');
    });
    expect(await textOf(story)).toContain('(signatureInvalid)');
  });
});

describe('after closing', () => {
  /** Brings an incident to RESOLVED. */
  async function resolved(options: StoryOptions = {}) {
    const story = await open(options);
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    return story;
  }

  const ask = (story: Story, reason = 'customers complain', id = randomUUID()) =>
    askRollback(database.db, testSign, { id, incidentId: story.incidentId, actor: story.person('sam', 'supervisor'), reason });

  /** Asks for it and starts its workflow, as the outbox does. */
  async function start(story: Story) {
    const decisionId = randomUUID();
    expect(await ask(story, 'customers complain', decisionId)).toEqual({ kind: 'asked' });
    const request = await readRollbackRequest(database.db, decisionId);
    if (request === undefined) throw new Error('no request');
    const { workspaceId, incidentId } = story;
    const input: RollbackInput = { workspaceId, incidentId, decisionId, ...request, policy: story.policy };
    const handle = await temporal.client.workflow.start('rollback', { taskQueue: story.taskQueue, workflowId: rollbackWorkflowId(workspaceId, incidentId), args: [input] });
    return { handle, decisionId };
  }

  it('a fix is taken back by a workflow of its own, and the job tail goes on to another end', async () => {
    const story = await resolved();
    const worker = await story.anotherWorker();
    const { handle } = await start(story);
    expect(await worker.runUntil(() => handle.result())).toBe('ROLLED_BACK');
    await replay(temporal, handle);
    await keepHistory('rollback-after-closing', handle);
    expect(story.store).toEqual({ value: BEFORE, changes: 2 });
    expect(await story.row()).toMatchObject({ phase: 'CLOSED', status: 'SUCCESS', outcome: 'ROLLED_BACK' });
    const tail = await readTail(database.db, story.incidentId, { after: 0, limit: 100 });
    expect(tail.filter(({ event }) => event === 'done').map(({ body }) => body)).toEqual([{ done: { outcome: 'RESOLVED' } }, { done: { outcome: 'ROLLED_BACK' } }]);
    expect(tail.at(-1)?.event).toBe('done');
    expect(await textOf(story)).toContain('Rollback asked for by sam (supervisor): "customers complain"');
    expect(await ask(story)).toEqual({ kind: 'rolledBack' });
  });

  it('a fix that will not go back waits for a person at a gate, and is left as it is when that person says so', async () => {
    const story = await resolved();
    story.store.value = 'somebody was here';
    const worker = await story.anotherWorker();
    const { handle } = await start(story);
    const end = await worker.runUntil(async () => {
      await story.openGate('needsHuman');
      expect(await story.row()).toMatchObject({ phase: 'CLOSED', status: 'NEEDS_HUMAN', outcome: 'RESOLVED' });
      await story.answerOf(handle, 'needsHuman', 'reject', 'it is better so');
      return handle.result();
    });
    expect(end).toBe('LEFT');
    await replay(temporal, handle);
    expect(story.store.value).toBe('somebody was here');
    expect(await story.row()).toMatchObject({ outcome: 'RESOLVED' });
    expect(await textOf(story)).toContain('Not rolled back. Left as it is by ana (responder): "it is better so"');
  });

  it('a fix is not taken back once its snapshot is kept no longer, nor one that has no way back, nor while the incident is open', async () => {
    const late = await resolved({ policy: { snapshotKeptMs: 1 } });
    expect(await ask(late)).toMatchObject({ kind: 'snapshotExpired' });
    await createRecorder(database.db).forgetSnapshots();
    expect(await late.executions()).toEqual([expect.objectContaining({ snapshot: null })]);
    expect(await ask(late)).toMatchObject({ kind: 'snapshotExpired' });
    const oneWay = await openStory(temporal, database);
    await oneWay.run(async () => {
      await oneWay.openGate('execution');
      expect(await ask(oneWay)).toEqual({ kind: 'open' });
      await oneWay.answer('execution', 'approve');
      await oneWay.answer('verification', 'approve');
    });
    expect(await ask(oneWay)).toEqual({ kind: 'nothingToRollBack' });
    expect(await ask({ ...late, incidentId: randomUUID() })).toEqual({ kind: 'unknownIncident' });
  });

  it('a repeat of the request is answered as the first time, another one with its id is not', async () => {
    const story = await resolved();
    const id = randomUUID();
    expect(await ask(story, 'customers complain', id)).toEqual({ kind: 'asked' });
    expect(await ask(story, 'customers complain', id)).toEqual({ kind: 'asked' });
    expect(await ask(story, 'another reason', id)).toEqual({ kind: 'conflict' });
    await until('one update', async () => (await textOf(story)).match(/Rollback asked for/g)?.length === 1);
  });
});
