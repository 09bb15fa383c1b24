import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Health } from '../../contracts/http.js';
import { isReachable } from '../../db/away.js';
import type { Database } from '../../db/database.js';
import type { Checkpoints } from '../checkpoints.js';

export const healthRoutes: FastifyPluginAsyncTypebox<{ db: Database; checkpoints: Checkpoints }> = async (app, { db, checkpoints }) => {
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
      schema: { operationId: 'isReady', tags: ['operations'], description: 'The process can do its work. That checkpoints of the audit are not written is told, and keeps nothing else from working.', response: { 200: Health, 503: Health } },
    },
    async (_request, reply) => {
      const audit = checkpoints.state();
      if (await isReachable(db)) return { status: 'ok' as const, checks: { database: 'ok', audit } };
      return reply.code(503).send({ status: 'unavailable', checks: { database: 'does not answer', audit } });
    },
  );
};
