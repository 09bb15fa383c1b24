import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { startPolicyApprovals } from '../../api/policy-approvals.js';
import { adoptPolicy, changePolicy, readPolicy, type SignPolicy } from '../../db/policies.js';
import { decisions, gates, policies } from '../../db/schema.js';
import { openSignatures } from '../../workers/signatures.js';
import { aPolicy } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { type FreshKeys, freshKeys } from '../harness/keys.js';
import { havePolicyGate, keptStep } from '../harness/policy-gate.js';
import { until } from '../harness/until.js';
import { inspector } from '../harness/inspector.js';

let database: FreshDatabase;
let keys: FreshKeys;
let stop: () => Promise<void>;
const warnings: unknown[] = [];
beforeAll(async () => {
  [database, keys] = await Promise.all([freshDatabase(), freshKeys()]);
});
afterAll(async () => {
  await Promise.all([database.close(), keys.close()]);
});
beforeEach(() => {
  warnings.length = 0;
  stop = startPolicyApprovals(database.db, keys.keyring, inspector, { warn: (...said: unknown[]) => void warnings.push(said) });
});
afterEach(() => stop());

const confidence = aPolicy({ autonomy: 'confidence' });
const sign: SignPolicy = (policy) => keys.keyring.sign('policy', policy);

/** A workspace where an admin lets run by itself what is sure. */
async function haveWorkspace(): Promise<string> {
  const workspaceId = `w-${randomUUID()}`;
  await adoptPolicy(database.db, workspaceId, aPolicy());
  await changePolicy(database.db, sign, { workspaceId, policy: confidence, seen: 1, changedBy: 'adam', reason: 'it went well for a month' });
  return workspaceId;
}
const stateOf = async (gateId: string) => (await database.db.select().from(gates).where(eq(gates.id, gateId)))[0]?.state;
const untilApproved = (gateId: string) => until('the policy to approve', async () => (await stateOf(gateId)) === 'approved');

/** Whether the gate is still open after every gate was looked at: two that came after it, one by one, are approved. */
async function isLeft(gateId: string): Promise<boolean> {
  const sound = await haveWorkspace();
  for (let round = 0; round < 2; round += 1) await untilApproved((await havePolicyGate(database.db, sound)).gateId);
  const said = await database.db.select().from(decisions).where(eq(decisions.gateId, gateId));
  return said.length === 0 && (await stateOf(gateId)) === 'open';
}

describe('the API', () => {
  it('signs with its own key for what an admin lets run by itself', async () => {
    const workspaceId = await haveWorkspace();
    const { gateId, digest } = await havePolicyGate(database.db, workspaceId);
    await untilApproved(gateId);
    const [said] = await database.db.select().from(decisions).where(eq(decisions.gateId, gateId));
    expect(await openSignatures(keys.keyring).readDecision(said?.signature ?? '')).toMatchObject({ decisionId: said?.id, workspaceId, gateId, digest, verdict: 'approve', person: 'SYSTEM', role: 'system' });
    expect(warnings).toEqual([]);
  });

  it('leaves what only a row that nobody signed lets run', async () => {
    const workspaceId = `w-${randomUUID()}`;
    await adoptPolicy(database.db, workspaceId, confidence);
    expect(await isLeft((await havePolicyGate(database.db, workspaceId)).gateId)).toBe(true);
  });

  it('leaves what a row lets run that was altered after it was signed', async () => {
    const workspaceId = await haveWorkspace();
    await database.asOwner(`UPDATE policies SET policy = jsonb_set(policy, '{maxTries}', '99') WHERE workspace_id = '${workspaceId}'`);
    expect(await isLeft((await havePolicyGate(database.db, workspaceId)).gateId)).toBe(true);
  });

  it('leaves a row that was signed for another workspace', async () => {
    const { version, policy, signature } = await readPolicy(database.db, await haveWorkspace());
    const workspaceId = `w-${randomUUID()}`;
    await database.db.insert(policies).values({ workspaceId, version, policy, signature, changedBy: 'adam', reason: 'copied' });
    expect(await isLeft((await havePolicyGate(database.db, workspaceId)).gateId)).toBe(true);
  });

  it.each([
    ['drops a table', 'DROP TABLE customers'],
    ['ends every session', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity'],
  ])('leaves a plan whose script %s', async (_, script) => {
    const workspaceId = await haveWorkspace();
    const plan = { steps: [keptStep, { ...keptStep, stepId: '2', script }] };
    expect(await isLeft((await havePolicyGate(database.db, workspaceId, { plan })).gateId)).toBe(true);
  });

  it('goes on with the other gates where it cannot judge one', async () => {
    const { gateId } = await havePolicyGate(database.db, `w-${randomUUID()}`);
    expect(await isLeft(gateId)).toBe(true);
    expect(warnings).toContainEqual([expect.objectContaining({ gateId }), expect.stringContaining('tried again soon')]);
  });
});
