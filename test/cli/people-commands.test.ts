import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PeoplePage, TokenPage } from '../../contracts/http-people.js';
import { createToken, findActor } from '../../db/tokens.js';
import { closeApis } from '../api/open-api.js';
import { openTerminal } from './terminal.js';

let terminal: Awaited<ReturnType<typeof openTerminal>>;
let folder: string;
beforeAll(async () => {
  terminal = await openTerminal();
  folder = await mkdtemp(join(tmpdir(), 'sluice-tokens-'));
});
afterAll(async () => {
  await closeApis();
  await rm(folder, { recursive: true });
});

async function run(words: string) {
  const { printed, complained, code } = terminal.start(words, { caller: 'admin' });
  return { code: await code, out: printed.join('\n'), err: complained.join('\n') };
}
const holder = (token: string) => findActor(terminal.api.db, token);
const list = async () => (JSON.parse((await run('tokens list --json')).out) as TokenPage).tokens;

describe('sluice tokens', () => {
  const make = 'tokens make --person ana --role responder --name laptop --for 90d';

  it('makes one and prints it alone, so that it can be piped', async () => {
    const { code, out, err } = await run(make);
    expect([code, await holder(out)]).toEqual([0, { person: 'ana', role: 'responder', workspaceId: 'shop' }]);
    expect(err).toMatch(/^The token \S+ of ana \(responder\), until \S+\. It is shown only now:$/);
    const lifeDays = (Date.parse((await list())[0]?.expiresAt ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(lifeDays)).toBe(90);
    const { token } = JSON.parse((await run(`${make} --json`)).out) as { token: string };
    expect(await holder(token)).toMatchObject({ person: 'ana' });
  });

  it('writes it to a new file that only its owner can read', async () => {
    const file = join(folder, 'token');
    const { code, out, err } = await run(`${make} --out ${file}`);
    const token = (await readFile(file, 'utf8')).trim();
    expect([code, (await stat(file)).mode & 0o777, await holder(token)]).toEqual([0, 0o600, expect.objectContaining({ person: 'ana' })]);
    expect(`${out}${err}`).not.toContain(token);
    const count = (await list()).length;
    expect(await run(`${make} --out ${file}`)).toMatchObject({ code: 1, err: expect.stringContaining('Name a file that is not there yet') });
    expect([(await list()).length, (await readFile(file, 'utf8')).trim()]).toEqual([count, token]);
  });

  it('leaves no file where none was made', async () => {
    const file = join(folder, 'refused');
    expect(await run(`${make.replace('ana', 'SYSTEM')} --out ${file}`)).toMatchObject({ code: 1, err: expect.stringContaining('body/person') });
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  it('asks for what it needs to know', async () => {
    expect(await run('tokens make --person ana --role responder --name laptop')).toMatchObject({ code: 2, err: expect.stringContaining('--for') });
    expect(await run(make.replace('90d', 'ever'))).toMatchObject({ code: 2, err: expect.stringContaining('90d') });
    expect(await run(make.replace('90d', '367d'))).toMatchObject({ code: 1, err: expect.stringContaining('366 days') });
    expect(await run(make.replace('responder', 'boss'))).toMatchObject({ code: 2 });
  });

  it('lists them, and says how a revoked one ended', async () => {
    const { out } = await run(make);
    const id = (await list())[0]?.id ?? '';
    await terminal.api.app.inject({ url: '/api/me', headers: { authorization: `Bearer ${out}` } });
    expect((await run('tokens list')).out).toMatch(new RegExp(`^${id}  ana +responder +until \\S+, used \\S+ +laptop$`, 'm'));
    expect(await run(`tokens revoke ${id}`)).toEqual({ code: 0, out: `The token ${id} of ana is revoked`, err: '' });
    expect(await holder(out)).toBeUndefined();
    expect((await run('tokens list')).out).toMatch(new RegExp(`^${id}  .*revoked \\S+ by admin-person, used`, 'm'));
    expect(await run('tokens revoke 7d4f4c2e-5a55-4a3e-9c1e-0d5c3f1b2a10')).toMatchObject({ code: 1, err: expect.stringContaining('no token') });
  });

  it('lists every page of them', async () => {
    for (let count = 0; count < 201; count += 1) await createToken(terminal.api.db, { workspaceId: 'shop', person: `bot-${count}`, role: 'agent' });
    const { length } = await list();
    expect(length).toBeGreaterThan(201);
    expect((await run('tokens list')).out.split('\n')).toHaveLength(length);
  });
});

describe('sluice people', () => {
  it('sets, lists and removes who may decide in chat', async () => {
    expect((await run('people list')).out).toBe('Nobody may decide in chat');
    expect(await run('people set ana@example.org --role responder --slack-user T1/UANA')).toEqual({ code: 0, out: 'T1/UANA is ana@example.org, who may decide in chat as responder', err: '' });
    expect((await run('people list')).out).toMatch(/^ana@example\.org  responder  T1\/UANA  by admin-person, \S+$/);
    expect(await run('people set eve --role admin --slack-user T1/UANA')).toMatchObject({ code: 1, err: expect.stringContaining('is ana@example.org') });
    expect(await run('people set robot --role agent --slack-user T1/UR')).toMatchObject({ code: 2 });
    expect((JSON.parse((await run('people list --json')).out) as PeoplePage).people).toHaveLength(1);
    expect(await run('people remove ana@example.org')).toMatchObject({ code: 0, out: expect.stringContaining('may not decide in chat any more') });
    expect(await run('people remove ana@example.org')).toMatchObject({ code: 1, err: expect.stringContaining('knows nobody') });
  });
});

it('sluice --workspace says which workspace is meant', async () => {
  expect(await run('--workspace shop incidents')).toMatchObject({ code: 0 });
  expect(await run('--workspace elsewhere incidents')).toMatchObject({ code: 1, err: expect.stringContaining('for the workspace shop') });
});
