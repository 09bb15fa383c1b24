import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AlertReceipt, JsonAlertBody, WriteHeaders } from '../../contracts/http.js';
import { problems } from '../plugins/problems.js';
import { receive } from './receipt.js';
import { toAlert } from './to-alert.js';

export const jsonAlertsWebhook: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/api/alerts/json',
    {
      config: { minimumRole: 'responder', orAgent: true },
      schema: {
        operationId: 'receiveJsonAlerts',
        tags: ['alerts'],
        description: 'Takes in one alert or a batch from any sender. It is acknowledged once it is committed; a repeat is counted and opens nothing more.',
        headers: WriteHeaders,
        body: JsonAlertBody,
        response: { 200: AlertReceipt, ...problems },
      },
    },
    async (request) => {
      const alerts = [request.body].flat().map(({ title, state = 'firing', severity, labels = {}, startsAt, fingerprint }) =>
        toAlert({ source: 'json', state, title, severity: severity ?? labels['severity'], labels, startsAt, fingerprint }),
      );
      return receive(request, alerts);
    },
  );
};
