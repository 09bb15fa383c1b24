import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { alerts, incidents, outbox } from '../../db/schema.js';
import { type Api, closeApis, detailOf, problemOf, openApi } from './open-api.js';
import { haveIncident, readWrites } from './records.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const firing = {
  status: 'firing',
  labels: { alertname: 'CheckoutSlow', severity: 'page' },
  annotations: { summary: 'p99 of checkout is above 1 s' },
  startsAt: '2026-11-22T08:12:03.123456789Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/graph',
  fingerprint: 'c0ffee',
};
const notification = (...entries: readonly object[]) => ({ version: '4', groupKey: '{}:{}', status: 'firing', receiver: 'sluice', alerts: entries });

const post = (source: 'alertmanager' | 'json', payload: object | string, headers?: Record<string, string>) => api.call('agent', 'POST', `/api/alerts/${source}`, payload, headers);
const findIncidents = (fingerprint: string) => api.db.select().from(incidents).where(eq(incidents.fingerprint, `alert:${fingerprint}`));
const findMessages = async (incidentId: string) => (await api.db.select().from(outbox).where(eq(outbox.incidentId, incidentId))).map(({ message }) => message.kind);

describe('a notification of Alertmanager', () => {
  it('opens an incident and asks for its workflow before it is acknowledged', async () => {
    const reply = await post('alertmanager', notification(firing));
    expect(reply.statusCode).toBe(200);
    const [incident] = await findIncidents('c0ffee');
    expect(reply.json()).toEqual({ accepted: 1, incidents: [{ fingerprint: 'c0ffee', incidentId: incident?.id, isNew: true }] });
    expect(incident).toMatchObject({ workspaceId: 'shop', trigger: 'alert', title: 'p99 of checkout is above 1 s', severityThreshold: 'LOW', labels: firing.labels });
    expect(await findMessages(incident?.id ?? '')).toEqual(['start']);
  });

  it('is counted when it comes again', async () => {
    await post('alertmanager', notification({ ...firing, fingerprint: 'again' }));
    const reply = await post('alertmanager', notification({ ...firing, fingerprint: 'again' }, { ...firing, fingerprint: 'again' }));
    const [incident, ...more] = await findIncidents('again');
    expect(more).toEqual([]);
    expect(reply.json()).toMatchObject({ accepted: 2, incidents: [{ incidentId: incident?.id, isNew: false }] });
    expect(await api.db.select({ times: alerts.times }).from(alerts).where(eq(alerts.fingerprint, 'again'))).toEqual([{ times: 3 }]);
  });

  it('has a fingerprint over its labels where the sender gives none, whatever their order', async () => {
    const { fingerprint: _, ...bare } = firing;
    const first = await post('alertmanager', notification({ ...bare, labels: { a: '1', b: '2' } }));
    const second = await post('alertmanager', notification({ ...bare, labels: { b: '2', a: '1' } }));
    expect(second.json<{ incidents: [{ fingerprint: string }] }>().incidents[0].fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(second.json()).toEqual({ accepted: 1, incidents: [{ ...first.json<{ incidents: [object] }>().incidents[0], isNew: false }] });
  });

  it('is named by its alertname where it has no summary', async () => {
    await post('alertmanager', notification({ ...firing, annotations: {}, fingerprint: 'unsung' }));
    expect(await findIncidents('unsung')).toMatchObject([{ title: 'CheckoutSlow' }]);
  });

  it('that is resolved tells the open incident once', async () => {
    await post('alertmanager', notification({ ...firing, fingerprint: 'over' }));
    const [incident] = await findIncidents('over');
    await post('alertmanager', notification({ ...firing, status: 'resolved', fingerprint: 'over' }));
    await post('alertmanager', notification({ ...firing, status: 'resolved', fingerprint: 'over' }));
    expect(await findMessages(incident?.id ?? '')).toEqual(['start', 'resolved']);
  });

  it('that is resolved with nothing open is accepted and does nothing', async () => {
    const before = await readWrites(api.db);
    const reply = await post('alertmanager', notification({ ...firing, status: 'resolved', fingerprint: 'stranger' }));
    expect([reply.statusCode, reply.json()]).toEqual([200, { accepted: 1, incidents: [{ fingerprint: 'stranger', incidentId: null, isNew: false }] }]);
    expect(await readWrites(api.db)).toEqual(before);
  });

  it('fires again after it was resolved, and can be resolved again', async () => {
    for (const status of ['firing', 'resolved', 'firing', 'resolved']) await post('alertmanager', notification({ ...firing, status, fingerprint: 'flapping' }));
    const [incident, ...more] = await findIncidents('flapping');
    expect(more).toEqual([]);
    expect(await findMessages(incident?.id ?? '')).toEqual(['start', 'resolved', 'resolved']);
  });

  it('opens a new incident when the one before is closed', async () => {
    await post('alertmanager', notification({ ...firing, fingerprint: 'back' }));
    await api.db.update(incidents).set({ phase: 'CLOSED', outcome: 'RESOLVED', closedAt: new Date() }).where(eq(incidents.fingerprint, 'alert:back'));
    const reply = await post('alertmanager', notification({ ...firing, fingerprint: 'back' }));
    expect(reply.json()).toMatchObject({ incidents: [{ isNew: true }] });
    expect(await findIncidents('back')).toHaveLength(2);
  });

  it('opens one incident though it comes many times at once', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => post('alertmanager', notification({ ...firing, fingerprint: 'crowd' }))));
    expect(replies.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 8 }, () => 200));
    const [incident, ...more] = await findIncidents('crowd');
    expect(more).toEqual([]);
    expect(await findMessages(incident?.id ?? '')).toEqual(['start']);
    expect(await api.db.select({ times: alerts.times }).from(alerts).where(eq(alerts.fingerprint, 'crowd'))).toEqual([{ times: 8 }]);
  });

  it('may hold more than fit in a statement', async () => {
    const large = await openApi({ bodyLimitBytes: 1_048_576, handlerTimeoutMs: 60_000 });
    const many = Array.from({ length: 10_000 }, (_, index) => ({ status: 'firing', labels: { n: `${index}` }, fingerprint: `f-${index}` }));
    const send = (entries: readonly object[]) => large.call('agent', 'POST', '/api/alerts/alertmanager', notification(...entries));
    for (const status of ['firing', 'resolved']) {
      expect((await send(many.map((entry) => ({ ...entry, status })))).statusCode).toBe(200);
    }
    expect([await large.db.$count(incidents), await large.db.$count(outbox)]).toEqual([10_000, 20_000]);
    expect(problemOf(await send([...many, ...many, ...many]))).toEqual([413, 'body-too-large']);
  }, 90_000);

  it('may hold a thousand alerts, and two such at once in opposite order do not block each other', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({ status: index % 2 === 0 ? 'firing' : 'resolved', labels: { n: `${index}` }, fingerprint: `many-${index}` }));
    const large = await openApi({ bodyLimitBytes: 1_048_576 });
    const send = (entries: readonly object[]) => large.call('agent', 'POST', '/api/alerts/alertmanager', notification(...entries));
    const everyFiring = many.map((entry) => ({ ...entry, status: 'firing' }));
    const turned = many.map((entry) => ({ ...entry, status: entry.status === 'firing' ? 'resolved' : 'firing' })).toReversed();
    expect((await Promise.all([send(everyFiring), send(everyFiring.toReversed())])).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect((await Promise.all([send(many), send(turned)])).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(await large.db.select().from(incidents)).toHaveLength(1_000);
  });
});

