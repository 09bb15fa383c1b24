import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IncidentParams, RollbackBody, RollbackReceipt, WriteHeaders } from '../../contracts/http.js';
import { askRollback } from '../../db/ask-rollback.js';
import type { SignDecision } from '../../db/decisions.js';
import { formatMoment } from '../../domain/updates.js';
import { IdReused, IncidentOpen, NothingToRollBack, RollbackUnderWay, SnapshotExpired, UnknownIncident } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toRequestId } from '../request-id.js';

export const rollbackRoute: FastifyPluginAsyncTypebox<{ sign: SignDecision }> = async (app, { sign }) => {
  app.post(
    '/api/incidents/:incidentId/rollback',
    {
      config: { minimumRole: 'supervisor' },
      schema: {
        operationId: 'rollBack',
        tags: ['incidents'],
        description:
          'Asks to take back what a closed incident had changed, for as long as its snapshots are kept. What follows is told in its job tail, which ends anew. ' +
          'Where the target has changed since, nothing is changed and a person is asked. An incident that is not closed is taken back at its gate.',
        params: IncidentParams,
        headers: WriteHeaders,
        body: RollbackBody,
        response: { 202: RollbackReceipt, ...problems },
      },
    },
    async (request, reply) => {
      const { actor, body, db, params } = request;
      const decisionId = toRequestId(request);
      const answer = await askRollback(db, sign, { id: decisionId, incidentId: params.incidentId, actor, reason: body.reason });
      switch (answer.kind) {
        case 'asked':
          return reply.code(202).send({ decisionId, message: 'Rollback requested' });
        case 'unknownIncident':
          throw new UnknownIncident(params.incidentId);
        case 'open':
          throw new IncidentOpen('Decide at its gate: reject the verification, or send the verdict rollBack where the gate offers it.');
        case 'nothingToRollBack':
          throw new NothingToRollBack('It ran nothing that has a way back. GET the incident to see its plan.');
        case 'rolledBack':
          throw new NothingToRollBack('It was taken back before. See its job tail.');
        case 'underWay':
          throw new RollbackUnderWay('Somebody asked before. Follow its job tail; where it waits at a gate, decide there.');
        case 'snapshotExpired':
          throw new SnapshotExpired(`The snapshot was kept until ${formatMoment(answer.keptUntil)}. Put it right by hand, or start a new incident.`);
        case 'conflict':
          throw new IdReused('This Idempotency-Key stands for another request. Use a new key.');
      }
    },
  );
};
