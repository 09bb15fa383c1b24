import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import type { SlackButton } from '../../contracts/slack.js';
import { setPerson } from '../../db/people.js';
import { decisions, gates, notifications, outbox, plans } from '../../db/schema.js';
import { canonicalize } from '../../domain/canonical.js';
import { toDigestible } from '../../domain/plan.js';
import type { Severity } from '../../domain/severity.js';
import { aPlan } from '../builders.js';
import { type Api, closeApis, detailOf, openApi, problemOf, workspaceId } from './open-api.js';
import { digest, haveGate, haveIncident, readWrites } from './records.js';

const SIGNING_SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const TEAM = 'T1';

let api: Api;
beforeAll(async () => {
  api = await openApi({ slackSigningSecret: SIGNING_SECRET, publicUrl: 'https://sluice.example' });
  for (const [person, role, user] of [['rita', 'responder', 'URITA'], ['ron', 'responder', 'URON'], ['vic', 'viewer', 'UVIC'], ['sue', 'supervisor', 'USUE']] as const) {
    await setPerson(api.db, { workspaceId, person, role, slackUser: `${TEAM}/${user}`, changedBy: 'admin-person' });
  }
  await setPerson(api.db, { workspaceId: 'elsewhere', person: 'eve', role: 'admin', slackUser: `${TEAM}/UEVE`, changedBy: 'eve' });
});
afterAll(closeApis);

type GateRow = typeof gates.$inferSelect;

async function open(row: Partial<typeof gates.$inferInsert> = {}, risk: Severity = 'MEDIUM'): Promise<GateRow> {
  const incidentId = await haveIncident(api.db);
  await api.db.insert(plans).values({
    incidentId,
    version: 1,
    scriptId: null,
    category: 'idleTransaction',
    digest,
    rehearsal: [],
    canonical: canonicalize(toDigestible(aPlan({ incidentId, workspaceId, risk }))),
    confidence: { value: 86, tier: 'HIGH', factors: [], caps: [] },
  });
  return haveGate(api.db, incidentId, row);
}

interface Over {
  readonly user?: string;
  readonly at?: string;
  readonly actionId?: string;
  readonly button?: Partial<SlackButton>;
}

const toPayload = ({ id: gateId, incidentId, digest }: GateRow, verdict: SlackButton['verdict'], { user = 'URITA', at = `${randomUUID()}`, actionId = `sluice.${verdict}`, button = {} }: Over = {}) =>
  JSON.stringify({
    type: 'block_actions',
    user: { id: user, username: 'whoever', team_id: TEAM },
    team: { id: TEAM, domain: 'shop' },
    actions: [{ type: 'button', action_id: actionId, action_ts: at, value: JSON.stringify({ verdict, workspaceId, incidentId, gateId, digest, channel: 'ops', ...button }) }],
  });

