import { randomUUID } from 'node:crypto';
import type { InjectOptions } from 'fastify';
import { expect } from '@jest/globals';
import { type AppDeps, buildApp } from '../../api/app.js';
import { openTailListener } from '../../db/tail-listener.js';
import { createToken } from '../../db/tokens.js';
import { type Role, roles } from '../../domain/actor.js';
import { freshDatabase } from '../harness/database.js';

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
  const { db } = database;
  const listener = openTailListener(database.url);
  const app = await buildApp({ db, listener, bodyLimitBytes: 65_536, temporalUi: null, webFolder: '/nowhere', logger: false, heartbeatMs: 200, ...options });
  const tokens = new Map<Caller, string>([['forger', `sluice_${randomUUID()}`]]);
  for (const role of roles) tokens.set(role, await createToken(db, { workspaceId, person: `${role}-person`, role }));
  tokens.set('secondSupervisor', await createToken(db, { workspaceId, person: 'second-supervisor', role: 'supervisor' }));
  tokens.set('outsider', await createToken(db, { workspaceId: otherWorkspaceId, person: 'outsider', role: 'admin' }));

  opened.add(async () => {
    await app.close();
    await listener.close();
    await database.close();
  });
  return {
    app,
    db,
    listener,
    tokenOf: (caller: Caller) => tokens.get(caller) ?? '',
    call(caller: Caller, method: 'GET' | 'POST', url: string, payload?: InjectOptions['payload'], headers: Record<string, string> = {}) {
      const authorization = caller === 'nobody' ? {} : { authorization: `Bearer ${tokens.get(caller) ?? ''}` };
      return app.inject({ method, url, headers: { ...authorization, ...headers }, ...(payload === undefined ? {} : { payload }) });
    },
  };
}

export type Api = Awaited<ReturnType<typeof openApi>>;

/** A problem document with this status and stable type; returns its detail. */
export function expectProblem(reply: { statusCode: number; headers: Record<string, unknown>; json(): { type: string; detail: string; title: string; status: number } }, status: number, slug: string): string {
  const problem = reply.json();
  expect([reply.statusCode, problem.type]).toEqual([status, `urn:sluice:problem:${slug}`]);
  expect(reply.headers['content-type']).toBe('application/problem+json');
  expect(problem).toMatchObject({ status, title: expect.any(String), detail: expect.stringMatching(/\S/) });
  return problem.detail;
}
