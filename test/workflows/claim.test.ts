import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { and, eq, sql } from 'drizzle-orm';
import { cancelSignal, signalNameOf } from '../../contracts/messages.js';
import { throwSwitch } from '../../db/kill-switch.js';
import { audit, decisions, gates, plans } from '../../db/schema.js';
import { GRANT_VALID_MS } from '../../domain/grant.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { keepHistory } from '../harness/keep-history.js';
import { testSign } from '../harness/signatures.js';
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
const open = (options: StoryOptions = {}) => openStory(temporal, database, { ...options, trouble: { fault: 'deletes', ...options.trouble } });
type Story = Awaited<ReturnType<typeof open>>;
type GateRow = Awaited<ReturnType<Story['openGate']>>;

/** What somebody does to the record between the approval and the claim, and the name of the refusal. */
interface Meddling {
  readonly what: string;
  readonly meddle: (story: Story, gate: GateRow) => Promise<unknown>;
  readonly because: string;
}
const ofGate = (gate: GateRow) => eq(decisions.gateId, gate.id);

const meddlings: readonly Meddling[] = [
  {
    what: 'the plan is rewritten',
    meddle: (_story, { incidentId }) => database.db.update(plans).set({ canonical: sql`replace(${plans.canonical}, 'can_delete = false', 'can_delete = true')` }).where(eq(plans.incidentId, incidentId)),
    because: 'planAltered',
  },
  { what: 'the plan is deleted', meddle: (_story, { incidentId }) => database.db.delete(plans).where(eq(plans.incidentId, incidentId)), because: 'planMissing' },
  { what: 'the signature is cut off', meddle: (_story, gate) => database.db.update(decisions).set({ signature: 'none' }).where(ofGate(gate)), because: 'signatureInvalid' },
  { what: 'another person is put in', meddle: (_story, gate) => database.db.update(decisions).set({ person: 'eve' }).where(ofGate(gate)), because: 'signatureInvalid' },
  { what: 'the gate is reopened', meddle: (_story, gate) => database.db.update(gates).set({ kind: 'verification' }).where(eq(gates.id, gate.id)), because: 'gateNotApproved' },
  { what: 'the gate gets another digest', meddle: (_story, gate) => database.db.update(gates).set({ digest: 'f'.repeat(64) }).where(eq(gates.id, gate.id)), because: 'digestMismatch' },
  {
    what: 'the kill switch is thrown',
    meddle: ({ workspaceId }) => throwSwitch(database.db, { workspaceId, scope: 'workspace', on: true, person: 'sam', reason: 'stop' }),
    because: 'killSwitch',
  },
  {
    what: 'a second approval is forged beside the first',
    meddle: (story, gate) => story.forge({ gate, verdict: 'approve' }),
    because: 'signatureInvalid',
  },
];

