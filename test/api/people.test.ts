import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditPage } from '../../contracts/http.js';
import type { PeoplePage } from '../../contracts/http-people.js';
import { findBySlackUser } from '../../db/people.js';
import { type Api, type Caller, closeApis, detailOf, openApi, problemOf } from './open-api.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const put = (person: string, slackUser: string, role = 'responder', caller: Caller = 'admin') => api.call(caller, 'PUT', `/api/people/${encodeURIComponent(person)}`, { role, slackUser });
const remove = (person: string, caller: Caller = 'admin') => api.call(caller, 'DELETE', `/api/people/${encodeURIComponent(person)}`);
const audited = async () => (await api.call('admin', 'GET', '/api/audit')).json<AuditPage>().rows.map(({ kind, actor, subject, details }) => ({ kind, actor, subject, details }));

describe('a person', () => {
  it('is who a Slack user is, in one workspace', async () => {
    expect((await put('ana', 'T1/UANA')).json()).toMatchObject({ person: 'ana', role: 'responder', slackUser: 'T1/UANA', changedBy: 'admin-person' });
    expect((await put('dora', 'T1/UANA', 'supervisor', 'outsider')).statusCode).toBe(200);
    expect(await findBySlackUser(api.db, 'shop', 'T1/UANA')).toEqual({ workspaceId: 'shop', person: 'ana', role: 'responder' });
    expect(await findBySlackUser(api.db, 'elsewhere', 'T1/UANA')).toEqual({ workspaceId: 'elsewhere', person: 'dora', role: 'supervisor' });
    expect(await findBySlackUser(api.db, 'shop', 'T2/UANA')).toBeUndefined();
  });

  it('is changed, and a repeat changes and records nothing', async () => {
    await put('bob', 'T1/UBOB');
    await put('bob', 'T1/UBOB', 'supervisor');
    const rows = await audited();
    expect(rows[0]).toEqual({ kind: 'person.changed', actor: 'admin-person', subject: 'bob', details: { role: 'supervisor', slackUser: 'T1/UBOB', was: { role: 'responder', slackUser: 'T1/UBOB' } } });
    expect(rows[1]).toMatchObject({ kind: 'person.changed', subject: 'bob', details: { role: 'responder', was: null } });
    expect((await put('bob', 'T1/UBOB', 'supervisor')).statusCode).toBe(200);
    expect(await audited()).toEqual(rows);
  });

  it('does not become a Slack user who is somebody else', async () => {
    await put('carl', 'T1/UCARL');
    const rows = await audited();
    expect(detailOf(await put('eve', 'T1/UCARL', 'admin'), 409, 'slack-user-taken')).toContain('carl');
    expect(await audited()).toEqual(rows);
  });

  it('that is removed decides nothing any more', async () => {
    await put('zoe', 'T1/UZOE');
    expect(problemOf(await remove('zoe', 'outsider'))).toEqual([404, 'unknown-person']);
    expect((await remove('zoe')).statusCode).toBe(200);
    expect(await findBySlackUser(api.db, 'shop', 'T1/UZOE')).toBeUndefined();
    expect((await audited())[0]).toMatchObject({ kind: 'person.removed', actor: 'admin-person', subject: 'zoe' });
    expect(problemOf(await remove('zoe'))).toEqual([404, 'unknown-person']);
  });

  it.each(['SYSTEM', ' ana', 'a\u200bna'])('is not named %j', async (person) => {
    expect(problemOf(await put(person, 'T1/UX'))).toEqual([400, 'wrong-name']);
  });

  it.each([['T1'], ['UANA'], ['T1/UANA\n'], ['t1/uana'], ['T1/BBOT']])('is no Slack user %j', async (slackUser) => {
    expect(problemOf(await put('fred', slackUser))).toEqual([400, 'invalid-request']);
  });

  it('may have as long a name as others, in any script, and is never an agent', async () => {
    const long = 'ö'.repeat(200);
    expect((await put(long, 'T1/ULONG')).json()).toMatchObject({ person: long });
    expect((await remove(long)).statusCode).toBe(200);
    expect(problemOf(await put('robot', 'T1/UROBOT', 'agent'))).toEqual([400, 'invalid-request']);
    expect(problemOf(await put('a\0b', 'T1/UNUL'))).toEqual([400, 'invalid-request']);
  });
});

it('GET /api/people lists them by name, page by page', async () => {
  const first = (await api.call('admin', 'GET', '/api/people?limit=2')).json<PeoplePage>();
  const second = (await api.call('admin', 'GET', `/api/people?limit=2&cursor=${first.nextCursor}`)).json<PeoplePage>();
  expect([...first.people, ...second.people].map(({ person }) => person)).toEqual(['ana', 'bob', 'carl']);
  expect([first.nextCursor, second.nextCursor]).toEqual(['bob', null]);
  expect(problemOf(await api.call('admin', 'GET', '/api/people?cursor=%00'))).toEqual([400, 'invalid-request']);
});
