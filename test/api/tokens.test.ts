import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditPage } from '../../contracts/http.js';
import type { MadeToken, Token, TokenPage } from '../../contracts/http-people.js';
import { type Api, closeApis, detailOf, openApi, problemOf } from './open-api.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const dayMs = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString();
const body = (over: object = {}) => ({ person: 'ana', role: 'responder', name: 'laptop', expiresAt: inDays(90), ...over });
const post = (over: object = {}, headers: Record<string, string> = {}) => api.call('admin', 'POST', '/api/tokens', body(over), headers);
const make = async (over: object = {}) => (await post(over)).json<MadeToken>();
const revoke = (id: string, caller: 'admin' | 'outsider' = 'admin') => api.call(caller, 'DELETE', `/api/tokens/${id}`);
const comeIn = (token: string) => api.app.inject({ url: '/api/me', headers: { authorization: `Bearer ${token}` } });
const audited = async () => (await api.call('admin', 'GET', '/api/audit')).json<AuditPage>().rows;

describe('POST /api/tokens', () => {
  it('makes a token that is shown once and lets its person in', async () => {
    const reply = await post();
    const { token, ...made } = reply.json<MadeToken>();
    expect([reply.statusCode, reply.headers['cache-control']]).toEqual([201, 'no-store']);
    expect(made).toMatchObject({ person: 'ana', role: 'responder', name: 'laptop', state: 'usable', createdBy: 'admin-person', lastUsedAt: null, revokedAt: null });
    expect((await comeIn(token)).json()).toEqual({ person: 'ana', role: 'responder', workspaceId: 'shop' });
    const { tokens } = (await api.call('admin', 'GET', '/api/tokens?limit=1')).json<TokenPage>();
    expect(tokens).toEqual([{ ...made, lastUsedAt: expect.any(String) }]);
    const rows = await audited();
    expect(rows[0]).toMatchObject({ kind: 'token.made', actor: 'admin-person', subject: made.id });
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('does not show it again to a repeat, and makes no second one', async () => {
    const headers = { 'idempotency-key': 'once' };
    const { id } = (await post({}, headers)).json<MadeToken>();
    const rows = await audited();
    expect(detailOf(await post({}, headers), 409, 'token-shown')).toContain(`DELETE /api/tokens/${id}`);
    expect(await audited()).toEqual(rows);
  });

  it.each([
    ['in the past', () => inDays(-1)],
    ['more than 366 days ahead', () => inDays(367)],
    ['no moment', () => 'tomorrow'],
    ['a second that no clock has', () => '2016-12-31T23:59:60Z'],
    ['not said', () => undefined],
  ])('refuses an expiry that is %s', async (_, expiresAt) => {
    expect(detailOf(await post({ expiresAt: expiresAt() }), 400, 'invalid-request')).toContain('expiresAt');
  });

  it.each(['SYSTEM', 'System', ' ana', 'a\u200bna', 'a\u202ena'])('refuses the name %j', async (person) => {
    expect(problemOf(await post({ person }))).toEqual([400, 'wrong-name']);
  });

  it.each([{ person: '' }, { person: 'a\u0007b' }, { role: 'system' }, { name: '' }, { workspaceId: 'elsewhere' }])('refuses the body with %j', async (over) => {
    expect(problemOf(await post(over))).toEqual([400, 'invalid-request']);
  });
});

describe('DELETE /api/tokens/:tokenId', () => {
  it('lets nobody in any more, and is the same when it is repeated', async () => {
    const { token, id } = await make();
    expect((await revoke(id)).json()).toMatchObject({ id, state: 'revoked', revokedBy: 'admin-person' });
    expect(problemOf(await comeIn(token))).toEqual([401, 'not-authenticated']);
    const rows = await audited();
    expect(rows[0]).toMatchObject({ kind: 'token.revoked', subject: id, details: { person: 'ana', role: 'responder' } });
    expect((await revoke(id)).json<Token>()).toMatchObject({ id, state: 'revoked' });
    expect(await audited()).toEqual(rows);
  });

  it('takes back the token in use, too', async () => {
    const { token, id } = await make({ role: 'admin' });
    const headers = { authorization: `Bearer ${token}` };
    expect((await api.app.inject({ method: 'DELETE', url: `/api/tokens/${id}`, headers })).statusCode).toBe(200);
    expect(problemOf(await comeIn(token))).toEqual([401, 'not-authenticated']);
  });

  it("does not know another workspace's", async () => {
    const { token, id } = await make();
    expect(problemOf(await revoke(id, 'outsider'))).toEqual([404, 'unknown-token']);
    expect((await comeIn(token)).statusCode).toBe(200);
    expect(problemOf(await revoke('nonsense'))).toEqual([400, 'invalid-request']);
  });
});

describe('GET /api/tokens', () => {
  it("gives the workspace's own, newest first, page by page", async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.unshift((await make({ name })).id);
    const first = (await api.call('admin', 'GET', '/api/tokens?limit=2')).json<TokenPage>();
    const second = (await api.call('admin', 'GET', `/api/tokens?limit=2&cursor=${first.nextCursor}`)).json<TokenPage>();
    expect([...first.tokens, ...second.tokens].slice(0, 3).map(({ id }) => id)).toEqual(ids);
    const others = (await api.call('outsider', 'GET', '/api/tokens')).json<TokenPage>();
    expect(others).toMatchObject({ tokens: [{ person: 'outsider' }], nextCursor: null });
  });

  it('says which ones have expired', async () => {
    const { id } = await make({ name: 'short' });
    await api.asOwner(`update tokens set expires_at = now() where id = '${id}'`);
    const { tokens } = (await api.call('admin', 'GET', '/api/tokens?limit=1')).json<TokenPage>();
    expect(tokens).toMatchObject([{ id, state: 'expired' }]);
  });
});
