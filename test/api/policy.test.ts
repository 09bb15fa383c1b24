import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditPage } from '../../contracts/http.js';
import type { PolicyDryRun, PolicyVersion, PolicyVersions } from '../../contracts/http-policy.js';
import { adoptPolicy } from '../../db/policies.js';
import { plans, policies } from '../../db/schema.js';
import { canonicalize } from '../../domain/canonical.js';
import { type Plan, toDigestible } from '../../domain/plan.js';
import type { Policy } from '../../domain/policy.js';
import { aPlan, aPolicy, approversWith, aStep } from '../builders.js';
import { type Api, type Caller, closeApis, detailOf, openApi, problemOf, workspaceId } from './open-api.js';
import { haveGate, haveIncident, readWrites } from './records.js';

let api: Api;
beforeEach(async () => {
  api = await openApi();
});
afterAll(closeApis);

const read = async (caller: Caller = 'viewer') => (await api.call(caller, 'GET', '/api/policy')).json<PolicyVersion>();
const put = (caller: Caller, policy: Partial<Policy>, version = 1) => api.call(caller, 'PUT', '/api/policy', { policy: { ...aPolicy(), ...policy }, version, reason: 'after the review' });
const dryRun = async (policy: Partial<Policy>, caller: Caller = 'viewer') =>
  (await api.call(caller, 'POST', '/api/policy/dry-run', { policy: { ...aPolicy(), ...policy } })).json<PolicyDryRun>().gates;

/** An open execution gate over this plan. */
async function havePlanAtGate(over: Partial<Plan> = {}, of = workspaceId): Promise<string> {
  const incidentId = await haveIncident(api.db, { workspaceId: of });
  const plan = aPlan({ ...over, workspaceId: of, incidentId });
  const canonical = canonicalize(toDigestible(plan));
  const digest = createHash('sha256').update(canonical).digest('hex');
  await api.db.insert(plans).values({ incidentId, version: 1, scriptId: plan.scriptId, category: 'idleTransaction', digest, canonical, confidence: { value: 86, tier: plan.tier, factors: [], caps: [] }, rehearsal: [] });
  await haveGate(api.db, incidentId, { digest, workspaceId: of });
  return incidentId;
}

describe('the policy', () => {
  it('is read by everybody of the workspace, with who changed it last', async () => {
    expect(await read()).toEqual({ version: 1, policy: aPolicy(), changedBy: 'sluice.yaml', reason: 'the first policy', signed: false, changedAt: expect.any(String) });
  });

  it('is changed by an admin, as a new version that the audit has whole', async () => {
    expect((await put('admin', { autonomy: 'observe' })).json()).toMatchObject({ version: 2, policy: { autonomy: 'observe' }, changedBy: 'admin-person', reason: 'after the review', signed: true });
    expect((await read()).policy.autonomy).toBe('observe');
    const { versions } = (await api.call('viewer', 'GET', '/api/policy/versions')).json<PolicyVersions>();
    expect(versions.map(({ version, changedBy, signed }) => [version, changedBy, signed])).toEqual([[2, 'admin-person', true], [1, 'sluice.yaml', false]]);
    const [row] = (await api.call('viewer', 'GET', '/api/audit')).json<AuditPage>().rows;
    expect(row).toMatchObject({ kind: 'policy.changed', actor: 'admin-person', subject: 'version 2', details: { reason: 'after the review', policy: { autonomy: 'observe' } } });
  });

  it('is asked for in words where no worker has put one in place yet', async () => {
    await api.asOwner('delete from policies');
    expect(detailOf(await api.call('viewer', 'GET', '/api/policy'), 503, 'unavailable')).toContain('Start a worker');
  });

  it('is each workspace’s own', async () => {
    await put('admin', { autonomy: 'observe' });
    expect((await read('outsider')).policy.autonomy).toBe('supervised');
  });

  it('keeps what somebody else changed meanwhile', async () => {
    await put('admin', { autonomy: 'observe' });
    expect(detailOf(await put('admin', { maxRounds: 5 }), 409, 'policy-overtaken')).toContain('version 2');
    expect((await read()).policy).toMatchObject({ autonomy: 'observe', maxRounds: 3 });
  });

  it('stays at its version where a change is sent again, and is signed anew where it is sent as it holds', async () => {
    await put('admin', { maxRounds: 5 });
    expect((await put('admin', { maxRounds: 5 }, 1)).json()).toMatchObject({ version: 2 });
    await api.asOwner(`update policies set signature = null`);
    expect(await read()).toMatchObject({ version: 2, signed: false });
    expect((await put('admin', { maxRounds: 5 }, 2)).json()).toMatchObject({ version: 3, signed: true });
  });

  it('is not changed by anybody else, nor to what it may not be', async () => {
    expect(problemOf(await put('supervisor', { autonomy: 'confidence' }))).toEqual([403, 'not-allowed']);
    for (const wrong of [{ approvals: { ...aPolicy().approvals, CRITICAL: 1 } }, { groups: [] }, { gateWaitMs: 0 }, { gateWaitMs: 3_650 * 86_400_000 + 1 }, { autonomy: 'yes' as 'observe' }, { more: 1 }]) {
      expect(problemOf(await put('admin', wrong))).toEqual([400, 'invalid-request']);
    }
    expect((await read()).version).toBe(1);
  });

  it('lets a gate wait for 400 days', async () => {
    const waits = 400 * 86_400_000;
    expect((await put('admin', { gateWaitMs: waits, escalateMs: waits, verificationEscalateMs: waits })).json()).toMatchObject({ policy: { gateWaitMs: waits } });
  });

  it('of sluice.yaml is taken over when the file changes, until an admin sets one', async () => {
    await adoptPolicy(api.db, workspaceId, aPolicy({ maxRounds: 7 }));
    expect(await read()).toMatchObject({ version: 2, policy: { autonomy: 'supervised', maxRounds: 7 }, changedBy: 'sluice.yaml' });
    await put('admin', { autonomy: 'observe' }, 2);
    await adoptPolicy(api.db, workspaceId, aPolicy({ maxRounds: 8 }));
    expect(await read()).toMatchObject({ version: 3, policy: { autonomy: 'observe' }, changedBy: 'admin-person' });
  });
});

