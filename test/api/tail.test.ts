import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { createParser } from 'eventsource-parser';
import { createOidc } from '../../api/oidc.js';
import { notify } from '../../db/channels.js';
import type { Database } from '../../db/database.js';
import { incidents, outbox, tokens } from '../../db/schema.js';
import { appendTail } from '../../db/tail-writer.js';
import { createToken, revokeToken } from '../../db/tokens.js';
import { openIssuer } from './oidc-issuer.js';
import { type Api, closeApis, detailOf, problemOf, openApi, workspaceId } from './open-api.js';
import { finish, haveClosedIncident, haveIncident, print, readWrites, say } from './records.js';
import { until } from '../harness/until.js';

let api: Api;
let address: string;
beforeAll(async () => {
  api = await openApi();
  await api.app.listen({ port: 0 });
  address = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
});
afterAll(closeApis);

const url = (incidentId: string, query = '') => `/api/incidents/${incidentId}/tail${query}`;
const json = (incidentId: string, query = '') => api.call('viewer', 'GET', url(incidentId, query));

/** Opens the stream as a browser does. `seen` grows as events arrive. */
async function follow(incidentId: string, headers: Record<string, string> = {}) {
  const gone = new AbortController();
  const reply = await fetch(`${address}${url(incidentId)}`, {
    headers: { authorization: `Bearer ${api.tokenOf('viewer')}`, accept: 'text/event-stream', ...headers },
    signal: gone.signal,
  });
  const seen: { id: number; event: string; data: { text?: string; outcome?: string } }[] = [];
  const comments: string[] = [];
  let isOver = false;
  const parser = createParser({
    onEvent: ({ id, event = '', data }) => void seen.push({ id: Number(id), event, data: JSON.parse(data) }),
    onComment: (comment) => void comments.push(comment),
  });
  const ended = (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of reply.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
    } catch {
      // Dropped on purpose.
    }
    isOver = true;
  })();
  return { reply, seen, comments, ended, isOver: () => isOver, drop: () => gone.abort() };
}

const tell = (incidentId: string) => notify(api.db, 'tail', incidentId);

describe('the job tail as JSON', () => {
  it('is a page with its text as people read it', async () => {
    const incidentId = await haveIncident(api.db);
    await say(api.db, incidentId, 'Measuring 4 signals\nof shop-db');
    await print(api.db, incidentId, 'terminated session 4711\ndone\n');
    await finish(api.db, incidentId);
    const reply = await json(incidentId);
    expect(reply.json()).toMatchObject({
      entries: [
        { event: 'update', seq: 1, data: { incidentId, seq: 1, phase: 'DETECTION', status: 'IN_PROGRESS', approvedBy: null } },
        { event: 'output', seq: 2, data: { stream: 'stdout', firstLine: 1 } },
        { event: 'done', seq: 3, data: { outcome: 'RESOLVED' } },
      ],
      nextAfter: 3,
      text: '🔍 DETECTION [IN_PROGRESS]\n   Measuring 4 signals\n   of shop-db\n   | terminated session 4711\n   | done',
    });
  });

  it('goes on after what was read', async () => {
    const incidentId = await haveIncident(api.db);
    for (const text of ['a', 'b', 'c']) await say(api.db, incidentId, text);
    const first = (await json(incidentId, '?limit=2')).json<{ nextAfter: number; entries: object[] }>();
    const second = (await json(incidentId, `?after=${first.nextAfter}`)).json<{ nextAfter: number; entries: object[] }>();
    expect([first.entries.length, second.entries.length, second.nextAfter]).toEqual([2, 1, 3]);
    expect((await json(incidentId, '?after=3')).json()).toEqual({ entries: [], nextAfter: 3, text: '' });
  });

  it('refuses a place that is none', async () => {
    const incidentId = await haveIncident(api.db);
    for (const after of ['-1', 'x', '99999999999']) detailOf(await json(incidentId, `?after=${after}`), 400, 'invalid-request');
    expect(problemOf(await api.call('viewer', 'GET', url(incidentId), undefined, { 'last-event-id': 'x' }))).toEqual([400, 'invalid-request']);
    expect(problemOf(await json(randomUUID()))).toEqual([404, 'unknown-incident']);
  });
});

