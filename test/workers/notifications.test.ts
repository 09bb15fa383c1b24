import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asc, eq } from 'drizzle-orm';
import { addNotifications } from '../../db/notifications.js';
import { incidents, notifications, plans, tail } from '../../db/schema.js';
import { appendUpdate } from '../../db/tail-writer.js';
import { canonicalize } from '../../domain/canonical.js';
import { toUpdate } from '../../domain/incident.js';
import { notificationKinds } from '../../domain/notification.js';
import { toDigestible } from '../../domain/plan.js';
import type { Severity } from '../../domain/severity.js';
import type { Channel, Workspace } from '../../domain/watch.js';
import { type Notifier, startNotifications } from '../../workers/notifications.js';
import { connectNotifier } from '../../workers/ports.js';
import { checkSecrets, createSecretReader, readWatch } from '../../workers/read-watch.js';
import { createSecrets } from '../../workers/secrets.js';
import { digest, finish, haveGate, haveIncident } from '../api/records.js';
import { aPlan } from '../builders.js';
import { createFakeNotifier } from '../fakes/fake-notifier.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { type Behaviour, openReceiver, type Receiver } from '../harness/receiver.js';
import { until } from '../harness/until.js';

const SECRET = 'a secret of the receiver';
const workspaceId = 'shop';
const well: Behaviour = { kind: 'answers', status: 200, body: '{"ok":true}' };
const down: Behaviour = { kind: 'answers', status: 503 };

let database: FreshDatabase;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  database = await freshDatabase();
});
beforeEach(() => database.asOwner('truncate notifications, tail, gates, plans, incidents'));
afterEach(async () => {
  for (const open of opened.splice(0).toReversed()) await open.close();
});
afterAll(() => database.close());

async function receive(behave: (text: string) => Behaviour = () => well): Promise<Receiver> {
  const receiver = await openReceiver(({ body }) => behave((JSON.parse(body) as { text: string }).text));
  opened.push(receiver);
  return receiver;
}

const hookTo = ({ url }: Receiver, name = 'hook'): Channel => ({ kind: 'webhook', name, url, secret: { env: 'SECRET' }, groups: ['responders'] });

const secrets = createSecrets();

/** Starts a dispatcher; the test's end stops it. */
function dispatch(channels: readonly Channel[], notifier: Notifier = connectNotifier(createSecretReader({ SECRET }, secrets.learn), secrets)) {
  const warned: string[] = [];
  const take = (_details: object, message: string) => void warned.push(message);
  const workspaces: readonly Workspace[] = readWatch('').map((workspace) => ({ ...workspace, id: workspaceId, channels }));
  const running = startNotifications({ db: database.db, workspaces, notifier, publicUrl: 'https://sluice.example', log: { info: take, warn: take, error: take }, pollMs: 20 });
  const stop = { close: () => running.stop() };
  opened.push(stop);
  return { warned, stop: () => running.stop() };
}

const ask = (incidentId: string, over: Partial<Parameters<typeof addNotifications>[1]> = {}) =>
  addNotifications(database.db, { workspaceId, incidentId, key: randomUUID(), kind: 'gateOpened', gateId: null, channels: ['hook'], text: 'Action required', ...over });
const rows = () => database.db.select().from(notifications).orderBy(asc(notifications.createdAt));
const untilSettled = (count = 1) =>
  until('what is to be told', async () => {
    const settled = (await rows()).filter(({ deliveredAt, gaveUpAt }) => deliveredAt !== null || gaveUpAt !== null);
    return settled.length === count && settled;
  });
const textsOf = async (incidentId: string) => {
  const entries = await database.db.select().from(tail).where(eq(tail.incidentId, incidentId)).orderBy(asc(tail.seq));
  return entries.map(({ body }) => ('update' in body ? body.update.text : 'end'));
};