const nowSeconds = () => Math.floor(Date.now() / 1_000);
const sign = (timestamp: number, body: string, secret = SIGNING_SECRET) => `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;

/** Sends what Slack would, signed now; `headers` win. */
function sendForm(payload: string, headers: Record<string, string> = {}, to: Api = api) {
  const body = new URLSearchParams({ payload }).toString();
  const timestamp = nowSeconds();
  const signed = { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': `${timestamp}`, 'x-slack-signature': sign(timestamp, body) };
  return to.call('nobody', 'POST', '/api/slack/actions', body, { ...signed, ...headers });
}
const click = (gate: GateRow, verdict: SlackButton['verdict'], over: Over = {}) => sendForm(toPayload(gate, verdict, over));

const stateOf = async ({ id }: GateRow) => (await api.db.select().from(gates).where(eq(gates.id, id)))[0]?.state;
const decisionsAt = ({ id }: GateRow) => api.db.select().from(decisions).where(eq(decisions.gateId, id));
const answersTo = async ({ incidentId }: GateRow) => (await api.db.select().from(notifications).where(eq(notifications.incidentId, incidentId))).map(({ text }) => text);
const readAll = async () => ({ ...(await readWrites(api.db)), notifications: await api.db.select().from(notifications) });

describe('a click in Slack', () => {
  it('settles the gate as the person that the Slack user is, signed, and is on its way to the workflow', async () => {
    const gate = await open();
    const reply = await click(gate, 'approve');
    expect([reply.statusCode, reply.body]).toEqual([200, '']);
    expect(await stateOf(gate)).toBe('approved');
    const [decision] = await decisionsAt(gate);
    expect(decision).toMatchObject({ person: 'rita', role: 'responder', verdict: 'approve', digest, workspaceId });
    expect(await api.keyring.verify('decision', decision?.signature ?? '')).toMatchObject({ decisionId: decision?.id, person: 'rita', gateId: gate.id, digest });
    expect((await api.db.select().from(outbox).where(eq(outbox.incidentId, gate.incidentId))).map(({ message }) => message)).toEqual([{ kind: 'decision', decisionId: decision?.id, gateKind: 'execution' }]);
  });

  it('may reject', async () => {
    const gate = await open();
    await click(gate, 'reject');
    expect([await stateOf(gate), await answersTo(gate)]).toEqual(['rejected', ['Rejected as rita: Database Connection Reset']]);
  });

  it('is answered to whoever clicked, in the channel where they did', async () => {
    const gate = await open({ approvalsNeeded: 2 });
    await click(gate, 'approve');
    expect(await api.db.select().from(notifications).where(eq(notifications.incidentId, gate.incidentId))).toMatchObject([
      { kind: 'answer', channel: 'ops', onlyFor: 'URITA', gateId: gate.id, workspaceId, text: 'Approved as rita: Database Connection Reset. 1 of 2 approvals' },
    ]);
  });

  it('counts once for each person', async () => {
    const gate = await open({ approvalsNeeded: 2 });
    await click(gate, 'approve');
    await click(gate, 'approve');
    expect([await stateOf(gate), (await decisionsAt(gate)).length]).toEqual(['open', 1]);
    expect((await answersTo(gate)).some((text) => text.startsWith('Not counted: You have approved this already. See https://'))).toBe(true);
    await click(gate, 'approve', { user: 'URON' });
    expect(await stateOf(gate)).toBe('approved');
  });

  it('sent again within its time is the same click', async () => {
    const gate = await open({ approvalsNeeded: 2 });
    const payload = toPayload(gate, 'approve');
    await sendForm(payload);
    const before = await readAll();
    expect((await sendForm(payload)).statusCode).toBe(200);
    expect(await readAll()).toEqual(before);
  });

  it.each<[string, Over, Partial<typeof gates.$inferInsert>, Severity, RegExp]>([
    ['by somebody whom nobody knows', { user: 'UEVIL' }, {}, 'MEDIUM', /nobody in the workspace shop is the Slack user T1\/UEVIL/],
    ['by a person of another workspace', { user: 'UEVE' }, {}, 'MEDIUM', /nobody in the workspace shop is/],
    ['by a viewer', { user: 'UVIC' }, {}, 'MEDIUM', /You may not do this/],
    ['by too low a role', {}, { roleNeeded: 'supervisor' }, 'MEDIUM', /You may not do this/],
    ['by whoever wrote it', {}, { excluded: ['rita'] }, 'MEDIUM', /Not counted/],
    ['of a plan of HIGH risk', { user: 'USUE' }, {}, 'HIGH', /not decided in Slack. Decide at https:\/\/sluice\.example\/incidents\//],
    ['of a plan of CRITICAL risk', { user: 'USUE' }, {}, 'CRITICAL', /not decided in Slack/],
    ['where a review is needed', { user: 'USUE' }, { reviewNeeded: true }, 'MEDIUM', /not decided in Slack/],
    ['in observe mode', { user: 'USUE' }, { mode: 'nobody' }, 'MEDIUM', /not decided in Slack/],
    ['where the policy decides', { user: 'USUE' }, { mode: 'policy' }, 'MEDIUM', /not decided in Slack/],
    ['at the gate after the run', { user: 'USUE' }, { kind: 'verification' }, 'MEDIUM', /not decided in Slack/],
    ['at a gate that is closed', {}, { state: 'expired', settledAt: new Date() }, 'MEDIUM', /The gate is closed/],
    ['at a gate whose time is over', {}, { expiresAt: new Date(Date.now() - 1_000) }, 'MEDIUM', /The gate has expired/],
    ['on a plan that was replaced', { button: { digest: 'cd'.repeat(32) } }, {}, 'MEDIUM', /This is not the plan at the gate/],
  ])('%s counts for nothing and is told why', async (_what, over, row, risk, because) => {
    const gate = await open(row, risk);
    expect((await click(gate, 'approve', over)).statusCode).toBe(200);
    expect([await stateOf(gate), await decisionsAt(gate)]).toEqual([gate.state, []]);
    expect(await answersTo(gate)).toEqual([expect.stringMatching(because)]);
  });

  it.each<[string, Over]>([
    ['names a gate of another incident', { button: { incidentId: randomUUID() } }],
    ['names another workspace', { user: 'UEVE', button: { workspaceId: 'elsewhere' } }],
    ['names no gate that there is', { button: { gateId: randomUUID() } }],
    ['asks for what no button of ours does', { button: { verdict: 'breakGlass' as SlackButton['verdict'] } }],
    ['is on a link', { actionId: 'sluice.open' }],
    ['says one thing and carries another', { actionId: 'sluice.reject' }],
    ['has a user that is none', { user: "U1'; drop" }],
  ])('that %s changes nothing and tells nobody', async (_what, over) => {
    const gate = await open();
    const before = await readAll();
    expect((await click(gate, 'approve', over)).statusCode).toBe(200);
    expect(await readAll()).toEqual(before);
  });

  it.each(['', '{', 'null', '[]', '{"type":"view_submission"}', '{"type":"block_actions","actions":[]}'])('that is none (%j) changes nothing', async (payload) => {
    const before = await readAll();
    expect((await sendForm(payload)).statusCode).toBe(200);
    expect(await readAll()).toEqual(before);
  });
});

describe("Slack's signature", () => {
  const timed = (offset: number, payload: string) => {
    const timestamp = nowSeconds() + offset;
    return { 'x-slack-request-timestamp': `${timestamp}`, 'x-slack-signature': sign(timestamp, new URLSearchParams({ payload }).toString()) };
  };

  it.each<[string, (payload: string) => Record<string, string>]>([
    ['is missing', () => ({ 'x-slack-signature': '' })],
    ['is by another secret', (payload) => ({ 'x-slack-signature': sign(nowSeconds(), new URLSearchParams({ payload }).toString(), 'another') })],
    ['is of another body', () => ({ 'x-slack-signature': sign(nowSeconds(), 'payload=%7B%7D') })],
    ['is of another version', (payload) => ({ 'x-slack-signature': sign(nowSeconds(), new URLSearchParams({ payload }).toString()).replace('v0=', 'v1=') })],
    ['is older than five minutes', (payload) => timed(-310, payload)],
    ['is of the future', (payload) => timed(310, payload)],
    ['has another time than the request', (payload) => ({ ...timed(-100, payload), 'x-slack-request-timestamp': `${nowSeconds()}` })],
    ['has no time', () => ({ 'x-slack-request-timestamp': 'NaN' })],
  ])('that %s lets nothing in', async (_what, headers) => {
    const gate = await open();
    const payload = toPayload(gate, 'approve');
    const before = await readAll();
    const reply = await sendForm(payload, headers(payload));
    expect(detailOf(reply, 401, 'not-authenticated')).toContain('Slack did not sign');
    expect(await readAll()).toEqual(before);
  });

  it('of some minutes ago still counts', async () => {
    const gate = await open();
    const payload = toPayload(gate, 'approve');
    expect((await sendForm(payload, timed(-200, payload))).statusCode).toBe(200);
    expect(await stateOf(gate)).toBe('approved');
  });

  it('is asked of every body, whatever its kind', async () => {
    const gate = await open();
    const before = await readAll();
    const json = await api.call('admin', 'POST', '/api/slack/actions', { payload: toPayload(gate, 'approve') });
    expect(problemOf(json)).toEqual([415, 'unsupported-media-type']);
    expect(problemOf(await api.call('admin', 'POST', '/api/slack/actions'))).toEqual([401, 'not-authenticated']);
    expect(await readAll()).toEqual(before);
  });

  it('that fits lets a form without a payload no further', async () => {
    const timestamp = nowSeconds();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': `${timestamp}`, 'x-slack-signature': sign(timestamp, 'a=b') };
    expect(problemOf(await api.call('nobody', 'POST', '/api/slack/actions', 'a=b', headers))).toEqual([400, 'invalid-request']);
  });

  it('helps nobody where no secret is set', async () => {
    const without = await openApi();
    expect(detailOf(await sendForm('{}', {}, without), 404, 'unknown-route')).toContain('SLUICE_SLACK_SIGNING_SECRET_FILE');
  });

  it('does not let in forms anywhere else', async () => {
    const reply = await api.call('responder', 'POST', '/api/alerts/json', 'title=x', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(problemOf(reply)).toEqual([415, 'unsupported-media-type']);
  });
});