describe('the job tail as a stream', () => {
  it('tells what was before, then what comes as it comes, and ends when it is done', async () => {
    const incidentId = await haveIncident(api.db);
    await say(api.db, incidentId, 'before');
    const stream = await follow(incidentId);
    expect(stream.reply.headers.get('content-type')).toContain('text/event-stream');
    await until('what was before', async () => stream.seen.length === 1);
    await say(api.db, incidentId, 'live');
    await tell(incidentId);
    await until('what comes', async () => stream.seen.length === 2);
    await finish(api.db, incidentId);
    await tell(incidentId);
    await stream.ended;
    expect(stream.seen.map(({ id, event, data }) => [id, event, data.text ?? data.outcome])).toEqual([
      [1, 'update', 'before'],
      [2, 'update', 'live'],
      [3, 'done', 'RESOLVED'],
    ]);
  });

  it('is a comment now and then while nothing happens, and finds what nobody told of', async () => {
    const incidentId = await haveIncident(api.db);
    const stream = await follow(incidentId);
    await until('a heartbeat', async () => stream.comments.length > 0);
    await say(api.db, incidentId, 'untold');
    await until('what nobody told of', async () => stream.seen.length === 1);
    expect(stream.seen).toMatchObject([{ id: 1, data: { text: 'untold' } }]);
    stream.drop();
    await stream.ended;
  });

  it('loses nothing and doubles nothing though it breaks again and again', async () => {
    const incidentId = await haveIncident(api.db);
    const writing = (async () => {
      for (let n = 1; n <= 300; n += 1) {
        await print(api.db, incidentId, `line ${n}\n`, n);
        if (n % 3 === 0) await tell(incidentId);
      }
      await finish(api.db, incidentId);
      await tell(incidentId);
    })();
    const read: { id: number; text: string }[] = [];
    let drops = 0;
    for (let isDone = false; !isDone; ) {
      const last = read.at(-1)?.id;
      const stream = await follow(incidentId, last === undefined ? {} : { 'last-event-id': `${last}` });
      await until('some more, or the end', async () => stream.seen.length > 20 || stream.isOver());
      stream.drop();
      await stream.ended;
      read.push(...stream.seen.map(({ id, data }) => ({ id, text: data.text ?? 'done' })));
      isDone = stream.seen.at(-1)?.event === 'done';
      drops += 1;
    }
    await writing;
    expect(drops).toBeGreaterThan(3);
    expect(read.map(({ id }) => id)).toEqual(Array.from({ length: 301 }, (_, index) => index + 1));
    expect(read.map(({ text }) => text)).toEqual([...Array.from({ length: 300 }, (_, index) => `line ${index + 1}\n`), 'done']);
  });

  it('of what is over says that nothing will follow', async () => {
    const incidentId = await haveClosedIncident(api.db);
    const stream = await follow(incidentId);
    await stream.ended;
    expect(stream.seen.map(({ event }) => event)).toEqual(['done']);
    expect((await follow(incidentId, { 'last-event-id': '1' })).reply.status).toBe(204);
  });

  it('does not read ahead of a reader that does not read', async () => {
    const incidentId = await haveIncident(api.db);
    const output = { stream: 'stdout' as const, text: `${'x'.repeat(60_000)}\n`, firstLine: 1 };
    await appendTail(api.db, incidentId, Array.from({ length: 500 }, (_, n) => ({ key: `${n}`, event: 'output' as const, body: { output } })));
    let reads = 0;
    const toCounting = (db: Database): Database => Object.create(db, { select: { value: (...fields: Parameters<Database['select']>) => ((reads += 1), db.select(...fields)) } });
    const counted = await openApi({ db: api.db, requests: { in: (workspaceId) => toCounting(api.requests.in(workspaceId)) } });
    await counted.app.listen({ port: 0 });
    const stalled = connect((counted.app.server.address() as AddressInfo).port, '127.0.0.1');
    const lines = [`GET ${url(incidentId)} HTTP/1.1`, 'host: x', `authorization: Bearer ${api.tokenOf('viewer')}`, 'accept: text/event-stream'];
    stalled.write(`${lines.join('\r\n')}\r\n\r\n`);
    stalled.pause();
    await until('its first page', async () => reads >= 3);
    await wait(1_000);
    // The incident, whether it is over, and of ten pages the few that the kernel's buffers hold.
    expect(reads).toBeLessThan(8);
    stalled.destroy();
  });

  describe('ends for a reader', () => {
    const readerOf = async (id: string) => {
      const token = await createToken(api.db, { workspaceId, person: 'reader', role: 'viewer' }, { id });
      return { authorization: `Bearer ${token}` };
    };

    it.each<[string, (id: string) => Promise<unknown>]>([
      ['was revoked', (tokenId) => revokeToken(api.db, { workspaceId, tokenId, person: 'admin-person' })],
      ['expired', (id) => api.db.update(tokens).set({ expiresAt: sql`now()` }).where(eq(tokens.id, id))],
      ['is for less now', (id) => api.db.update(tokens).set({ role: 'agent' }).where(eq(tokens.id, id))],
    ])('whose token %s, and goes on for others', async (_, take) => {
      const [incidentId, id] = [await haveIncident(api.db), randomUUID()];
      const [stream, other] = [await follow(incidentId, await readerOf(id)), await follow(incidentId)];
      await until('heartbeats', async () => stream.comments.length > 1);
      await take(id);
      await stream.ended;
      await say(api.db, incidentId, 'later');
      await until('what came later', async () => other.seen.length === 1);
      expect(stream.seen).toEqual([]);
      other.drop();
      await other.ended;
    });

    it('whose token was revoked, though there is always something to tell', async () => {
      const [incidentId, id] = [await haveIncident(api.db), randomUUID()];
      const stream = await follow(incidentId, await readerOf(id));
      await revokeToken(api.db, { workspaceId, tokenId: id, person: 'admin-person' });
      await until('its end', async () => {
        await say(api.db, incidentId, 'more');
        await tell(incidentId);
        return stream.isOver();
      });
      expect(stream.seen.at(-1)).toMatchObject({ data: { text: 'more' } });
    });

    it('whose JWT is past its time', async () => {
      const issuer = await openIssuer();
      const oidc = createOidc({ issuer: issuer.url, audience: 'sluice', personClaim: 'email', groupsClaim: 'groups', groups: { oncall: { workspace: workspaceId, role: 'viewer' } } });
      const behind = await openApi({ db: api.db, requests: api.requests, oidc });
      await behind.app.listen({ port: 0 });
      const incidentId = await haveIncident(api.db);
      // A minute more is borne, so it is good for two seconds.
      const authorization = `Bearer ${await issuer.sign(issuer.claims({ exp: issuer.nowS() - 58 }))}`;
      const at = `http://127.0.0.1:${(behind.app.server.address() as AddressInfo).port}${url(incidentId)}`;
      const reply = await fetch(at, { headers: { authorization, accept: 'text/event-stream' } });
      expect([reply.status, await reply.text()]).toEqual([200, expect.not.stringContaining('event:')]);
      expect((await fetch(at, { headers: { authorization } })).status).toBe(401);
      await issuer.close();
    });
  });

  it('is for so many readers at once, whether they follow or start, and for more once one left', async () => {
    const full = await openApi({ db: api.db, requests: api.requests, maxStreams: 1 });
    await full.app.listen({ port: 0 });
    const incidentId = await haveIncident(api.db);
    const headers = { authorization: `Bearer ${api.tokenOf('responder')}`, accept: 'text/event-stream', 'content-type': 'application/json' };
    const at = `http://127.0.0.1:${(full.app.server.address() as AddressInfo).port}`;
    const read = (signal: AbortSignal) => fetch(`${at}${url(incidentId)}`, { headers, signal });
    const reader = new AbortController();
    expect((await read(reader.signal)).status).toBe(200);
    const before = await readWrites(api.db);
    const body = JSON.stringify({ workspaceId: 'shop' });
    const refused = [await read(AbortSignal.timeout(5_000)), await fetch(`${at}/api/ai/sre/remediate`, { method: 'POST', headers, body })];
    expect(refused.map((reply) => [reply.status, reply.headers.get('retry-after')])).toEqual([[503, '5'], [503, '5']]);
    expect(await readWrites(api.db)).toEqual(before);
    reader.abort();
    const next = new AbortController();
    await until('room', async () => (await read(next.signal)).status === 200);
    next.abort();
  });

  it('lets the app close while it is open', async () => {
    const closing = await openApi({ db: api.db, requests: api.requests });
    await closing.app.listen({ port: 0 });
    const incidentId = await haveIncident(api.db);
    const reply = await fetch(`http://127.0.0.1:${(closing.app.server.address() as AddressInfo).port}${url(incidentId)}`, {
      headers: { authorization: `Bearer ${api.tokenOf('viewer')}`, accept: 'text/event-stream' },
    });
    const read = reply.text().catch(() => 'cut');
    await closing.app.close();
    expect(await read).toBe('cut');
  });
});

