import { randomUUID } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import type { Database } from '../../db/database.js';
import { tokens } from '../../db/schema.js';
import { createToken } from '../../db/tokens.js';
import { type Role, roles } from '../../domain/actor.js';
import { type Api, closeApis, openApi, workspaceId } from './open-api.js';
import { type Ask, type RouteRule, routeRules } from './route-rules.js';
import { digestTables, elsewhere, findShown, haveWorld, type World } from './route-world.js';

const ranks = ['viewer', 'responder', 'supervisor', 'admin'] as const;

const routes = new Set<string>();
const walked = new Set<string>();
let api: Api;
let address: string;
/** The same app, but its requests see all of the database: its queries alone keep workspaces apart. */
let withoutRowSecurity: string;
/** The same app, but its requests see another workspace's rows, as if every query had forgotten whose they are. */
let forgetful: string;
let webFolder: string;

beforeAll(async () => {
  webFolder = await mkdtemp(join(tmpdir(), 'sluice-walk-'));
  await mkdir(join(webFolder, 'assets'));
  for (const name of ['index.html', 'assets/page.js']) await writeFile(join(webFolder, name), '');
  const noted = collectRoutes();
  api = await openApi({ webFolder, slackSigningSecret: 'kept between Slack and us' });
  for (const route of noted()) routes.add(route);
  address = await listen(api.app);
  const { db, listener, keyring, checkpoints } = api;
  const openWith = async (seen: Database) => listen((await openApi({ db, listener, keyring, checkpoints, requests: { in: () => seen } })).app);
  withoutRowSecurity = await openWith(db);
  forgetful = await openWith(api.requests.in(elsewhere));
});
afterAll(async () => {
  process.stdout.write(`Walked ${walked.size} of ${routes.size} routes\n`);
  await closeApis();
  await rm(webFolder, { recursive: true });
});

async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

/** Notes the routes of the next app that is built, those of its plugins too. */
function collectRoutes(): () => readonly string[] {
  const found = new Set<string>();
  let isFirst = true;
  subscribe('fastify.initialization', (message) => {
    if (!isFirst) return;
    isFirst = false;
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      for (const verb of [method].flat()) found.add(`${verb} ${url}`);
    });
  });
  return () => [...found];
}

const tokenOf = (role: Role, ofWorkspace = workspaceId, over: Parameters<typeof createToken>[2] = {}) => createToken(api.db, { workspaceId: ofWorkspace, person: `${role} of ${ofWorkspace}`, role }, over);

async function revokedTokenOf(role: Role): Promise<string> {
  const id = randomUUID();
  const token = await tokenOf(role, workspaceId, { id });
  await api.db.update(tokens).set({ revokedAt: new Date(), revokedBy: 'admin' }).where(eq(tokens.id, id));
  return token;
}

/** Asks over the wire; of an event stream it takes what comes until nothing more does. Returns the status and all that was said. */
async function send(at: string, route: string, { params = {}, body, headers = {} }: Ask, token: string | null) {
  const [method = '', path = ''] = route.split(' ');
  const url = path.replace(/:(\w+)|\*$/g, (_, name: string | undefined) => encodeURIComponent(params[name ?? '*'] ?? 'x'));
  const isJson = body !== undefined && !(body instanceof URLSearchParams);
  const gone = new AbortController();
  const reply = await fetch(`${at}${url}`, {
    method,
    headers: { ...headers, ...(token !== null && { authorization: `Bearer ${token}` }), ...(isJson && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: isJson ? JSON.stringify(body) : body }),
    redirect: 'manual',
    signal: gone.signal,
  });
  let said = JSON.stringify([...reply.headers]);
  const decoder = new TextDecoder();
  for await (const bytes of reply.body ?? []) {
    said += decoder.decode(bytes, { stream: true });
    if (said.includes(': still here')) break;
  }
  gone.abort();
  return { status: reply.status, said };
}

const askOf = async (rule: RouteRule, world: World): Promise<Ask> => (await rule.ask?.(world, api.keyring)) ?? {};

const mayCall = ({ minimumRole, orAgent }: RouteRule): readonly Role[] => minimumRole === 'executor' ? ['executor'] : [...ranks.slice(ranks.findIndex((role) => role === minimumRole)), ...(orAgent === true ? (['agent'] as const) : [])];

