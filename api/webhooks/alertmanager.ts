import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AlertmanagerBody, AlertReceipt, WriteHeaders } from '../../contracts/http.js';
import { problems } from '../plugins/problems.js';
import { receive } from './receipt.js';
import { toAlert } from './to-alert.js';

export const alertmanagerWebhook: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/api/alerts/alertmanager',
    {
      config: { minimumRole: 'responder', orAgent: true },
      schema: {
        operationId: 'receiveAlertmanager',
        tags: ['alerts'],
        description: 'Takes in a notification of Alertmanager. It is acknowledged once it is committed; a repeat is counted and opens nothing more.',
        headers: WriteHeaders,
        body: AlertmanagerBody,
        response: { 200: AlertReceipt, ...problems },
      },
    },
    async (request) => {
      const alerts = request.body.alerts.map(({ status, labels, annotations, startsAt, fingerprint }) =>
        toAlert({
          source: 'alertmanager',
          state: status,
          title: annotations?.['summary'] ?? labels['alertname'] ?? 'Alert without a name',
          severity: labels['severity'],
          labels,
          startsAt,
          fingerprint,
        }),
      );
      return receive(request, alerts);
    },
  );
};