describe('a remediation that a person starts', () => {
  const start = (body: object, headers: Record<string, string> = {}) =>
    fetch(`${address}/api/ai/sre/remediate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api.tokenOf('responder')}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ workspaceId: 'shop', ...body }),
    });

  it('is an incident of its own, whose tail is the answer until it is closed', async () => {
    const reply = await start({ userId: 'responder-person', severityThreshold: 'SEV-1' });
    const incidentId = reply.headers.get('sluice-incident') ?? '';
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(await api.db.select().from(incidents).where(eq(incidents.id, incidentId))).toMatchObject([
      { trigger: 'person', startedBy: 'responder-person', severityThreshold: 'HIGH', fingerprint: `person:${incidentId}`, targets: null, workspaceId: 'shop' },
    ]);
    expect((await api.db.select().from(outbox).where(eq(outbox.incidentId, incidentId))).map(({ message }) => message)).toEqual([{ kind: 'start' }]);
    await say(api.db, incidentId, 'Measuring 4 signals');
    await finish(api.db, incidentId);
    await tell(incidentId);
    const events = (await reply.text()).split('\n').filter((line) => line.startsWith('event:'));
    expect(events).toEqual(['event: update', 'event: done']);
  });

  it('starts once when it is sent again with its Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'start-once' };
    const replies = await Promise.all([start({}, key), start({}, key)]);
    const [first, second] = replies.map((reply) => reply.headers.get('sluice-incident'));
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second).toBe(first);
    expect(await api.db.select().from(incidents).where(eq(incidents.id, first ?? ''))).toMatchObject([{ severityThreshold: 'LOW' }]);
    expect((await start({ severityThreshold: 'HIGH' }, key)).status).toBe(409);
    for (const reply of replies) await reply.body?.cancel();
  });

  it('is refused in another’s name, in another workspace, or with a threshold that is none', async () => {
    const before = await readWrites(api.db);
    const refused = (body: object) => api.call('responder', 'POST', '/api/ai/sre/remediate', { workspaceId: 'shop', ...body });
    expect(problemOf(await refused({ userId: 'ana' }))).toEqual([403, 'wrong-person']);
    expect(problemOf(await refused({ workspaceId: 'elsewhere' }))).toEqual([404, 'unknown-workspace']);
    expect(problemOf(await refused({ severityThreshold: 'SEV-9' }))).toEqual([400, 'invalid-request']);
    expect(await readWrites(api.db)).toEqual(before);
  });
});
