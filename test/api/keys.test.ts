import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditPage, KeyList } from '../../contracts/http.js';
import { recordKey } from '../../db/key-audit.js';
import { type Api, type Caller, closeApis, detailOf, openApi, problemOf, workspaceId } from './open-api.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const list = async () => (await api.call('admin', 'GET', '/api/keys')).json<KeyList>().keys;
const signing = async () => (await list()).find(({ state }) => state === 'signing')?.keyId ?? '';
const audited = async (caller: Caller = 'viewer') => (await api.call(caller, 'GET', '/api/audit')).json<AuditPage>().rows.map(({ kind, actor, subject }) => [kind, actor, subject]);
const rotate = (headers: Record<string, string> = {}) => api.call('admin', 'POST', '/api/keys/rotate', { reason: 'yearly' }, headers);

describe('keys', () => {
  it('are listed without what is private', async () => {
    const reply = await api.call('admin', 'GET', '/api/keys');
    expect(reply.json()).toEqual({ keys: [{ keyId: expect.any(String), madeAt: expect.any(String), state: 'signing' }] });
  });

  it('are rotated once per request, which every workspace has on record', async () => {
    const before = await signing();
    const first = await rotate({ 'idempotency-key': 'once' });
    expect(first.statusCode).toBe(200);
    const { keyId } = first.json<{ keyId: string }>();
    expect((await list()).map((key) => [key.keyId, key.state])).toEqual([[before, 'verifying'], [keyId, 'signing']]);
    expect((await rotate({ 'idempotency-key': 'once' })).json()).toEqual(first.json());
    expect(await list()).toHaveLength(2);
    expect(await audited()).toEqual([['key.rotated', 'admin-person', keyId]]);
    expect(await audited('outsider')).toEqual([['key.rotated', 'admin-person', keyId]]);
  });

  it('are revoked once they do not sign any more, and only with a reason', async () => {
    const old = await signing();
    const revoke = (keyId: string, body: object = { reason: 'lost laptop' }) => api.call('admin', 'POST', `/api/keys/${keyId}/revoke`, body);
    expect(problemOf(await revoke(old, {}))).toEqual([400, 'invalid-request']);
    expect(detailOf(await revoke(old), 409, 'key-in-use')).toContain('/api/keys/rotate');
    expect(problemOf(await revoke('nonsense'))).toEqual([404, 'unknown-key']);
    const jws = await api.keyring.sign('decision', { a: 1 });
    await rotate();
    const rows = await audited();
    expect((await revoke(old)).statusCode).toBe(200);
    expect((await revoke(old)).statusCode).toBe(200);
    expect(await audited()).toEqual([['key.revoked', 'admin-person', old], ...rows]);
    expect(await api.keyring.verify('decision', jws)).toBeUndefined();
  });

  it('that were made by hand are recorded once', async () => {
    const keyId = 'by-hand';
    const before = await audited();
    await recordKey(api.db, workspaceId, keyId);
    await recordKey(api.db, workspaceId, keyId);
    await recordKey(api.db, workspaceId, await signing());
    expect(await audited()).toEqual([['key.made', 'sluice', keyId], ...before]);
  });
});
