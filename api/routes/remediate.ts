import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { RemediateBody, TailEvent, WriteHeaders } from '../../contracts/http.js';
import { startByPerson } from '../../db/start-by-person.js';
import { readSeverity } from '../../domain/severity.js';
import { IdReused, UnknownWorkspace, WrongPerson } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toRequestId } from '../request-id.js';
import { sendTail, STREAM_TIMEOUT_MS, type TailSource } from '../tail-stream.js';

export const remediateRoute: FastifyPluginAsyncTypebox<{ source: Omit<TailSource, 'db'> }> = async (app, { source }) => {
  app.post(
    '/api/ai/sre/remediate',
    {
      config: { minimumRole: 'responder', streams: true },
      handlerTimeout: STREAM_TIMEOUT_MS,
      schema: {
        operationId: 'remediate',
        tags: ['sre'],
        description:
          'Starts a detection over all targets and one incident for what it finds at or above the threshold (LOW where none is given). Answers with its job tail ' +
          'until it is closed; a stream that breaks is resumed at `/api/incidents/{id}/tail`, the id being in the header `Sluice-Incident`.',
        headers: WriteHeaders,
        body: RemediateBody,
        response: {
          200: {
            description: 'The job tail.',
            headers: { 'sluice-incident': { schema: { type: 'string', format: 'uuid' }, description: 'The incident.' } },
            content: { 'text/event-stream': { schema: TailEvent } },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { actor, body, db } = request;
      if (body.workspaceId !== actor.workspaceId) throw new UnknownWorkspace(body.workspaceId);
      if (body.userId !== undefined && body.userId !== actor.person) throw new WrongPerson(actor.person);
      const severityThreshold = readSeverity(body.severityThreshold ?? 'LOW') ?? 'LOW';
      const answer = await startByPerson(db, { id: toRequestId(request), actor, severityThreshold });
      if (answer.kind === 'conflict') throw new IdReused('This Idempotency-Key was used with another threshold. Use a new key.');
      return sendTail(reply.header('sluice-incident', answer.incidentId), { ...source, db }, answer.incidentId, 0);
    },
  );
};