describe('a dry run', () => {
  it('says of each open execution gate what it asks for now, and would then, and changes nothing', async () => {
    const incidentId = await havePlanAtGate();
    await havePlanAtGate({}, 'elsewhere');
    const before = await readWrites(api.db);
    expect(await dryRun({ approvals: { LOW: 2, MEDIUM: 2, HIGH: 2, CRITICAL: 2 } })).toEqual([
      {
        incidentId,
        gateId: expect.any(String),
        title: 'Database Connection Reset',
        risk: 'MEDIUM',
        approvals: 0,
        now: { kind: 'gate', says: 'Waits for 1 responder' },
        would: { kind: 'gate', says: 'Waits for 2 responders' },
        changes: true,
      },
    ]);
    expect(await readWrites(api.db)).toEqual(before);
    expect((await read()).version).toBe(1);
  });

  it('knows every ruling', async () => {
    const wayBack = { kind: 'snapshot', of: 'rows', keptMs: 1_000 } as const;
    await havePlanAtGate({ steps: [aStep({ wayBack, reach: 'row' })], ruling: { kind: 'auto', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false } });
    const [observed] = await dryRun({ autonomy: 'observe' });
    expect(observed?.would).toEqual({ kind: 'observe', says: 'Observe mode: nothing is run. It would wait for 1 responder' });
    const [sure] = await dryRun({ autonomy: 'confidence' });
    expect(sure?.would).toEqual({ kind: 'auto', says: 'The policy lets it run by itself' });
    const [wide] = await dryRun({ approvers: approversWith({ row: 'admin' }) });
    expect(wide?.would).toEqual({ kind: 'gate', says: 'Waits for 1 admin' });
  });

  it('says what is asked for now by the last policy that is signed, too, where a newer one is not', async () => {
    await put('admin', { approvals: { LOW: 2, MEDIUM: 2, HIGH: 2, CRITICAL: 2 } });
    await havePlanAtGate();
    await api.db.insert(policies).values({ workspaceId, version: 3, policy: aPolicy(), signature: null, changedBy: 'sluice.yaml', reason: 'forged' });
    expect(await dryRun({})).toMatchObject([{ now: { says: 'Waits for 2 responders' }, would: { says: 'Waits for 1 responder' }, changes: true }]);
  });

  it('looks at 200 gates, and says how many more are open', async () => {
    for (let gate = 0; gate < 202; gate += 1) await havePlanAtGate();
    const { gates, leftOut } = (await api.call('viewer', 'POST', '/api/policy/dry-run', { policy: aPolicy() })).json<PolicyDryRun>();
    expect([gates.length, leftOut]).toEqual([200, 2]);
  });

  it('never makes what was asked of people run by itself', async () => {
    await havePlanAtGate({ steps: [aStep({ wayBack: { kind: 'snapshot', of: 'rows', keptMs: 1_000 }, reach: 'row' })] });
    expect(await dryRun({ autonomy: 'confidence' })).toMatchObject([{ would: { kind: 'gate' }, changes: false }]);
  });
});