/** The tables in which it changed what a workspace has. */
async function findChanged(before: Readonly<Record<string, string>>, ofWorkspace?: string): Promise<readonly string[]> {
  const after = await digestTables(api.db, ofWorkspace);
  return Object.keys(after).filter((table) => after[table] !== before[table]);
}

const rules = Object.entries(routeRules);
const guarded = rules.filter(([, { minimumRole }]) => minimumRole !== 'everyone');

it('every route has its rule, and every rule its route', () => {
  const unknown = [...routes].filter((route) => routeRules[route] === undefined);
  if (unknown.length > 0) throw new Error(`Nobody said who may call these routes. Add a row for each to test/api/route-rules.ts:\n  ${unknown.join('\n  ')}`);
  expect(Object.keys(routeRules).filter((route) => !routes.has(route))).toEqual([]);
});

describe.each(guarded)('%s', (route, rule) => {
  it('lets nobody in without a good token and a role that may, and then changes nothing', async () => {
    const world = await haveWorld(api.db);
    const ask = await askOf(rule, world);
    const [may = 'admin'] = mayCall(rule);
    const tries = new Map<string, readonly [token: string | null, status: number]>([
      ['no token', [null, 401]],
      ['a token that nobody made', [`sluice_${randomUUID()}`, 401]],
      ['no token of ours', ['abc', 401]],
      ['a revoked token', [await revokedTokenOf(may), 401]],
      ['an expired token', [await tokenOf(may, workspaceId, { expiresAt: new Date(0) }), 401]],
    ]);
    for (const role of roles) if (!mayCall(rule).includes(role)) tries.set(role, [await tokenOf(role), 403]);
    const before = await digestTables(api.db);
    const answers = new Map<string, number>();
    for (const [name, [token]] of tries) {
      const { status, said } = await send(address, route, ask, token);
      answers.set(name, status);
      expect([name, findShown(world, said, JSON.stringify(ask))]).toEqual([name, []]);
    }
    expect(answers).toEqual(new Map([...tries].map(([name, [, status]]) => [name, status])));
    expect(await findChanged(before)).toEqual([]);
  });

  it.each(mayCall(rule))('answers who may call it: %s', async (role) => {
    const { status, said } = await send(address, route, await askOf(rule, await haveWorld(api.db)), await tokenOf(role));
    expect([said, rule.answer ?? Math.min(status, 299)]).toEqual([said, status]);
  });

  async function findSeen(at: string, of: string) {
    const world = await haveWorld(api.db);
    const ask = await askOf(rule, world);
    const token = await tokenOf(rule.minimumRole === 'executor' ? 'executor' : 'admin', of);
    const before = await digestTables(api.db, workspaceId);
    const { status, said } = await send(at, route, ask, token);
    const changed = (await findChanged(before, workspaceId)).filter((table) => rule.isForAll !== true || table !== 'audit');
    return { status, said, seen: [...findShown(world, said, JSON.stringify(ask)), ...changed] };
  }

  it.each(['rows that it is shown', 'queries'])('shows and changes nothing for whoever may everything in another workspace, by its %s', async (wall) => {
    const { status, said, seen } = await findSeen(wall === 'queries' ? withoutRowSecurity : address, elsewhere);
    expect([said, rule.elsewhere === undefined ? 404 : Math.min(status, 299)]).toEqual([said, status]);
    expect(seen).toEqual([]);
    walked.add(route);
  });

  it('shows and changes nothing where its queries forget whose rows they are', async () => {
    expect((await findSeen(forgetful, workspaceId)).seen).toEqual([]);
  });
});

it.each(rules.filter(([, { minimumRole }]) => minimumRole === 'everyone'))('%s tells everyone nothing of any workspace, and changes nothing', async (route, rule) => {
  const world = await haveWorld(api.db);
  const ask = await askOf(rule, world);
  const before = await digestTables(api.db);
  const { status, said } = await send(address, route, ask, null);
  expect([said, rule.answer ?? Math.min(status, 399)]).toEqual([said, status]);
  expect(findShown(world, said, JSON.stringify(ask))).toEqual([]);
  expect(await findChanged(before)).toEqual([]);
  walked.add(route);
});