describe('what people are to be told', () => {
  it('reaches each channel once however often it was written down, and the tail says so of each', async () => {
    const [one, other] = [await receive(), await receive()];
    const incidentId = await haveIncident(database.db, { phase: 'EXECUTION_GATE', status: 'PENDING_HUMAN_APPROVAL', severity: 'HIGH' });
    const gate = await haveGate(database.db, incidentId);
    for (const _ of ['written', 'written again']) await ask(incidentId, { key: 'gate', gateId: gate.id, channels: ['one', 'other'] });
    dispatch([hookTo(one, 'one'), hookTo(other, 'other')]);
    const told = await untilSettled(2);
    for (const receiver of [one, other]) {
      expect(receiver.received.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
        { kind: 'gateOpened', incidentId, title: 'checkout is slow', severity: 'HIGH', gate: { id: gate.id, digest }, url: `https://sluice.example/incidents/${incidentId}` },
      ]);
    }
    expect(told.map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect((await textsOf(incidentId)).toSorted()).toEqual(['Action required', 'Told one (webhook): gate opened', 'Told other (webhook): gate opened']);
    expect(await database.db.select({ phase: incidents.phase, status: incidents.status }).from(incidents)).toEqual([{ phase: 'EXECUTION_GATE', status: 'PENDING_HUMAN_APPROVAL' }]);
  });

  it('is in the tail with the status that the incident has', async () => {
    const receiver = await receive();
    const incidentId = await haveIncident(database.db, { phase: 'VERIFICATION_GATE', status: 'NEEDS_HUMAN' });
    await ask(incidentId, { kind: 'needsHuman' });
    dispatch([hookTo(receiver)]);
    await untilSettled();
    const [{ body } = { body: null }] = await database.db.select().from(tail);
    expect(body).toMatchObject({ update: { phase: 'VERIFICATION_GATE', status: 'NEEDS_HUMAN', text: 'Told hook (webhook): a person is needed' } });
  });

  it('is tried again until the channel is back, and the tail says once that it could not be told', async () => {
    let behaviour = down;
    const receiver = await receive(() => behaviour);
    const incidentId = await haveIncident(database.db);
    await ask(incidentId);
    dispatch([hookTo(receiver)]);
    await until('the first try', async () => (await rows())[0]?.lastError === 'it answered 503');
    await until('the second try', async () => receiver.received.length === 2);
    behaviour = well;
    await untilSettled();
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect([ids.length, new Set(ids).size]).toEqual([3, 1]);
    expect(await textsOf(incidentId)).toEqual(['Could not tell hook (webhook): gate opened, tried again\nit answered 503', 'Told hook (webhook): gate opened']);
  });

  it('is tried less and less often', async () => {
    const receiver = await receive(() => down);
    await ask(await haveIncident(database.db));
    const delays: number[] = [];
    dispatch([hookTo(receiver)]);
    for (const attempts of [3, 4, 5, 11, 12]) {
      await database.asOwner(`update notifications set due_at = now(), last_error = null, attempts = ${attempts - 1}`);
      const { dueAt } = await until(`try ${attempts}`, async () => (await rows()).find((row) => row.attempts === attempts && row.lastError !== null));
      delays.push((dueAt.getTime() - Date.now()) / 1_000);
    }
    const asIs = [4, 8, 16, 600, 600];
    // Less what it took to see it.
    expect(delays.map((delay, index) => delay <= (asIs[index] ?? 0) && delay > (asIs[index] ?? 0) / 2)).toEqual(asIs.map(() => true));
  });

  it('is given up after a day, in words', async () => {
    const receiver = await receive(() => down);
    const incidentId = await haveIncident(database.db);
    await ask(incidentId);
    await database.db.update(notifications).set({ createdAt: new Date(Date.now() - 86_400_000), attempts: 150 });
    dispatch([hookTo(receiver)]);
    await untilSettled();
    expect(await textsOf(incidentId)).toEqual(['Gave up telling hook (webhook): gate opened\nit answered 503; tried 151 times within 24h']);
    expect(receiver.received.length).toBe(1);
  });

  it.each<[string, Behaviour, string]>([
    ['refuses it', { kind: 'answers', status: 403 }, 'it answered 403'],
    ['sends it elsewhere', { kind: 'answers', status: 302, headers: { location: 'http://127.0.0.1:1' } }, 'redirects are not followed'],
  ])('is given up at once where the channel %s', async (_what, behaviour, because) => {
    const receiver = await receive((text) => (text === 'later' ? well : behaviour));
    const incidentId = await haveIncident(database.db);
    await ask(incidentId);
    await ask(incidentId, { text: 'later' });
    dispatch([hookTo(receiver)]);
    await untilSettled(2);
    expect(await textsOf(incidentId)).toEqual([expect.stringMatching(new RegExp(`^Gave up telling hook \\(webhook\\): gate opened\\n.*${because}`)), 'Told hook (webhook): gate opened']);
    expect(receiver.received.length).toBe(2);
  });

  it('is given up in words where sluice.yaml has no such channel any more', async () => {
    const incidentId = await haveIncident(database.db);
    await ask(incidentId);
    dispatch([]);
    await untilSettled();
    expect(await textsOf(incidentId)).toEqual(['Gave up telling hook: gate opened\nhook is not among the channels in sluice.yaml any more']);
  });

  it('waits where a secret is gone, and names the place', async () => {
    const receiver = await receive();
    const incidentId = await haveIncident(database.db);
    await ask(incidentId);
    const { warned } = dispatch([hookTo(receiver)], connectNotifier(createSecretReader({}, secrets.learn), secrets));
    await until('the first try', async () => (await textsOf(incidentId)).length === 1);
    expect(await textsOf(incidentId)).toEqual(['Could not tell hook (webhook): gate opened, tried again\nVariable SECRET is not set, and sluice.yaml names it.']);
    expect([receiver.received, warned]).toEqual([[], ['nobody could be told, tried again']]);
  });

  it('is told oldest first', async () => {
    const receiver = await receive();
    const incidentId = await haveIncident(database.db);
    const texts = ['first', 'second', 'third', 'fourth'];
    for (const text of texts) await ask(incidentId, { text });
    dispatch([hookTo(receiver)]);
    await untilSettled(4);
    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { text: string }).text)).toEqual(texts);
  });

  it('is not told any more once its gate is settled, unless it is what happened', async () => {
    const receiver = await receive();
    const incidentId = await haveIncident(database.db);
    const gate = await haveGate(database.db, incidentId, { state: 'rejected', settledAt: new Date() });
    for (const kind of notificationKinds) await ask(incidentId, { kind, text: kind, gateId: gate.id });
    await ask(incidentId, { text: 'of no gate' });
    dispatch([hookTo(receiver)]);
    await untilSettled(notificationKinds.length + 1);
    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { text: string }).text)).toEqual(['brokenGlass', 'ranByPolicy', 'answer', 'of no gate']);
    expect((await textsOf(incidentId)).filter((text) => !text.startsWith('Told hook (webhook): '))).toEqual(['Action required']);
    expect((await rows()).filter(({ gaveUpAt }) => gaveUpAt !== null).map(({ kind, attempts }) => [kind, attempts])).toEqual(['gateOpened', 'reminder', 'escalation', 'needsHuman'].map((kind) => [kind, 1]));
  });

  it('leaves a channel alone that asks for it, all of it', async () => {
    const receiver = await receive(() => ({ kind: 'answers', status: 429, headers: { 'retry-after': '1000' } }));
    const incidentId = await haveIncident(database.db);
    for (const text of ['first', 'second', 'third']) await ask(incidentId, { text });
    dispatch([hookTo(receiver)]);
    await until('the rest', async () => (await rows()).every(({ dueAt }) => dueAt.getTime() > Date.now() + 900_000));
    expect(receiver.received.length).toBe(1);
  });

  it('of a closed incident is told, and its tail ends where it ended', async () => {
    const receiver = await receive();
    const incidentId = await haveIncident(database.db);
    await ask(incidentId);
    await finish(database.db, incidentId);
    dispatch([hookTo(receiver)]);
    await untilSettled();
    expect([receiver.received.length, await textsOf(incidentId)]).toEqual([1, ['end']]);
  });

  it('goes on in the tail of an incident that is taken back after its end', async () => {
    const receiver = await receive();
    const incidentId = await haveIncident(database.db, { phase: 'CLOSED', status: 'IN_PROGRESS', outcome: 'RESOLVED', closedAt: new Date() });
    await finish(database.db, incidentId);
    await appendUpdate(database.db, incidentId, 'rollback', toUpdate({ phase: 'CLOSED', kind: 'rollback', text: 'Rollback asked for' }));
    await ask(incidentId);
    dispatch([hookTo(receiver)]);
    await untilSettled();
    expect(await textsOf(incidentId)).toEqual(['end', 'Rollback asked for', 'Told hook (webhook): gate opened']);
  });
});

