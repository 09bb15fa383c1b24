import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { approveByPolicy, listGatesForPolicy } from '../../db/approve-by-policy.js';
import { readAuditPage } from '../../db/audit-reads.js';
import { decide } from '../../db/decisions.js';
import { throwSwitch } from '../../db/kill-switch.js';
import { adoptPolicy, changePolicy } from '../../db/policies.js';
import { decisions, gates, outbox, plans } from '../../db/schema.js';
import { readEntry } from '../../domain/audit.js';
import { canonicalize } from '../../domain/canonical.js';
import { toDigestible } from '../../domain/plan.js';
import { aPlan, aPolicy, aStep } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { havePolicyGate, keptStep } from '../harness/policy-gate.js';
import { testSign, testSignatures, testSignPolicy } from '../harness/signatures.js';

let database: FreshDatabase;
let workspaceId: string;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  workspaceId = `w-${randomUUID()}`;
  await adoptPolicy(database.db, workspaceId, aPolicy({ autonomy: 'confidence' }));
});

const haveGate = (given?: Parameters<typeof havePolicyGate>[2]) => havePolicyGate(database.db, workspaceId, given);
const sign = (gateId: string, isSound = true) => approveByPolicy(database.db, testSign, async () => isSound, gateId);
const saidAt = (gateId: string) => database.db.select().from(decisions).where(eq(decisions.gateId, gateId));
const stateOf = async (gateId: string) => (await database.db.select().from(gates).where(eq(gates.id, gateId)))[0]?.state;

/** What becomes of a gate that the policy does not sign for: nothing is said at it, and it stays as open as it was. */
async function leave(gateId: string, isSound = true) {
  const before = await stateOf(gateId);
  const answer = await sign(gateId, isSound);
  expect(await stateOf(gateId)).toBe(before);
  expect((await saidAt(gateId)).filter(({ role }) => role === 'system')).toEqual([]);
  const [gate] = await database.db.select().from(gates).where(eq(gates.id, gateId));
  const told = (await database.db.select().from(outbox).where(eq(outbox.incidentId, gate?.incidentId ?? ''))).filter(({ message }) => message.kind === 'leftToPeople');
  return { answer, mode: gate?.mode, told: told.length };
}
const leftToPeople = { answer: 'leftToPeople', mode: 'people', told: 1 };

describe('the policy', () => {
  it('signs for what it lets run by itself, once, with its record and the message to the workflow', async () => {
    const { gateId, incidentId, digest } = await haveGate();
    expect(await listGatesForPolicy(database.db)).toContain(gateId);
    expect(await sign(gateId)).toBe('approved');
    expect(await sign(gateId)).toBe('notNow');
    expect(await stateOf(gateId)).toBe('approved');
    expect(await listGatesForPolicy(database.db)).not.toContain(gateId);
    const said = await saidAt(gateId);
    expect(said).toMatchObject([{ verdict: 'approve', person: 'SYSTEM', role: 'system', digest, reason: 'policy version 1' }]);
    expect(await testSignatures.readDecision(said[0]?.signature ?? '')).toMatchObject({ decisionId: said[0]?.id, gateId, incidentId, workspaceId, digest, planVersion: 1, gateKind: 'execution', verdict: 'approve', person: 'SYSTEM', role: 'system' });
    expect((await database.db.select().from(outbox).where(eq(outbox.incidentId, incidentId))).map(({ message }) => message.kind)).toEqual(['start', 'decision']);
    const [last] = await readAuditPage(database.db, workspaceId, { order: 'newest', cursor: null, limit: 1 });
    expect(last && readEntry(last.entry)).toMatchObject({ kind: 'decision.counted', actor: 'SYSTEM', subject: incidentId });
  });

  it('signs once, however many processes try at the same moment', async () => {
    const { gateId } = await haveGate();
    const signed = await Promise.all(Array.from({ length: 4 }, () => sign(gateId)));
    expect(signed.filter((answer) => answer === 'approved')).toHaveLength(1);
    expect(await saidAt(gateId)).toHaveLength(1);
  });

  it.each<[string, Parameters<typeof haveGate>[0]]>([
    ['was asked of people', { gate: { mode: 'people' } }],
    ['can only be observed', { gate: { mode: 'nobody' } }],
    ['is to be verified', { gate: { kind: 'verification' } }],
    ['is over', { gate: { expiresAt: '2026-01-01T00:00:00.000Z' } }],
  ])('says nothing at a gate that %s', async (_, given) => {
    expect(await leave((await haveGate(given)).gateId)).toMatchObject({ answer: 'notNow', told: 0 });
  });

  it.each<[string, Parameters<typeof haveGate>[0]]>([
    ['has a plan that was frozen for people', { plan: { ruling: { kind: 'gate', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false } } }],
    ['has a plan that is less sure', { plan: { tier: 'MEDIUM' } }],
    ['has a plan of HIGH risk', { plan: { risk: 'HIGH' } }],
    ['has a plan without a way back', { plan: { steps: [aStep()] } }],
    ['has a plan of a text from outside', { plan: { derivedFromText: true } }],
    ['has a plan of another workspace', { plan: { workspaceId: 'elsewhere' } }],
  ])('leaves a gate to people that %s', async (_, given) => {
    const { gateId } = await haveGate(given);
    expect(await leave(gateId)).toEqual(leftToPeople);
    expect(await listGatesForPolicy(database.db)).not.toContain(gateId);
  });

  it('leaves what it does not let run by itself any more', async () => {
    const { gateId } = await haveGate();
    await changePolicy(database.db, testSignPolicy, { workspaceId, policy: aPolicy({ autonomy: 'supervised' }), seen: 1, changedBy: 'adam', reason: 'too many' });
    expect(await leave(gateId)).toEqual(leftToPeople);
  });

  it('leaves what is not sound', async () => {
    expect(await leave((await haveGate()).gateId, false)).toEqual(leftToPeople);
  });

  it('leaves everything while the kill switch is on', async () => {
    const { gateId } = await haveGate();
    const flip = (on: boolean) => throwSwitch(database.db, { workspaceId, scope: 'workspace', on, person: 'sam', reason: 'test' });
    await flip(true);
    expect(await listGatesForPolicy(database.db)).not.toContain(gateId);
    expect(await leave(gateId)).toEqual({ answer: 'notNow', mode: 'policy', told: 0 });
    await flip(false);
    expect(await listGatesForPolicy(database.db)).toContain(gateId);
    expect(await sign(gateId)).toBe('approved');
  });

  it('leaves a plan whose text is not what its digest was made over', async () => {
    const { gateId, incidentId } = await haveGate();
    const altered = canonicalize(toDigestible(aPlan({ workspaceId, incidentId, title: 'Another', steps: [keptStep] })));
    await database.db.update(plans).set({ canonical: altered }).where(eq(plans.incidentId, incidentId));
    expect(await leave(gateId)).toEqual(leftToPeople);
  });

  it('leaves what a person has decided first', async () => {
    const { gateId, incidentId, digest } = await haveGate();
    await decide(database.db, testSign, incidentId, { id: randomUUID(), gateId, verdict: 'reject', digest, actor: { person: 'ana', role: 'responder', workspaceId }, reason: null });
    expect((await leave(gateId)).answer).toBe('notNow');
    expect(await stateOf(gateId)).toBe('rejected');
  });
});
