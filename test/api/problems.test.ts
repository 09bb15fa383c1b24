import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { openDatabase } from '../../db/database.js';
import { type Api, closeApis, expectProblem, openApi } from './open-api.js';
import { readWrites } from './records.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const json = { 'content-type': 'application/json' };

describe('a request that cannot be served', () => {
  it('to an address that is none', async () => {
    expect(expectProblem(await api.call('admin', 'GET', '/api/nothing?x=1'), 404, 'unknown-route')).toContain('GET /api/nothing.');
    expectProblem(await api.call('nobody', 'POST', '/healthz'), 404, 'unknown-route');
    expectProblem(await api.call('admin', 'GET', '/api/%ff'), 400, 'malformed-request');
  });

  it('with a body that is no JSON', async () => {
    for (const body of ['{', '', '{"title":"x",}', '{"__proto__":{"a":1},"title":"x"}']) {
      expectProblem(await api.call('agent', 'POST', '/api/alerts/json', body, json), 400, 'malformed-request');
    }
  });

  it('with a body of another kind', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
      expectProblem(await api.call('agent', 'POST', '/api/alerts/json', 'title=x', { 'content-type': type }), 415, 'unsupported-media-type');
    }
  });

  it('with a body over the limit, and changes nothing', async () => {
    const before = await readWrites(api.db);
    expectProblem(await api.call('agent', 'POST', '/api/alerts/json', { title: 'x'.repeat(70_000) }), 413, 'body-too-large');
    expect(await readWrites(api.db)).toEqual(before);
  });

  it('with an id that is none', async () => {
    expect(expectProblem(await api.call('viewer', 'GET', '/api/incidents/17'), 400, 'invalid-request')).toContain('params/incidentId');
    expect(expectProblem(await api.call('viewer', 'GET', '/api/incidents?limit=0&state=odd&cursor=x'), 400, 'invalid-request')).toMatch(/limit.*state.*cursor|state.*limit.*cursor/);
  });

  it('with an Idempotency-Key that is too long', async () => {
    expectProblem(await api.call('agent', 'POST', '/api/alerts/json', { title: 'x' }, { 'idempotency-key': 'k'.repeat(256) }), 400, 'invalid-request');
  });
});

describe('trouble of our own', () => {
  it('is told without what is inside', async () => {
    const broken = await openApi();
    await broken.db.execute(sql`drop table scripts`);
    const reply = await broken.call('viewer', 'GET', '/api/sre/scripts');
    const detail = expectProblem(reply, 500, 'internal');
    expect(reply.body).not.toMatch(/relation|select|scripts/);
    expect(detail).toContain('log');
  });

  it('with the database asks to come again, and says so at /readyz while /healthz goes on', async () => {
    const away = openDatabase('postgres://nobody:x@127.0.0.1:1/none');
    const lost = await openApi({ db: away.db });
    const reply = await lost.call('agent', 'POST', '/api/alerts/json', { title: 'x' });
    expectProblem(reply, 503, 'unavailable');
    expect(reply.headers['retry-after']).toBe('5');
    const ready = await lost.call('nobody', 'GET', '/readyz');
    expect([ready.statusCode, ready.json()]).toEqual([503, { status: 'unavailable', checks: { database: 'does not answer' } }]);
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
    expectProblem(refused, 503, 'unavailable');
    expect(refused.headers['retry-after']).toBe('5');
    // What takes too long is answered, too.
    expectProblem(await waiting, 503, 'unavailable');
    release();
    await holding;
    expect((await busy.call('agent', 'POST', '/api/alerts/json', { title: 'z' })).statusCode).toBe(200);
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
