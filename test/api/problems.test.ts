import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect } from 'node:net';
import { sql } from 'drizzle-orm';
import { openDatabase } from '../../db/database.js';
import { type Api, closeApis, detailOf, problemOf, openApi } from './open-api.js';
import { readWrites } from './records.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const json = { 'content-type': 'application/json' };

describe('a request that cannot be served', () => {
  it('to an address that is none', async () => {
    expect(detailOf(await api.call('admin', 'GET', '/api/nothing?x=1'), 404, 'unknown-route')).toContain('GET /api/nothing.');
    expect(problemOf(await api.call('nobody', 'POST', '/healthz'))).toEqual([404, 'unknown-route']);
    expect(problemOf(await api.call('admin', 'GET', '/api/%ff'))).toEqual([400, 'malformed-request']);
  });

  it('with a body that is no JSON', async () => {
    for (const body of ['{', '', '{"title":"x",}', '{"__proto__":{"a":1},"title":"x"}']) {
      expect(problemOf(await api.call('agent', 'POST', '/api/alerts/json', body, json))).toEqual([400, 'malformed-request']);
    }
  });

  it('with a body of another kind', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
      expect(problemOf(await api.call('agent', 'POST', '/api/alerts/json', 'title=x', { 'content-type': type }))).toEqual([415, 'unsupported-media-type']);
    }
  });

  it('with a body over the limit, and changes nothing', async () => {
    const before = await readWrites(api.db);
    expect(problemOf(await api.call('agent', 'POST', '/api/alerts/json', { title: 'x'.repeat(70_000) }))).toEqual([413, 'body-too-large']);
    expect(await readWrites(api.db)).toEqual(before);
  });

  it('with an id that is none', async () => {
    for (const id of ['17', `urn:uuid:${randomUUID()}`]) {
      expect(detailOf(await api.call('viewer', 'GET', `/api/incidents/${id}`), 400, 'invalid-request')).toContain('params/incidentId');
    }
    expect(detailOf(await api.call('viewer', 'GET', '/api/incidents?limit=0&state=odd&cursor=x'), 400, 'invalid-request')).toMatch(/limit.*state.*cursor|state.*limit.*cursor/);
  });

  it('that is not even HTTP', async () => {
    await api.app.listen({ port: 0 });
    const socket = connect((api.app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('HELO there\r\n\r\n');
    const answer = (await socket.toArray()).join('');
    expect(answer).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ type: 'urn:sluice:problem:malformed-request', status: 400 });
  });

  it('with an Idempotency-Key that is too long', async () => {
    expect(problemOf(await api.call('agent', 'POST', '/api/alerts/json', { title: 'x' }, { 'idempotency-key': 'k'.repeat(256) }))).toEqual([400, 'invalid-request']);
  });
});

describe('trouble of our own', () => {
  it('is told without what is inside', async () => {
    const broken = await openApi();
    await broken.asOwner('drop table scripts');
    const reply = await broken.call('viewer', 'GET', '/api/sre/scripts');
    const detail = detailOf(reply, 500, 'internal');
    expect(reply.body).not.toMatch(/relation|select|scripts/);
    expect(detail).toContain('log');
  });

  it('with the database asks to come again, and says so at /readyz while /healthz goes on', async () => {
    const away = openDatabase('postgres://nobody:x@127.0.0.1:1/none');
    const lost = await openApi({ db: away.db, requests: { in: () => away.db } });
    const reply = await lost.call('agent', 'POST', '/api/alerts/json', { title: 'x' });
    expect(problemOf(reply)).toEqual([503, 'unavailable']);
    expect(reply.headers['retry-after']).toBe('5');
    const ready = await lost.call('nobody', 'GET', '/readyz');
    expect([ready.statusCode, ready.json()]).toEqual([503, { status: 'unavailable', checks: { database: 'does not answer', audit: 'ok' } }]);
    expect((await lost.call('nobody', 'GET', '/healthz')).statusCode).toBe(200);
    await away.close();
  });

  it('that is too much to do asks to come again, and takes more once there is room', async () => {
    const busy = await openApi({ maxAtWork: 1, handlerTimeoutMs: 300 });
    let release = () => {};
    const locked = new Promise<void>((resolve) => (release = resolve));
    const holding = busy.db.transaction(async (tx) => {
      await tx.execute(sql`lock table incidents`);
      await locked;
    });
    const waiting = busy.call('agent', 'POST', '/api/alerts/json', { title: 'x', fingerprint: randomUUID() });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const refused = await busy.call('agent', 'POST', '/api/alerts/json', { title: 'y' });
    expect(problemOf(refused)).toEqual([503, 'unavailable']);
    expect(refused.headers['retry-after']).toBe('5');
    // What takes too long is answered, too.
    expect(problemOf(await waiting)).toEqual([503, 'unavailable']);
    release();
    await holding;
    expect((await busy.call('agent', 'POST', '/api/alerts/json', { title: 'z' })).statusCode).toBe(200);
  });
});

describe('too much at once', () => {
  it('is refused before the database is asked whose token it is', async () => {
    const busy = await openApi({ maxAtWork: 1, handlerTimeoutMs: 2_000 });
    let release = () => {};
    const mayGoOn = new Promise<void>((resolve) => (release = resolve));
    const holding = busy.db.transaction(async (tx) => {
      await tx.execute(sql`lock table tokens`);
      await mayGoOn;
    });
    const waiting = busy.call('viewer', 'GET', '/api/me');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const refused = busy.call('viewer', 'GET', '/api/me');
    const first = await Promise.race([refused, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 1_000))]);
    release();
    await holding;
    expect(first && problemOf(first)).toEqual([503, 'unavailable']);
    expect((await waiting).statusCode).toBe(200);
  });
});

describe('every answer', () => {
  it('lets a page load from here and nowhere else', async () => {
    for (const url of ['/healthz', '/docs', '/nothing']) {
      const { headers } = await api.call('nobody', 'GET', url);
      expect(headers['content-security-policy']).toContain("default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline'");
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });
});