describe('an alert as plain JSON', () => {
  it.each(['sweep:shop-db', 'person:7d4f4c2e-5a55-4a3e-9c1e-0d5c3f1b2a10', 'alert:x'])('cannot take the place of what Sluice itself opens: %s', async (fingerprint) => {
    await haveIncident(api.db, { fingerprint });
    const reply = await post('json', { title: 'An impostor', fingerprint });
    expect(reply.json()).toMatchObject({ incidents: [{ fingerprint, isNew: true }] });
    expect(await api.db.select({ title: incidents.title }).from(incidents).where(eq(incidents.fingerprint, `alert:${fingerprint}`))).toEqual([{ title: 'An impostor' }]);
    expect(await api.db.select({ times: alerts.times }).from(alerts).where(eq(alerts.fingerprint, fingerprint))).toEqual([{ times: 1 }]);
  });

  it('may come alone or in a batch', async () => {
    const alone = await post('json', { title: 'Disk of db-1 is full', fingerprint: 'disk', severity: 'SEV-1', labels: { host: 'db-1' } });
    const batch = await post('json', [{ title: 'Disk of db-1 is full', fingerprint: 'disk' }, { title: 'Queue is long', fingerprint: 'queue' }]);
    expect(alone.json()).toMatchObject({ accepted: 1, incidents: [{ fingerprint: 'disk', isNew: true }] });
    expect(batch.json()).toMatchObject({ accepted: 2, incidents: [{ fingerprint: 'disk', isNew: false }, { fingerprint: 'queue', isNew: true }] });
  });

  it('without labels is told apart by its title', async () => {
    const reply = await post('json', [{ title: 'Bare one' }, { title: 'Bare two' }, { title: 'Bare one' }]);
    expect(reply.json<{ incidents: object[] }>().incidents).toHaveLength(2);
  });

  it('belongs to the workspace of the token', async () => {
    await post('json', { title: 'Ours', fingerprint: 'both' });
    const theirs = await api.call('outsider', 'POST', '/api/alerts/json', { title: 'Theirs', fingerprint: 'both' });
    expect(theirs.json()).toMatchObject({ incidents: [{ isNew: true }] });
    expect((await findIncidents('both')).map(({ workspaceId }) => workspaceId).toSorted()).toEqual(['elsewhere', 'shop']);
  });

  it('sent again with its Idempotency-Key is answered as the first time, even after its incident closed', async () => {
    const alert = { title: 'Once', fingerprint: 'once' };
    const first = await post('json', alert, { 'idempotency-key': 'k-1' });
    await api.db.update(incidents).set({ phase: 'CLOSED', outcome: 'RESOLVED', closedAt: new Date() }).where(eq(incidents.fingerprint, 'alert:once'));
    const second = await post('json', alert, { 'idempotency-key': 'k-1' });
    expect(second.json()).toEqual(first.json());
    expect(await findIncidents('once')).toHaveLength(1);
  });

  it('keeps texts as they are: markup, quotes, emoji', async () => {
    const title = `<img src=x onerror=alert(1)> '; drop table incidents; -- 🧨 \${jndi}`;
    await post('json', { title, fingerprint: 'odd', labels: { '__proto': 'x', 'a"b': "c'd" }, startsAt: '2026-06-30T23:59:60Z' });
    expect(await findIncidents('odd')).toMatchObject([{ title, labels: { '__proto': 'x', 'a"b': "c'd" } }]);
  });
});

