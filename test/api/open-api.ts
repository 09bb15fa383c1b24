import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { expect } from '@jest/globals';
import { type AppDeps, buildApp } from '../../api/app.js';
import { openCheckpoints } from '../../api/checkpoints.js';
import type { Problem } from '../../contracts/http.js';
import { policies } from '../../db/schema.js';
import { openTailListener } from '../../db/tail-listener.js';
import { createToken } from '../../db/tokens.js';
import { type Role, roles } from '../../domain/actor.js';
import { aPolicy } from '../builders.js';
import { createSchemaCheck } from './check-schema.js';
import { freshDatabase } from '../harness/database.js';
import { freshKeys } from '../harness/keys.js';
import { inspector } from '../harness/inspector.js';

export const workspaceId = 'shop';
const otherWorkspaceId = 'elsewhere';

export type Caller = Role | 'secondSupervisor' | 'outsider' | 'nobody' | 'forger';

const opened = new Set<() => Promise<void>>();

/** Closes every app that a test file opened, whether or not its test came to its end. */
export async function closeApis(): Promise<void> {
  for (const close of opened) await close();
}

/** The app on a database of its own, with a token per role, one of another workspace, and one that is not known. */
export async function openApi(options: Partial<AppDeps> = {}) {
  const database = await freshDatabase();
  const { db, requests, asOwner } = database;
  const keys = await freshKeys();
  const { keyring } = keys;
  // As a worker would adopt it, but for the entry in the audit: that begins with what a test does.
  await db.insert(policies).values([workspaceId, otherWorkspaceId].map((id) => ({ workspaceId: id, version: 1, policy: aPolicy(), changedBy: 'sluice.yaml', reason: 'the first policy' })));
  const checkpoints = openCheckpoints({ db, keyring, folder: join(keys.folder, 'audit') });
  const listener = openTailListener(database.url);
  const app = await buildApp({ db, requests, listener, keyring, checkpoints, inspector, bodyLimitBytes: 65_536, temporalUi: null, webFolder: '/nowhere', logger: false, heartbeatMs: 200, ...options });
  const checkSchema = createSchemaCheck(app);
  const tokens = new Map<Caller, string>([['forger', `sluice_${randomUUID()}`]]);
  for (const role of roles) tokens.set(role, await createToken(db, { workspaceId, person: `${role}-person`, role }));
  tokens.set('secondSupervisor', await createToken(db, { workspaceId, person: 'second-supervisor', role: 'supervisor' }));
  tokens.set('outsider', await createToken(db, { workspaceId: otherWorkspaceId, person: 'outsider', role: 'admin' }));

  opened.add(async () => {
    await app.close();
    await listener.close();
    await database.close();
    await keys.close();
  });
  return {
    app,
    db,
    requests,
    asOwner,
    databaseUrl: database.url,
    keysFolder: keys.folder,
    listener,
    keyring,
    checkpoints,
    tokenOf: (caller: Caller) => tokens.get(caller) ?? '',
    /** Sends a request and checks that the answer is as /openapi.json promises. */
    async call(caller: Caller, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: InjectOptions['payload'], headers: Record<string, string> = {}) {
      const authorization = caller === 'nobody' ? {} : { authorization: `Bearer ${tokens.get(caller) ?? ''}` };
      const reply = await app.inject({ method, url, headers: { ...authorization, ...headers }, ...(payload === undefined ? {} : { payload }) });
      checkSchema(method, url, reply);
      return reply;
    },
  };
}

export type Api = Awaited<ReturnType<typeof openApi>>;

type Reply = Pick<LightMyRequestResponse, 'statusCode' | 'headers' | 'json'>;

/** The status and the stable type of an answer that must be a problem document. */
export function problemOf(reply: Reply): readonly [status: number, slug: string | undefined] {
  const { type, status, title, detail } = reply.json<Problem>();
  const isProblem = reply.headers['content-type'] === 'application/problem+json' && status === reply.statusCode && title !== '' && detail !== '';
  return [reply.statusCode, isProblem ? /^urn:sluice:problem:(.+)$/.exec(type)?.[1] : undefined];
}

/** What the reader is told, once it is this problem. */
export function detailOf(reply: Reply, status: number, slug: string): string {
  expect(problemOf(reply)).toEqual([status, slug]);
  return reply.json<Problem>().detail;
}