describe('what the policy and the gate ask for', () => {
  const decide = (caller: Caller, incidentId: string, gate: { id: string; digest: string | null }, verdict: string, more: object = {}) =>
    api.call(caller, 'POST', `/api/incidents/${incidentId}/decisions`, { gateId: gate.id, digest: gate.digest, verdict, ...more });
  const haveOpenGate = async (over: Parameters<typeof haveGate>[2] = {}) => {
    const incidentId = await haveIncident(api.db);
    return { incidentId, gate: await haveGate(api.db, incidentId, { kind: 'execution', ...over }) };
  };

  it('is told to whoever may not approve, with what to do', async () => {
    const observed = await haveOpenGate({ mode: 'nobody' });
    expect(detailOf(await decide('admin', observed.incidentId, observed.gate, 'approve'), 409, 'observe-only')).toContain('request changes');
    expect(problemOf(await decide('admin', observed.incidentId, observed.gate, 'breakGlass', { reason: 'now' }))).toEqual([409, 'observe-only']);
    const own = await haveOpenGate({ excluded: ['responder-person'] });
    expect(detailOf(await decide('responder', own.incidentId, own.gate, 'approve'), 409, 'own-bytes')).toContain('Ask somebody else');
    const unsure = await haveOpenGate({ reviewNeeded: true });
    expect(detailOf(await decide('supervisor', unsure.incidentId, unsure.gate, 'approve'), 409, 'review-needed')).toContain('review');
    expect(problemOf(await decide('responder', unsure.incidentId, unsure.gate, 'review', { reason: 'looked' }))).toEqual([403, 'not-allowed']);
    expect(problemOf(await decide('supervisor', unsure.incidentId, unsure.gate, 'review'))).toEqual([422, 'reason-needed']);
  });

  it('is given: a review, then an approval', async () => {
    const { incidentId, gate } = await haveOpenGate({ reviewNeeded: true });
    expect((await decide('supervisor', incidentId, gate, 'review', { reason: 'looked' })).json()).toMatchObject({ gateState: 'open', approvals: 0 });
    expect(problemOf(await decide('secondSupervisor', incidentId, gate, 'review', { reason: 'too' }))).toEqual([409, 'already-decided']);
    expect((await decide('supervisor', incidentId, gate, 'approve')).json()).toMatchObject({ gateState: 'approved', approvals: 1 });
    const shown = (await api.call('viewer', 'GET', `/api/incidents/${incidentId}`)).json<{ gate: object }>();
    expect(shown.gate).toMatchObject({ reviews: [{ person: 'supervisor-person', reason: 'looked' }], approvals: [{ person: 'supervisor-person' }] });
  });

  it('is overridden by one supervisor with a reason, unless the policy forbids that', async () => {
    const { incidentId, gate } = await haveOpenGate({ approvalsNeeded: 2, excluded: ['supervisor-person'] });
    expect(problemOf(await decide('responder', incidentId, gate, 'breakGlass', { reason: 'nobody is awake' }))).toEqual([403, 'not-allowed']);
    expect(problemOf(await decide('supervisor', incidentId, gate, 'breakGlass'))).toEqual([422, 'reason-needed']);
    await put('admin', { breakGlass: false });
    expect(problemOf(await decide('supervisor', incidentId, gate, 'breakGlass', { reason: 'nobody is awake' }))).toEqual([409, 'break-glass-off']);
    await put('admin', { breakGlass: true }, 2);
    const decisionId = randomUUID();
    const answer = (await decide('supervisor', incidentId, gate, 'breakGlass', { reason: 'nobody is awake', decisionId })).json();
    expect(answer).toMatchObject({ gateState: 'approved', approvals: 1 });
    expect((await decide('supervisor', incidentId, gate, 'breakGlass', { reason: 'nobody is awake', decisionId })).json()).toMatchObject({ gateState: 'approved' });
  });
});