describe('a malformed alert', () => {
  it.each<[string, 'alertmanager' | 'json', object | string, string]>([
    ['no alerts', 'alertmanager', { version: '4' }, 'alerts'],
    ['an empty list', 'alertmanager', notification(), 'body/alerts'],
    ['a status that is none', 'alertmanager', notification({ ...firing, status: 'burning' }), 'body/alerts/0/status must be equal to one of the allowed values: firing, resolved'],
    ['labels that are no texts', 'alertmanager', notification({ ...firing, labels: { a: 1 } }), 'body/alerts/0/labels/a must be string'],
    ['a label that hides behind a line break', 'alertmanager', notification({ ...firing, labels: { 'a\nb': { c: 1 } } }), 'body/alerts/0/labels'],
    ['a time that is none', 'alertmanager', notification({ ...firing, startsAt: 'yesterday' }), 'body/alerts/0/startsAt'],
    ['a NUL', 'alertmanager', notification({ ...firing, annotations: { summary: 'a\u0000b' } }), 'NUL'],
    ['half a surrogate pair', 'json', '{"title":"a\\ud800"}', 'surrogate'],
    ['one that goes too deep', 'alertmanager', `{"alerts":[{"status":"firing","labels":{},"x":${'['.repeat(20_000)}"\\u0000"${']'.repeat(20_000)}}]}`, 'NUL'],
    ['no title', 'json', { labels: {} }, 'title'],
    ['an unknown field', 'json', { title: 'x', colour: 'red' }, 'colour'],
    ['a number', 'json', '17', 'body must be object; body must be array'],
    ['null', 'json', 'null', 'body must be object'],
  ])('is refused, named, and changes nothing: %s', async (_, source, payload, names) => {
    const before = await readWrites(api.db);
    const reply = await post(source, payload, { 'content-type': 'application/json' });
    expect(detailOf(reply, 400, 'invalid-request')).toContain(names);
    expect(await readWrites(api.db)).toEqual(before);
  });

  it('has every wrong field named', async () => {
    const detail = detailOf(await post('json', [{ title: '', state: 'x', labels: { a: 1 } }]), 400, 'invalid-request');
    expect(detail).toBe(
      'body/0/title must not have fewer than 1 characters; body/0/state must be equal to one of the allowed values: firing, resolved; body/0/labels/a must be string.',
    );
  });

  it('spoils its whole batch, so that nothing is taken in by half', async () => {
    const before = await readWrites(api.db);
    expect(problemOf(await post('alertmanager', notification({ ...firing, fingerprint: 'good' }, { ...firing, status: 'x' })))).toEqual([400, 'invalid-request']);
    expect(await readWrites(api.db)).toEqual(before);
  });
});
