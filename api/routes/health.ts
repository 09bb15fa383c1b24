import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Health } from '../../contracts/http.js';
import { isReachable } from '../../db/away.js';
import type { Database } from '../../db/database.js';

export const healthRoutes: FastifyPluginAsyncTypebox<{ db: Database }> = async (app, { db }) => {
  app.get(
    '/healthz',
    {
      config: { minimumRole: 'everyone' },
      schema: { operationId: 'isAlive', tags: ['operations'], description: 'The process answers.', response: { 200: Health } },
    },
    async () => ({ status: 'ok' as const, checks: {} }),
  );
  app.get(
    '/readyz',
    {
      config: { minimumRole: 'everyone' },
      schema: { operationId: 'isReady', tags: ['operations'], description: 'The process can do its work.', response: { 200: Health, 503: Health } },
    },
    async (_request, reply) => {
      if (await isReachable(db)) return { status: 'ok' as const, checks: { database: 'ok' } };
      return reply.code(503).send({ status: 'unavailable', checks: { database: 'does not answer' } });
    },
  );
};
