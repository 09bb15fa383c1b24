import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import type { AuditPage } from '../../contracts/http.js';
import { decisions, gates, incidents, outbox, plans } from '../../db/schema.js';
import { canonicalize } from '../../domain/canonical.js';
import { toDigestible } from '../../domain/plan.js';
import type { Severity } from '../../domain/severity.js';
import { aPlan } from '../builders.js';
import { type Api, type Caller, closeApis, detailOf, problemOf, openApi } from './open-api.js';
import { digest, haveClosedIncident, haveGate, haveIncident, readWrites } from './records.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

type GateRow = typeof gates.$inferSelect;

const open = async (row: Partial<typeof gates.$inferInsert> = {}) => haveGate(api.db, await haveIncident(api.db), row);
const send = (caller: Caller, gate: GateRow, body: object, headers?: Record<string, string>) =>
  api.call(caller, 'POST', `/api/incidents/${gate.incidentId}/decisions`, { gateId: gate.id, digest: gate.digest, ...body }, headers);
const stateOf = async ({ id }: GateRow) => (await api.db.select().from(gates).where(eq(gates.id, id)))[0]?.state;
const messagesOf = async ({ incidentId }: GateRow) => (await api.db.select().from(outbox).where(eq(outbox.incidentId, incidentId))).map(({ message }) => message);

