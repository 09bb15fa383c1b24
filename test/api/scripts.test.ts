import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scripts } from '../../db/schema.js';
import { seedLibrary } from '../../db/scripts.js';
import { seedScripts } from '../../domain/script-library.js';
import { type Api, closeApis, detailOf, problemOf, openApi } from './open-api.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
  await seedLibrary(api.db, 'shop');
});
afterAll(closeApis);

const script = {
  workspaceId: 'shop',
  name: 'End Session',
  description: 'Ends one session.',
  type: 'SQL',
  command: 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2',
  parameters: ['pid', 'backendStart'],
  category: 'longRunningQuery',
  risk: 'LOW',
  estimatedDuration: 1_000,
};
const create = (body: object, headers?: Record<string, string>) => api.call('supervisor', 'POST', '/api/sre/scripts', body, headers);

describe('the library', () => {
  it('is seeded once, however often', async () => {
    await seedLibrary(api.db, 'shop');
    const reply = await api.call('viewer', 'GET', '/api/sre/scripts?workspaceId=shop');
    const listed: readonly { readonly name: string }[] = reply.json();
    expect(listed.map(({ name }) => name).toSorted()).toEqual(seedScripts.map(({ name }) => name).toSorted());
    expect(listed.find(({ name }) => name === 'Database Connection Reset')).toMatchObject({ type: 'SQL', estimatedDuration: 10_000, workspaceId: 'shop', enabled: true });
    expect(reply.headers['link']).toBeUndefined();
  });

  it('takes a script that the rules allow', async () => {
    const reply = await create(script);
    expect(reply.statusCode).toBe(201);
    expect(reply.json()).toMatchObject({ ...script, enabled: true, id: expect.any(String) });
    expect((await api.call('viewer', 'GET', '/api/sre/scripts')).json()).toContainEqual(reply.json());
  });

  const clean = { ...script, category: 'massDeletion', command: 'UPDATE shop.people SET may_delete = false WHERE name = $1', parameters: ['actor'] };
  it('takes a change of rows with the parameters that it uses', async () => {
    const reply = await create({ ...clean, name: 'Revoke' });
    expect([reply.statusCode, reply.json<object>()]).toEqual([201, expect.objectContaining({ parameters: ['actor'] })]);
    const swapped = await create({ ...clean, name: 'Any order', command: 'DELETE FROM shop.carts WHERE owner = $2 AND n = $1', parameters: ['pid', 'actor'] });
    expect(swapped.statusCode).toBe(201);
  });

  it.each([
    ['names one that is not used', clean.command, ['actor', 'pid']],
    ['names none', clean.command, []],
    ['uses one twice', 'DELETE FROM shop.people WHERE name = $1 OR email = $1', ['actor']],
    ['leaves one out', 'DELETE FROM shop.people WHERE name = $2', ['actor']],
  ])('refuses a change of rows that %s', async (name, command, parameters) => {
    const reply = await create({ ...clean, name, command, parameters });
    expect(problemOf(reply)).toEqual([422, 'script-denied']);
    expect(reply.json()).toMatchObject({ findings: [{ rule: 'sql.parameters' }] });
  });

  it('is a bare array in pages, the next of which is in the header Link', async () => {
    for (const name of ['A', 'B', 'C', 'D']) await create({ ...script, name });
    const names: string[] = [];
    for (let url: string | undefined = '/api/sre/scripts?workspaceId=shop&limit=2'; url !== undefined; ) {
      const reply = await api.call('viewer', 'GET', url);
      names.push(...reply.json<{ name: string }[]>().map(({ name }) => name));
      url = /^<(.+)>; rel="next"$/.exec(String(reply.headers['link']))?.[1];
    }
    expect(names).toEqual((await api.db.select().from(scripts)).map(({ name }) => name).toSorted());
  });

  it('refuses a command that no rule allows, and says why', async () => {
    const before = await api.db.select().from(scripts);
    const reply = await create({ ...script, name: 'Evil', command: 'SELECT pg_sleep(9); DROP TABLE orders' });
    expect(problemOf(reply)).toEqual([422, 'script-denied']);
    expect(reply.json()).toMatchObject({ findings: [{ rule: 'sql.oneSelect', reason: expect.any(String), remedy: expect.any(String) }] });
    const swapped = await create({ ...script, name: 'Swapped', parameters: ['backendStart', 'pid'] });
    expect(problemOf(swapped)).toEqual([422, 'script-denied']);
    expect(swapped.json()).toMatchObject({ findings: [{ rule: 'sql.parameters' }] });
    expect(await api.db.select().from(scripts)).toEqual(before);
  });

  const rollback = { ...script, type: 'KUBECTL', category: 'deployment', command: 'kubectl rollout undo deployment/{name} -n {namespace} --to-revision={revision}', parameters: ['name', 'namespace', 'revision'] };
  it.each([
    ['KUBECTL', rollback],
    ['SHELL', { ...rollback, type: 'SHELL', command: 'systemctl restart {unit}', parameters: ['unit'] }],
    ['BASH', { ...rollback, type: 'BASH', command: 'rm -f "/srv/shop/$1.lock"', parameters: ['name'], paths: ['/srv/shop'], secrets: ['token'], timeoutMs: 60_000 }],
    ['PYTHON', { ...rollback, type: 'PYTHON', command: 'import sys; print(sys.argv)', parameters: ['name'] }],
  ])('takes a script of type %s by the rules of that type', async (type, body) => {
    const reply = await create({ ...body, name: `By the rules of ${type}` });
    expect([reply.statusCode, reply.json<object>()]).toEqual([201, expect.objectContaining({ ...body, name: `By the rules of ${type}` })]);
  });

  it.each([
    ['kubectl.replicas', { ...rollback, command: 'kubectl scale deployment/{name} -n {namespace} --replicas=0', parameters: ['name', 'namespace'] }],
    ['script.parameters', { ...rollback, parameters: ['name', 'namespace'] }],
    ['script.sandbox', { ...rollback, paths: ['/srv/shop'] }],
    ['command.program', { ...rollback, type: 'SHELL', command: 'rm -rf {unit}', parameters: ['unit'] }],
    ['script.nothing', { ...rollback, type: 'BASH', command: ' ', parameters: [] }],
  ])('refuses what they do not allow by %s', async (rule, body) => {
    const reply = await create({ ...body, name: `Refused by ${rule}` });
    expect(problemOf(reply)).toEqual([422, 'script-denied']);
    expect(reply.json()).toMatchObject({ findings: [{ rule }] });
  });

  it('has each name once', async () => {
    await create({ ...script, name: 'Twice' });
    expect(problemOf(await create({ ...script, name: 'Twice' }))).toEqual([409, 'name-taken']);
  });

  it('takes a script once when it is sent again with its Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'script-once' };
    const first = await create({ ...script, name: 'Once' }, key);
    const second = await create({ ...script, name: 'Once' }, key);
    expect([second.statusCode, second.json()]).toEqual([201, first.json()]);
    expect(problemOf(await create({ ...script, name: 'Once more' }, key))).toEqual([409, 'id-reused']);
  });

  it('is each workspace’s own', async () => {
    expect(problemOf(await api.call('viewer', 'GET', '/api/sre/scripts?workspaceId=elsewhere'))).toEqual([404, 'unknown-workspace']);
    expect(problemOf(await create({ ...script, name: 'Theirs', workspaceId: 'elsewhere' }))).toEqual([404, 'unknown-workspace']);
    expect((await api.call('outsider', 'GET', '/api/sre/scripts')).json()).toEqual([]);
  });

  it('names all that is wrong with a script', async () => {
    const detail = detailOf(await create({ workspaceId: 'shop', name: '', type: 'PERL', owner: 'x' }), 400, 'invalid-request');
    for (const name of ['command', 'parameters', 'risk', 'body/name', 'body/type', 'owner']) expect(detail).toContain(name);
  });
});