describe('a channel that is slow', () => {
  it('delays no other, holds no lock, and keeps nobody from stopping', async () => {
    const [slow, quick] = [await receive(() => ({ kind: 'hangs' })), await receive()];
    const incidentId = await haveIncident(database.db);
    await ask(incidentId, { channels: ['slow'] });
    const { stop } = dispatch([hookTo(slow, 'slow'), hookTo(quick)]);
    await until('the slow one', async () => slow.received.length === 1);
    await ask(incidentId);
    await untilSettled();
    expect(quick.received.length).toBe(1);
    expect(await database.asOwner(`select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`)).toEqual([]);
    await database.db.transaction(async (tx) => {
      await tx.execute(`set local lock_timeout = '1s'`);
      await appendUpdate(tx, incidentId, 'next', toUpdate({ phase: 'DETECTION', text: 'goes on' }));
    });
    await stop();
    const [waiting] = (await rows()).filter(({ channel }) => channel === 'slow');
    // As if it had not been tried: its end says nothing about the channel.
    expect(waiting).toMatchObject({ attempts: 0, deliveredAt: null, gaveUpAt: null, lastError: null });
    expect(waiting?.dueAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
    expect((await textsOf(incidentId)).filter((text) => text.includes('slow'))).toEqual([]);
  });
});

describe('two dispatchers', () => {
  it('tell each thing once between them', async () => {
    const incidentId = await haveIncident(database.db);
    for (let i = 0; i < 30; i += 1) await ask(incidentId, { channels: ['hook', 'other'] });
    const fake = createFakeNotifier(() => 'takesIt');
    const channels = ['hook', 'other'].map((name): Channel => ({ kind: 'webhook', name, url: 'http://x', secret: { env: 'SECRET' }, groups: ['responders'] }));
    dispatch(channels, fake);
    dispatch(channels, fake);
    await untilSettled(60);
    expect([fake.received.length, new Set(fake.received.map(({ id }) => id)).size]).toEqual([60, 60]);
    expect((await textsOf(incidentId)).length).toBe(60);
  });

  it('take over what one of them died with, after a while', async () => {
    const incidentId = await haveIncident(database.db);
    await ask(incidentId);
    await database.db.update(notifications).set({ attempts: 1, dueAt: new Date(Date.now() + 1_000) });
    const fake = createFakeNotifier(() => 'takesIt');
    dispatch([{ kind: 'webhook', name: 'hook', url: 'http://x', secret: { env: 'SECRET' }, groups: ['responders'] }], fake);
    await untilSettled();
    expect(await rows()).toMatchObject([{ attempts: 2 }]);
  });
});

describe('a gate in Slack', () => {
  it.each<[Severity, readonly string[]]>([
    ['MEDIUM', ['sluice.approve', 'sluice.reject', 'sluice.open']],
    ['HIGH', ['sluice.open']],
  ])('of %s risk has the buttons %j', async (risk, buttons) => {
    const receiver = await receive();
    const incidentId = await haveIncident(database.db);
    const gate = await haveGate(database.db, incidentId);
    const plan = aPlan({ incidentId, workspaceId, risk });
    await database.db.insert(plans).values({
      incidentId,
      version: 1,
      scriptId: null,
      category: 'idleTransaction',
      digest,
      rehearsal: [],
      canonical: canonicalize(toDigestible(plan)),
      confidence: { value: 86, tier: 'HIGH', factors: [], caps: [] },
    });
    await ask(incidentId, { gateId: gate.id, channels: ['ops'] });
    dispatch([{ kind: 'slack', name: 'ops', api: receiver.url, token: { env: 'SECRET' }, channel: 'C0123', groups: ['responders'] }]);
    await untilSettled();
    const sent = receiver.received.map(({ body }) => JSON.parse(body) as { blocks: { elements?: { action_id: string }[] }[] });
    expect(sent.flatMap(({ blocks }) => blocks.flatMap(({ elements = [] }) => elements.map(({ action_id }) => action_id)))).toEqual(buttons);
    expect(await textsOf(incidentId)).toContain('Told ops (slack): gate opened');
  });
});

describe('a worker', () => {
  const check = (channels: readonly Channel[], env: Record<string, string>) => () =>
    checkSecrets(
      readWatch('').map((workspace) => ({ ...workspace, channels })),
      createSecretReader(env, () => {}),
    );
  const hook: Channel = { kind: 'webhook', name: 'hook', url: { env: 'HOOK_URL' }, secret: { env: 'SECRET' }, groups: ['responders'] };
  const slack: Channel = { kind: 'slack', name: 'ops', api: 'https://slack.com/api', token: { env: 'TOKEN' }, channel: 'C0123', groups: ['responders'] };

  it('does not start where a channel has not what it needs, and names all of it', () => {
    expect(check([hook, slack], {})).toThrow(/HOOK_URL[\s\S]*TOKEN/);
    expect(check([hook], { HOOK_URL: 'https://x/hook', SECRET: 'a short one' })).toThrow('11 bytes');
    expect(check([slack], { TOKEN: 'xoxb' })).toThrow('The secret TOKEN has fewer than 6 characters');
    expect(check([hook], { HOOK_URL: 'http://x/whsec', SECRET })).toThrow(/^The address of the channel hook, .* must be an https address; http only for this machine itself\.$/);
    expect(check([hook, slack], { HOOK_URL: 'https://x/hook', SECRET, TOKEN: 'xoxb-1' })).not.toThrow();
  });
});