describe('between the approval and the run', () => {
  it.each(meddlings)('$what: nothing runs, and the refusal is named in the tail and in the audit', async ({ meddle, because }) => {
    const story = await open();
    const outcome = await story.run(async () => {
      const gate = await story.openGate('execution');
      // Decided, and meddled with, before the workflow hears of it.
      const { decisionId } = await story.decideQuietly('execution', 'approve');
      await meddle(story, gate);
      await story.handle.signal(signalNameOf.execution, { decisionId });
      await story.openGate('needsHuman');
      expect(story.store.changes).toBe(0);
      await story.answer('needsHuman', 'reject');
    });
    expect(outcome).toBe('HANDED_OVER');
    expect(story.store.changes).toBe(0);
    expect(await story.executions()).toEqual([]);
    expect(await story.tailText()).toContain(`(${because})`);
    const chain = await database.db.select().from(audit).where(eq(audit.workspaceId, story.workspaceId));
    expect(chain.map(({ entry }) => JSON.parse(entry))).toContainEqual(expect.objectContaining({ kind: 'claim.refused', details: expect.objectContaining({ because }) }));
  });

  it('a gate that is marked as approved without a decision runs nothing', async () => {
    const story = await open();
    await story.run(async () => {
      const gate = await story.openGate('execution');
      await database.db.update(gates).set({ state: 'approved', settledAt: new Date() }).where(eq(gates.id, gate.id));
      await story.handle.signal(signalNameOf.execution, { decisionId: randomUUID() });
      // Nobody signed, so a new plan is asked for.
      await story.openGate('execution');
      await story.answer('execution', 'reject');
    });
    expect(story.store.changes).toBe(0);
    expect(await story.tailText()).toContain('(tooFewApprovals)');
  });

  it('an approval that is too old, or by fewer people than the policy of today asks for, leads to a new gate', async () => {
    const story = await open({ policyNow: { approvals: { LOW: 2, MEDIUM: 2, HIGH: 2, CRITICAL: 2 } } });
    await story.run(async () => {
      const gate = await story.openGate('execution');
      // The stricter policy is known when the plan is made.
      expect(gate.approvalsNeeded).toBe(2);
      await story.answer('execution', 'reject');
    });
    const late = await open();
    await late.run(async () => {
      const gate = await late.openGate('execution');
      const { decisionId } = await late.decideQuietly('execution', 'approve');
      const [row] = await database.db.select().from(decisions).where(eq(decisions.id, decisionId));
      if (row?.digest == null || row.gateId === null) throw new Error('no decision');
      const { workspaceId, incidentId, gateId, digest, person, role } = row;
      const then = Date.now() - GRANT_VALID_MS - 1;
      const old = await testSign({ decisionId, workspaceId, incidentId, gateId, gateKind: 'execution', verdict: 'approve', digest, planVersion: gate.planVersion, person, role, decidedAt: then - GRANT_VALID_MS, expiresAt: then });
      await database.db.update(decisions).set({ signature: old }).where(eq(decisions.id, decisionId));
      await late.handle.signal(signalNameOf.execution, { decisionId });
      await late.answer('execution', 'approve');
      await late.answer('verification', 'approve');
    });
    expect(late.store.changes).toBe(1);
    expect(await late.tailText()).toContain('(grantExpired). Nothing was run; a new plan is made');
    await keepHistory('grant-expired', late.handle);
  });

  it('a stricter policy that came after the approval leads to a new gate that asks for more people', async () => {
    const story = await open();
    await story.run(async () => {
      await story.openGate('execution');
      const { decisionId } = await story.decideQuietly('execution', 'approve');
      await story.changePolicy({ approvals: { LOW: 2, MEDIUM: 2, HIGH: 2, CRITICAL: 2 } });
      await story.handle.signal(signalNameOf.execution, { decisionId });
      await story.answer('execution', 'approve', story.person('ana'));
      expect(story.store.changes).toBe(0);
      await story.answer('execution', 'approve', story.person('bo'));
      await story.answer('verification', 'approve');
    });
    expect(story.store.changes).toBe(1);
    expect(await story.tailText()).toContain('(tooFewApprovals)');
  });
});

describe('a row that nobody signed', () => {
  it.each([
    { verdict: 'approve', signal: 'execution gate', name: signalNameOf.execution },
    { verdict: 'cancel', signal: 'cancel', name: cancelSignal.name },
  ] as const)('to $verdict decides nothing: its signal is refused by name, with the way to decide', async ({ verdict, signal, name }) => {
    const story = await open();
    const outcome = await story.run(async () => {
      const gate = await story.openGate('execution');
      const id = randomUUID();
      const { workspaceId, incidentId } = story;
      const ofGate = verdict === 'cancel' ? { gateId: null, digest: null } : { gateId: gate.id, digest: gate.digest };
      await database.db.insert(decisions).values({ id, workspaceId, incidentId, ...ofGate, verdict, person: 'eve', role: 'supervisor', reason: null, signature: 'forged' });
      await story.handle.signal(name, { decisionId: id });
      await until('the refusal', async () => (await story.tailText()).includes(`Refused the ${signal} signal: no signed decision stands behind it\n   Decide with POST /api/incidents/${incidentId}/decisions`));
      expect(await story.openGate('execution')).toMatchObject({ id: gate.id });
      await database.db.delete(decisions).where(eq(decisions.id, id));
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
    expect(story.store.changes).toBe(0);
  });
});

describe('an approval', () => {
  it('is used once: a workflow that is reset claims in vain and asks a person, and nothing runs again', async () => {
    const story = await open();
    const outcome = await story.worker.runUntil(async () => {
      await story.answer('execution', 'approve');
      await story.openGate('verification');
      expect(story.store.changes).toBe(1);
      const again = await story.resetToGate();
      await story.openGate('needsHuman');
      await story.answerOf(again, 'needsHuman', 'reject', 'seen');
      return again.result();
    });
    expect(outcome).toBe('HANDED_OVER');
    expect(story.store.changes).toBe(1);
    expect(await story.tailText()).toContain('(alreadyUsed)');
  });

  it('is written into the audit with who, what and the claim', async () => {
    const story = await open();
    await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    const chain = await database.db.select().from(audit).where(and(eq(audit.workspaceId, story.workspaceId))).orderBy(audit.seq);
    expect(chain.map(({ entry }) => JSON.parse(entry).kind)).toEqual(['policy.changed', 'decision.counted', 'claim.granted', 'execution.started', 'execution.ended', 'decision.counted']);
  });
});
