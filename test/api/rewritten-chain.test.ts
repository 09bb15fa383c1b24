import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Checkpoints, openCheckpoints } from '../../api/checkpoints.js';
import type { AuditReport, KeyList } from '../../contracts/http.js';
import { appendAudit } from '../../db/audit-writer.js';
import { type Api, closeApis, openApi, workspaceId } from './open-api.js';

let api: Api;
let folder: string;
let checkpoints: Checkpoints;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-audit-'));
  api = await openApi({ checkpoints: { read: (id) => checkpoints.read(id), state: () => checkpoints.state(), renew: (keyId) => checkpoints.renew(keyId), start: (log) => checkpoints.start(log) } });
  restart();
});
afterEach(() => rm(folder, { recursive: true }));
afterAll(closeApis);

/** From now on it is a process that knows only what stands in its files and the database. */
function restart(): void {
  checkpoints = openCheckpoints({ db: api.db, keyring: api.keyring, folder });
}
/** Writes what is to be written now: a start and its stop. */
const checkpoint = () => checkpoints.start(api.app.log)();

async function call<Answer>(method: 'GET' | 'POST', url: string, payload?: object): Promise<Answer> {
  const reply = await api.call('admin', method, url, payload);
  expect(reply.statusCode).toBe(200);
  return reply.json<Answer>();
}
const verify = () => call<AuditReport>('GET', '/api/audit/verify');
const readState = async () => (await call<{ checks: { audit: string } }>('GET', '/readyz')).checks.audit;

async function append(count: number, workspace = workspaceId): Promise<void> {
  for (let row = 0; row < count; row += 1) await api.db.transaction((tx) => appendAudit(tx, workspace, { kind: 'claim.granted', actor: 'worker', subject: 'i', details: { row } }));
}

async function rotateAndRevoke(): Promise<void> {
  const { keys: before } = await call<KeyList>('GET', '/api/keys');
  const signing = before.find(({ state }) => state === 'signing')?.keyId ?? '';
  await call('POST', '/api/keys/rotate', {});
  await call('POST', `/api/keys/${signing}/revoke`, { reason: 'lost' });
}

const asSuperuser = (statement: string) => api.asOwner(`begin; alter table audit disable trigger all; ${statement}; alter table audit enable always trigger audit_append_only; commit`);
/** Changes every row and makes all hashes right again. */
const rewrite = () =>
  asSuperuser(`do $$ declare link record; previous text := '${workspaceId}'; begin
    update audit set entry = replace(entry, '"worker"', '"mallory"') where workspace_id = '${workspaceId}';
    for link in select seq, entry from audit where workspace_id = '${workspaceId}' order by seq loop
      previous := encode(sha256(convert_to(previous || chr(10) || link.entry, 'UTF8')), 'hex');
      update audit set hash = previous where workspace_id = '${workspaceId}' and seq = link.seq;
    end loop; end $$`);
const isRefused = 'not signed for 1 workspace, where it contradicts the last checkpoint; the log of the API says which';

describe('a chain that was rewritten', () => {
  beforeEach(async () => {
    await append(5);
    await checkpoint();
  });

  it('is not signed when it has grown, not by another process either, and others are', async () => {
    await rewrite();
    await append(2);
    await checkpoint();
    expect(await readState()).toBe(isRefused);
    restart();
    await append(1, 'well');
    await checkpoint();
    expect(await readState()).toBe(isRefused);
    expect((await checkpoints.read('well')).checkpoints).toHaveLength(1);
    expect(await verify()).toMatchObject({ checkpoints: 1, tampering: { seq: 5, what: expect.stringContaining('rows 1 to 5 were rewritten') } });
  });

  it('stays known to be wrong when the key is revoked that knew it', async () => {
    await rewrite();
    await rotateAndRevoke();
    for (let process = 0; process < 2; process += 1) {
      await append(2);
      await checkpoint();
      expect(await readState()).toBe(isRefused);
      expect(await verify()).toMatchObject({ checkpoints: 0, revokedCheckpoints: 1, tampering: { what: expect.stringContaining('signed by no key that is trusted') } });
      restart();
    }
  });

  it.each([
    ['cut', "delete from audit where workspace_id = 'shop' and seq > 3"],
    ['gone', "delete from audit where workspace_id = 'shop'"],
    ['of another end', "update audit set hash = 'x' where workspace_id = 'shop' and seq = 5"],
  ])('is told at once where it is %s', async (_, change) => {
    await asSuperuser(change);
    await checkpoint();
    expect(await readState()).toBe(isRefused);
  });

  it('is signed again once it is put back', async () => {
    await asSuperuser("create table kept as select * from audit where workspace_id = 'shop'; delete from audit where workspace_id = 'shop' and seq > 3");
    await checkpoint();
    expect(await readState()).toBe(isRefused);
    await asSuperuser('insert into audit select * from kept where seq > 3');
    await append(1);
    await checkpoint();
    expect(await readState()).toBe('ok');
    expect(await verify()).toMatchObject({ checkpoints: 2, tampering: null });
  });
});

describe('a chain', () => {
  it('that does not hang together is not signed, however new', async () => {
    await append(5);
    await asSuperuser("update audit set entry = replace(entry, '\"worker\"', '\"mallory\"') where seq = 2");
    await checkpoint();
    expect(await readState()).toBe(isRefused);
    expect((await checkpoints.read(workspaceId)).checkpoints).toEqual([]);
  });

  it('is as well known after its key was revoked as before: what that signed last is signed anew', async () => {
    await append(5);
    await append(1, 'well');
    await checkpoint();
    await append(1);
    await checkpoint();
    await rotateAndRevoke();
    expect(await verify()).toMatchObject({ checkpoints: 1, notYetCheckpointed: 2, revokedCheckpoints: 2, tampering: null });
    expect(await checkpoints.read('well')).toMatchObject({ checkpoints: [{ seq: 1 }], untrusted: 0, revoked: 1 });
    await rewrite();
    expect((await verify()).tampering).toMatchObject({ seq: 6, what: expect.stringContaining('rows 1 to 6 were rewritten') });
  });
});