describe('a decision', () => {
  it('settles its gate, is recorded with who and why, and is on its way to the workflow', async () => {
    const gate = await open();
    const decisionId = randomUUID();
    const reply = await send('responder', gate, { decisionId, verdict: 'approve', reason: 'seen the lock graph' });
    expect([reply.statusCode, reply.json()]).toEqual([200, { decisionId, gateState: 'approved', approvals: 1, approvalsNeeded: 1, message: 'The gate is approved' }]);
    expect(await stateOf(gate)).toBe('approved');
    expect(await api.db.select().from(decisions).where(eq(decisions.gateId, gate.id))).toMatchObject([
      { id: decisionId, person: 'responder-person', role: 'responder', verdict: 'approve', digest, reason: 'seen the lock graph', workspaceId: 'shop' },
    ]);
    expect(await messagesOf(gate)).toEqual([{ kind: 'decision', decisionId, gateKind: 'execution' }]);
  });

  it.each([
    ['reject', 'rejected'],
    ['requestChanges', 'changesRequested'],
  ])('may be to %s', async (verdict, state) => {
    const gate = await open();
    expect((await send('responder', gate, { verdict })).json()).toMatchObject({ gateState: state });
    expect(await stateOf(gate)).toBe(state);
  });

  it('sent again with its id is answered as the first time and counts once', async () => {
    const gate = await open({ approvalsNeeded: 2 });
    const body = { decisionId: randomUUID(), verdict: 'approve' };
    const first = await send('responder', gate, body);
    await send('supervisor', gate, { verdict: 'approve' });
    const before = await readWrites(api.db);
    const again = await send('responder', gate, body);
    expect(again.json()).toEqual(first.json());
    expect(again.json()).toMatchObject({ gateState: 'open', approvals: 1, message: '1 of 2 approvals' });
    expect(await readWrites(api.db)).toEqual(before);
  });

  it('sent again with its Idempotency-Key is answered as the first time and counts once', async () => {
    const gate = await open();
    const key = { 'idempotency-key': 'once' };
    const first = await send('responder', gate, { verdict: 'reject' }, key);
    const before = await readWrites(api.db);
    expect((await send('responder', gate, { verdict: 'reject' }, key)).json()).toEqual(first.json());
    expect(problemOf(await send('responder', gate, { verdict: 'approve' }, key))).toEqual([409, 'id-reused']);
    expect(await readWrites(api.db)).toEqual(before);
  });

  it('may not borrow the id of another', async () => {
    const [gate, other] = [await open(), await open()];
    const decisionId = randomUUID();
    await send('responder', gate, { decisionId, verdict: 'approve' });
    const before = await readWrites(api.db);
    expect(problemOf(await send('responder', other, { decisionId, verdict: 'approve' }))).toEqual([409, 'id-reused']);
    expect(problemOf(await send('supervisor', gate, { decisionId, verdict: 'approve' }))).toEqual([409, 'id-reused']);
    expect(problemOf(await send('responder', gate, { decisionId, verdict: 'approve', reason: 'other' }))).toEqual([409, 'id-reused']);
    expect(await readWrites(api.db)).toEqual(before);
  });

  it.each<[string, number, string, Partial<typeof gates.$inferInsert>, Caller, object, string]>([
    ['for a gate that is closed', 409, 'gate-closed', { state: 'rejected', settledAt: new Date() }, 'responder', {}, 'The gate is rejected'],
    ['for a gate whose time is over', 409, 'gate-expired', { expiresAt: new Date(Date.now() - 1_000) }, 'responder', {}, 'waited until'],
    ['for another plan', 409, 'stale-digest', {}, 'responder', { digest: 'cd'.repeat(32) }, digest],
    ['for no plan where there is one', 409, 'stale-digest', {}, 'responder', { digest: undefined }, digest],
    ['by too low a role', 403, 'not-allowed', { roleNeeded: 'supervisor' }, 'responder', {}, 'needs supervisor'],
    ['for a gate that is none', 404, 'unknown-gate', {}, 'responder', { gateId: randomUUID() }, 'GET the incident'],
    ['that names its own actor', 400, 'invalid-request', {}, 'responder', { actor: 'eve' }, 'actor'],
    ['with a verdict that is none', 400, 'invalid-request', {}, 'responder', { verdict: 'maybe' }, 'body/verdict'],
    ['with a digest that is none', 400, 'invalid-request', {}, 'responder', { digest: '3f9a…' }, 'body/digest'],
    ['with an empty reason', 400, 'invalid-request', {}, 'responder', { reason: '' }, 'body/reason'],
  ])('%s is refused and changes nothing', async (_, status, slug, row, caller, body, says) => {
    const gate = await open(row);
    const before = await readWrites(api.db);
    expect(detailOf(await send(caller, gate, { verdict: 'approve', ...body }), status, slug)).toContain(says);
    expect(await readWrites(api.db)).toEqual(before);
  });

  it('to let something run is refused while the kill switch is on, and the gate waits on', async () => {
    const gate = await open();
    const flip = (on: boolean) => api.call('supervisor', 'PUT', '/api/kill-switch', { scope: 'workspace', on, reason: 'panic' });
    await flip(true);
    expect(detailOf(await send('responder', gate, { verdict: 'approve' }), 409, 'kill-switch-on')).toContain('stays open');
    expect(await stateOf(gate)).toBe('open');
    await flip(false);
    expect((await send('responder', gate, { verdict: 'approve' })).json()).toMatchObject({ gateState: 'approved' });
  });

  it('for the gate of another incident is refused', async () => {
    const [gate, other] = [await open(), await open()];
    expect(problemOf(await api.call('admin', 'POST', `/api/incidents/${other.incidentId}/decisions`, { gateId: gate.id, digest, verdict: 'approve' }))).toEqual([404, 'unknown-gate']);
    expect(await stateOf(gate)).toBe('open');
  });

  it('to reject at a gate that called a person needs a reason', async () => {
    const gate = await open({ kind: 'needsHuman', digest: null, planVersion: null });
    expect(problemOf(await send('responder', gate, { verdict: 'reject' }))).toEqual([422, 'reason-needed']);
    expect(await stateOf(gate)).toBe('open');
    const [refused] = (await api.call('viewer', 'GET', '/api/audit?limit=1')).json<AuditPage>().rows;
    expect(refused).toMatchObject({ kind: 'decision.refused', actor: 'responder-person', subject: gate.incidentId, details: { gate: gate.id, verdict: 'reject', digest: null, role: 'responder', because: 'reasonNeeded' } });
    expect((await send('responder', gate, { verdict: 'reject', reason: 'known outage' })).json()).toMatchObject({ gateState: 'rejected' });
  });
});

