import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { buildApp } from '../../api/app.js';
import { authorize } from '../../api/plugins/authorization.js';
import { type Api, closeApis, problemOf, openApi } from './open-api.js';
import { inspector } from '../harness/inspector.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

describe('a route', () => {
  it('has to have a rule, or no app is built', async () => {
    const app: FastifyInstance = fastify();
    authorize(app, async () => undefined);
    app.get('/open', async () => 'come in');
    await expect(app.ready()).rejects.toThrow('Routes without config.minimumRole: GET /open');
  });
});

describe('identity', () => {
  it('is the token, which says who and what', async () => {
    const reply = await api.call('responder', 'GET', '/api/me');
    expect([reply.statusCode, reply.json()]).toEqual([200, { person: 'responder-person', role: 'responder', workspaceId: 'shop' }]);
  });

  it('is not that of another workspace than the one that the request means', async () => {
    expect((await api.call('viewer', 'GET', '/api/me', undefined, { 'sluice-workspace': 'shop' })).statusCode).toBe(200);
    expect(problemOf(await api.call('viewer', 'GET', '/api/me', undefined, { 'sluice-workspace': 'elsewhere' }))).toEqual([403, 'not-allowed']);
  });

  it.each(['Basic abc', 'Bearer', 'Bearer ', 'Bearer a b', 'sluice_abc'])('is not had by the header %j', async (authorization) => {
    const reply = await api.app.inject({ method: 'GET', url: '/api/me', headers: { authorization } });
    expect(problemOf(reply)).toEqual([401, 'not-authenticated']);
    expect(reply.headers['www-authenticate']).toContain('Bearer');
  });

  it('is not needed to see whether it runs, nor to read what it offers', async () => {
    for (const url of ['/healthz', '/readyz', '/openapi.json', '/docs']) expect((await api.call('nobody', 'GET', url)).statusCode).toBe(200);
  });

  it('never appears in the log', async () => {
    const lines: string[] = [];
    const app = await buildApp({
      db: api.db,
      requests: api.requests,
      listener: api.listener,
      keyring: api.keyring,
      checkpoints: api.checkpoints,
      inspector,
      bodyLimitBytes: 1_024,
      temporalUi: null,
      webFolder: '/nowhere',
      logger: { level: 'trace', redact: ['req.headers.authorization'], stream: { write: (line: string) => void lines.push(line) } },
    });
    const token = api.tokenOf('viewer');
    await app.inject({ method: 'GET', url: '/api/me', headers: { authorization: `Bearer ${token}` } });
    await app.close();
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toContain(token);
  });
});
