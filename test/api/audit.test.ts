import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Checkpoints, openCheckpoints } from '../../api/checkpoints.js';
import type { AuditPage, Health } from '../../contracts/http.js';
import { appendAudit } from '../../db/audit-writer.js';
import { type FreshKeys, freshKeys } from '../harness/keys.js';
import { until } from '../harness/until.js';
import { type Api, closeApis, openApi, problemOf, workspaceId } from './open-api.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const append = (subject: string, workspace = workspaceId) =>
  api.db.transaction((tx) => appendAudit(tx, workspace, { kind: 'claim.refused', actor: 'worker', subject, details: { because: 'killSwitch' } }));
const readPage = async (query = '') => (await api.call('viewer', 'GET', `/api/audit${query}`)).json<AuditPage>();

describe('GET /api/audit', () => {
  it('gives the own workspace its rows, newest first or from the beginning, page by page', async () => {
    await append('elsewhere', 'elsewhere');
    for (const subject of ['a', 'b', 'c']) await append(subject);
    const newest = await readPage('?limit=2');
    expect(newest).toMatchObject({ rows: [{ seq: 3, subject: 'c' }, { seq: 2, subject: 'b' }], nextCursor: 2 });
    expect(await readPage('?limit=2&cursor=2')).toMatchObject({ rows: [{ seq: 1, kind: 'claim.refused', actor: 'worker', subject: 'a', details: { because: 'killSwitch' } }], nextCursor: null });
    const oldest = await readPage('?order=oldest&limit=1');
    expect(oldest).toMatchObject({ rows: [{ seq: 1 }], nextCursor: 1 });
    expect(Date.parse(newest.rows[0]?.at ?? '')).toBeGreaterThan(0);
  });

  it('refuses a cursor and a limit that are none', async () => {
    for (const query of ['?cursor=x', '?cursor=-1', '?limit=0', '?limit=1001', '?order=random']) expect(problemOf(await api.call('viewer', 'GET', `/api/audit${query}`))).toEqual([400, 'invalid-request']);
  });
});

describe('checkpoints', () => {
  let keys: FreshKeys;
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    keys = await freshKeys();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  afterAll(() => keys.close());

  /** As a process of the API does it. */
  function start(folder: string, everyMs = 10): Checkpoints {
    const checkpoints = openCheckpoints({ db: api.db, keyring: keys.keyring, folder, everyMs });
    stops.push(checkpoints.start(api.app.log));
    return checkpoints;
  }
  const lastSeq = async (checkpoints: Checkpoints) => Math.max(0, ...(await checkpoints.read(workspaceId)).checkpoints.map(({ seq }) => seq));
  const untilCovers = (checkpoints: Checkpoints, seq: number) => until(`a checkpoint of row ${seq}`, async () => (await lastSeq(checkpoints)) === seq);
  const end = async () => (await readPage('?limit=1')).rows[0]?.seq ?? 0;

  it('are written when a chain has grown, and only then', async () => {
    const folder = join(keys.folder, 'one');
    const checkpoints = start(folder);
    await append('x');
    await untilCovers(checkpoints, await end());
    const written = await readFile(join(folder, 'checkpoints.jsonl'), 'utf8');
    await append('elsewhere', 'elsewhere');
    await until('the next checkpoint', async () => (await readFile(join(folder, 'checkpoints.jsonl'), 'utf8')) !== written);
    expect(JSON.parse((await readFile(join(folder, 'checkpoints.jsonl'), 'utf8')).slice(written.length))).toMatchObject({ workspaceId: 'elsewhere' });
  });

  it('are written at the stop, and go on where they were after a restart', async () => {
    const folder = join(keys.folder, 'two');
    const never = 2 ** 31 - 1;
    const first = start(folder, never);
    await untilCovers(first, await end());
    await append('after the first round');
    expect(await lastSeq(first)).toBe((await end()) - 1);
    await stops.pop()?.();
    expect(await lastSeq(first)).toBe(await end());
    const count = (await first.read(workspaceId)).checkpoints.length;
    const second = start(folder, never);
    await stops.pop()?.();
    expect((await second.read(workspaceId)).checkpoints).toHaveLength(count);
    await append('after the restart');
    start(folder, never);
    await untilCovers(second, await end());
    expect((await second.read(workspaceId)).checkpoints).toHaveLength(count + 1);
  });

  it('that cannot be written are told at /readyz and written later', async () => {
    const folder = join(keys.folder, 'three');
    await writeFile(folder, 'in the way');
    const checkpoints = start(folder);
    const other = await openApi({ db: api.db, requests: api.requests, checkpoints });
    const readAudit = async () => (await other.call('nobody', 'GET', '/readyz')).json<{ checks: Record<string, string> } & typeof Health>().checks['audit'];
    await until('the trouble', async () => (await readAudit()) === 'checkpoints cannot be written; the log of the API says why');
    await rm(folder);
    await mkdir(folder);
    await until('the end of it', async () => (await readAudit()) === 'ok');
    await untilCovers(checkpoints, await end());
    expect(checkpoints.state()).toBe('ok');
  });

  it('are said not to be kept where no folder is set', () => {
    expect(openCheckpoints({ db: api.db, keyring: keys.keyring, folder: '' }).state()).toBe('not kept: SLUICE_AUDIT_FOLDER is not set');
  });

  it('find what GET /api/audit/verify is asked for', async () => {
    const folder = join(keys.folder, 'four');
    const checkpoints = start(folder, 2 ** 31 - 1);
    await untilCovers(checkpoints, await end());
    await stops.pop()?.();
    const verifying = await openApi({ db: api.db, requests: api.requests, checkpoints });
    const verify = async () => (await verifying.app.inject({ url: '/api/audit/verify', headers: { authorization: `Bearer ${api.tokenOf('viewer')}` } })).json<object>();
    const rows = await end();
    await append('not yet');
    expect(await verify()).toEqual({ rows: rows + 1, checkpoints: 1, notYetCheckpointed: 1, revokedCheckpoints: 0, tampering: null });
    await api.asOwner(`begin; alter table audit disable trigger all; update audit set entry = replace(entry, 'worker', 'mallory') where workspace_id = '${workspaceId}' and seq = 2; alter table audit enable always trigger audit_append_only; commit`);
    expect(await verify()).toMatchObject({ tampering: { seq: 2, what: expect.stringContaining('row 2 was altered') } });
    expect(await readPage('?order=oldest&cursor=1&limit=1')).toMatchObject({ rows: [{ seq: 2, actor: 'mallory' }] });
  });
});
