import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Me } from '../../contracts/http.js';
import { problems } from '../plugins/problems.js';

export const meRoute: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/me',
    {
      config: { minimumRole: 'viewer' },
      schema: { operationId: 'readMe', tags: ['people'], description: 'Whose token this is.', response: { 200: Me, ...problems } },
    },
    async (request) => request.actor,
  );
};
