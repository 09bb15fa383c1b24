import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { buildApp } from '../../api/app.js';
import { authorize, type MinimumRole } from '../../api/plugins/authorization.js';
import { type Api, closeApis, problemOf, openApi } from './open-api.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const id = '7d4f4c2e-5a55-4a3e-9c1e-0d5c3f1b2a10';

/** Who may call what. A route that is missing here fails the walk below. */
const rules: Record<string, { minimumRole: MinimumRole; orAgent?: true }> = {
  'GET /healthz': { minimumRole: 'everyone' },
  'GET /readyz': { minimumRole: 'everyone' },
  'GET /api/me': { minimumRole: 'viewer' },
  'POST /api/alerts/alertmanager': { minimumRole: 'responder', orAgent: true },
  'POST /api/alerts/json': { minimumRole: 'responder', orAgent: true },
  'GET /api/incidents': { minimumRole: 'viewer' },
  'GET /api/incidents/{incidentId}': { minimumRole: 'viewer' },
  'GET /api/incidents/{incidentId}/tail': { minimumRole: 'viewer' },
  'POST /api/incidents/{incidentId}/decisions': { minimumRole: 'responder' },
  'POST /api/incidents/{incidentId}/cancel': { minimumRole: 'responder' },
  'POST /api/incidents/{incidentId}/rollback': { minimumRole: 'supervisor' },
  'POST /api/ai/sre/remediate': { minimumRole: 'responder' },
  'POST /api/ai/sre/approve': { minimumRole: 'responder' },
  'GET /api/sre/scripts': { minimumRole: 'viewer' },
  'POST /api/sre/scripts': { minimumRole: 'supervisor' },
  'GET /api/audit': { minimumRole: 'viewer' },
  'GET /api/audit/verify': { minimumRole: 'viewer' },
  'GET /api/keys': { minimumRole: 'admin' },
  'POST /api/keys/rotate': { minimumRole: 'admin' },
  'POST /api/keys/{keyId}/revoke': { minimumRole: 'admin' },
  'GET /api/kill-switch': { minimumRole: 'viewer' },
  'PUT /api/kill-switch': { minimumRole: 'supervisor' },
};
const ranks = ['viewer', 'responder', 'supervisor', 'admin'] as const;

describe('every route', () => {
  it('has its rule in this table, and every rule its route', async () => {
    const { paths } = (await api.call('nobody', 'GET', '/openapi.json')).json<{ paths: Record<string, Record<string, unknown>> }>();
    const routes = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    expect(routes.toSorted()).toEqual(Object.keys(rules).toSorted());
  });

  it.each(Object.entries(rules).filter(([, { minimumRole }]) => minimumRole !== 'everyone'))('lets in whom its rule names: %s', async (route, { minimumRole, orAgent }) => {
    const [method, path = ''] = route.split(' ');
    const url = path.replace(/\{\w+\}/, id);
    const verb = method === 'POST' || method === 'PUT' ? method : 'GET';
    expect(problemOf(await api.call('nobody', verb, url))).toEqual([401, 'not-authenticated']);
    expect(problemOf(await api.call('forger', verb, url))).toEqual([401, 'not-authenticated']);
    const callers = [...ranks, 'agent'] as const;
    const replies = await Promise.all(callers.map((caller) => api.call(caller, verb, url)));
    const refused = callers.filter((_, index) => replies[index]?.json<{ type?: string }>().type === 'urn:sluice:problem:not-allowed');
    const firstAllowed = ranks.findIndex((role) => role === minimumRole);
    expect(refused).toEqual([...ranks.slice(0, firstAllowed), ...(orAgent === true ? [] : ['agent'])]);
  });

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
      listener: api.listener,
      keyring: api.keyring,
      checkpoints: api.checkpoints,
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