describe('a plan of high risk', () => {
  const openGrave = async (risk: Severity, gate: Partial<typeof gates.$inferInsert> = {}) => {
    const incidentId = await haveIncident(api.db);
    const plan = aPlan({ incidentId, workspaceId: 'shop', risk, title: 'Reset  the "pool"' });
    const confidence = { value: 86, tier: 'HIGH', factors: [], caps: [] } as const;
    await api.db.insert(plans).values({ incidentId, version: 1, scriptId: plan.scriptId, category: 'idleTransaction', digest, canonical: canonicalize(toDigestible(plan)), confidence, rehearsal: [] });
    return haveGate(api.db, incidentId, gate);
  };

  it.each(['HIGH', 'CRITICAL'] as const)('and %s is approved by typing its title, which the refusal and the incident name', async (risk) => {
    const gate = await openGrave(risk);
    const before = await readWrites(api.db);
    for (const confirmation of [undefined, '', 'yes', 'reset the "pool"']) {
      expect(detailOf(await send('responder', gate, { verdict: 'approve', confirmation }), 409, 'confirmation-needed')).toContain('Reset  the \\"pool\\"');
    }
    expect(problemOf(await api.call('responder', 'POST', '/api/ai/sre/approve', { updateId: gate.updateId, approved: true }))).toEqual([409, 'confirmation-needed']);
    expect(await readWrites(api.db)).toEqual(before);
    const { confirmation } = (await api.call('viewer', 'GET', `/api/incidents/${gate.incidentId}`)).json<{ gate: { confirmation: string } }>().gate;
    expect((await send('responder', gate, { verdict: 'approve', confirmation })).json()).toMatchObject({ gateState: 'approved' });
  });

  it('may be confirmed in the approval by an update, and spaced as a screen shows it', async () => {
    const gate = await openGrave('HIGH');
    const reply = await api.call('responder', 'POST', '/api/ai/sre/approve', { updateId: gate.updateId, approved: true, confirmation: ' Reset the "pool"' });
    expect(reply.json()).toEqual({ success: true, message: 'Action approved' });
  });

  it('needs no confirmation to be rejected, nor once it has run, nor where its risk is lower', async () => {
    expect((await send('responder', await openGrave('CRITICAL'), { verdict: 'reject' })).statusCode).toBe(200);
    expect((await send('responder', await openGrave('CRITICAL', { kind: 'verification', digest: null }), { verdict: 'approve' })).statusCode).toBe(200);
    expect((await send('responder', await openGrave('MEDIUM'), { verdict: 'approve' })).statusCode).toBe(200);
  });
});

describe('a gate that needs two people', () => {
  it('counts each once and opens with the second', async () => {
    const gate = await open({ approvalsNeeded: 2, roleNeeded: 'supervisor' });
    expect((await send('supervisor', gate, { verdict: 'approve' })).json()).toMatchObject({ gateState: 'open', approvals: 1 });
    expect(problemOf(await send('supervisor', gate, { verdict: 'approve' }))).toEqual([409, 'already-decided']);
    expect(await stateOf(gate)).toBe('open');
    expect((await send('secondSupervisor', gate, { verdict: 'approve' })).json()).toMatchObject({ gateState: 'approved', approvals: 2 });
  });

  it('counts an approval for as long as a run may begin by it, and lets it be given again after that', async () => {
    const gate = await open({ approvalsNeeded: 2 });
    const [old, again] = [randomUUID(), randomUUID()].map((decisionId) => ({ decisionId, verdict: 'approve' }));
    const age = (hours: number) => api.db.update(decisions).set({ createdAt: new Date(Date.now() - hours * 3_600_000) }).where(eq(decisions.id, old?.decisionId ?? ''));
    await send('responder', gate, { ...old });
    await age(23);
    expect(problemOf(await send('responder', gate, { ...again }))).toEqual([409, 'already-decided']);
    await age(25);
    const first = { gateState: 'open', approvals: 1, message: '1 of 2 approvals' };
    expect((await send('responder', gate, { ...again })).json()).toMatchObject(first);
    expect((await send('supervisor', gate, { verdict: 'approve' })).json()).toMatchObject({ gateState: 'approved', approvals: 2 });
    // Sent again, they are answered as they were.
    expect((await send('responder', gate, { ...again })).json()).toMatchObject(first);
    expect((await send('responder', gate, { ...old })).json()).toMatchObject(first);
  });

  it('is settled once, whatever comes at the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      const gate = await open({ approvalsNeeded: 2 });
      const callers: readonly Caller[] = ['responder', 'supervisor', 'secondSupervisor', 'admin', 'responder', 'admin'];
      const replies = await Promise.all(callers.map((caller) => send(caller, gate, { verdict: 'approve' })));
      const states = replies.map((reply) => (reply.statusCode === 200 ? reply.json<{ gateState: string }>().gateState : reply.json<{ type: string }>().type.split(':').at(-1)));
      expect(states.filter((state) => state === 'approved')).toHaveLength(1);
      expect(states.filter((state) => state === 'open')).toHaveLength(1);
      expect(await api.db.select().from(decisions).where(eq(decisions.gateId, gate.id))).toHaveLength(2);
      expect(await messagesOf(gate)).toHaveLength(2);
    }
  });

  it('is never both approved and rejected', async () => {
    for (let round = 0; round < 5; round += 1) {
      const gate = await open();
      const replies = await Promise.all([send('responder', gate, { verdict: 'approve' }), send('admin', gate, { verdict: 'reject' })]);
      expect(new Set(replies.map(({ statusCode }) => statusCode))).toEqual(new Set([200, 409]));
      const winner = replies.find(({ statusCode }) => statusCode === 200);
      expect(await stateOf(gate)).toBe(winner?.json<{ gateState: string }>().gateState);
    }
  });
});

