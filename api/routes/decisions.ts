import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CancelBody, CancelReceipt, DecisionBody, DecisionReceipt, IncidentParams, WriteHeaders } from '../../contracts/http.js';
import { cancel, type SignDecision } from '../../db/decisions.js';
import { findIncident } from '../../db/incident-reads.js';
import { decideOrThrow, gateWords } from '../decide-or-throw.js';
import { IdReused, IncidentClosed, UnknownIncident } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toRequestId } from '../request-id.js';

export const decisionRoutes: FastifyPluginAsyncTypebox<{ sign: SignDecision }> = async (app, { sign }) => {
  app.post(
    '/api/incidents/:incidentId/decisions',
    {
      config: { minimumRole: 'responder' },
      schema: {
        operationId: 'decide',
        tags: ['incidents'],
        description: 'Answers the gate that the incident waits at. The person is the one of the token.',
        params: IncidentParams,
        headers: WriteHeaders,
        body: DecisionBody,
        response: { 200: DecisionReceipt, ...problems },
      },
    },
    async (request) => {
      const { actor, body, db, params } = request;
      const incident = await findIncident(db, actor.workspaceId, params.incidentId);
      if (incident === undefined) throw new UnknownIncident(params.incidentId);
      const { decisionId = toRequestId(request), gateId, digest = null, verdict, reason = null, confirmation = null } = body;
      const { gateState, approvals, approvalsNeeded } = await decideOrThrow(db, sign, incident.id, { id: decisionId, gateId, digest, verdict, reason, confirmation, actor });
      const message = gateState === 'open' ? `${approvals} of ${approvalsNeeded} approvals` : `The gate is ${gateWords[gateState]}`;
      return { decisionId, gateState, approvals, approvalsNeeded, message };
    },
  );
  app.post(
    '/api/incidents/:incidentId/cancel',
    {
      config: { minimumRole: 'responder' },
      schema: {
        operationId: 'cancelIncident',
        tags: ['incidents'],
        description: 'Asks to cancel. Where something may have changed already, the incident asks a person how to go on instead of closing.',
        params: IncidentParams,
        headers: WriteHeaders,
        body: CancelBody,
        response: { 202: CancelReceipt, ...problems },
      },
    },
    async (request, reply) => {
      const { actor, body, db, params } = request;
      const decisionId = toRequestId(request);
      const answer = await cancel(db, sign, { id: decisionId, incidentId: params.incidentId, actor, reason: body.reason });
      switch (answer.kind) {
        case 'asked':
          return reply.code(202).send({ decisionId, message: 'Cancellation requested' });
        case 'unknownIncident':
          throw new UnknownIncident(params.incidentId);
        case 'closed':
          throw new IncidentClosed('It closed before, so there is nothing to cancel. GET the incident to see how it ended.');
        case 'conflict':
          throw new IdReused('This Idempotency-Key was used with another reason. Use a new key.');
      }
    },
  );
};