describe('approve by the id of an update', () => {
  const approve = (caller: Caller, body: object, headers?: Record<string, string>) => api.call(caller, 'POST', '/api/ai/sre/approve', body, headers);

  it('approves what the gate waits for', async () => {
    const gate = await open();
    const reply = await approve('responder', { updateId: gate.updateId, approved: true, userId: 'responder-person', reason: 'looks right' });
    expect([reply.statusCode, reply.json()]).toEqual([200, { success: true, message: 'Action approved' }]);
    expect(await api.db.select().from(decisions).where(eq(decisions.gateId, gate.id))).toMatchObject([{ verdict: 'approve', digest, reason: 'looks right' }]);
  });

  it('rejects with approved: false', async () => {
    const gate = await open();
    expect((await approve('responder', { updateId: gate.updateId, approved: false })).json()).toEqual({ success: true, message: 'Action rejected' });
    expect(await stateOf(gate)).toBe('rejected');
  });

  it('says how many more it needs', async () => {
    const gate = await open({ approvalsNeeded: 2 });
    expect((await approve('responder', { updateId: gate.updateId, approved: true })).json()).toEqual({ success: true, message: '1 of 2 approvals' });
    expect((await approve('admin', { updateId: gate.updateId, approved: true })).json()).toEqual({ success: true, message: 'Action approved' });
  });

  it('is one and the same when it is sent again with its Idempotency-Key', async () => {
    const gate = await open();
    const key = { 'idempotency-key': 'approve-once' };
    const first = await approve('responder', { updateId: gate.updateId, approved: true }, key);
    expect((await approve('responder', { updateId: gate.updateId, approved: true }, key)).json()).toEqual(first.json());
    expect(problemOf(await approve('responder', { updateId: gate.updateId, approved: true }))).toEqual([409, 'gate-closed']);
  });

  it('is refused in another’s name, for an update that waits for nobody, and for what is not true or false', async () => {
    const gate = await open();
    const before = await readWrites(api.db);
    expect(problemOf(await approve('responder', { updateId: gate.updateId, approved: true, userId: 'ana' }))).toEqual([403, 'wrong-person']);
    expect(problemOf(await approve('responder', { updateId: randomUUID(), approved: true }))).toEqual([404, 'unknown-gate']);
    expect(problemOf(await approve('responder', { updateId: gate.updateId, approved: 'false' }))).toEqual([400, 'invalid-request']);
    expect(await readWrites(api.db)).toEqual(before);
  });
});

describe('a request to cancel', () => {
  const cancel = (incidentId: string, reason: unknown, headers?: Record<string, string>) => api.call('responder', 'POST', `/api/incidents/${incidentId}/cancel`, { reason }, headers);

  it('is recorded and on its way to the workflow; the incident is the workflow’s to close', async () => {
    const incidentId = await haveIncident(api.db);
    const reply = await cancel(incidentId, 'false alarm');
    const { decisionId } = reply.json<{ decisionId: string }>();
    expect(reply.statusCode).toBe(202);
    expect(await api.db.select().from(decisions).where(eq(decisions.id, decisionId))).toMatchObject([{ verdict: 'cancel', gateId: null, reason: 'false alarm', person: 'responder-person' }]);
    expect((await api.db.select().from(outbox).where(eq(outbox.incidentId, incidentId))).map(({ message }) => message)).toEqual([{ kind: 'decision', decisionId, gateKind: 'cancel' }]);
    expect(await api.db.select().from(incidents).where(eq(incidents.id, incidentId))).toMatchObject([{ phase: 'DETECTION', closedAt: null }]);
  });

  it('is one and the same when it is sent again with its Idempotency-Key', async () => {
    const incidentId = await haveIncident(api.db);
    const key = { 'idempotency-key': 'cancel-once' };
    const [first, second] = await Promise.all([cancel(incidentId, 'x', key), cancel(incidentId, 'x', key)]);
    expect(second?.json()).toEqual(first?.json());
    expect(await api.db.select().from(decisions).where(eq(decisions.incidentId, incidentId))).toHaveLength(1);
    expect(problemOf(await cancel(incidentId, 'y', key))).toEqual([409, 'id-reused']);
  });

  it('is refused once the incident is closed, without a reason, and where there is none', async () => {
    const closed = await haveClosedIncident(api.db);
    const before = await readWrites(api.db);
    expect(problemOf(await cancel(closed, 'x'))).toEqual([409, 'incident-closed']);
    expect(problemOf(await cancel(closed, undefined))).toEqual([400, 'invalid-request']);
    expect(problemOf(await cancel(randomUUID(), 'x'))).toEqual([404, 'unknown-incident']);
    expect(await readWrites(api.db)).toEqual(before);
  });
});
