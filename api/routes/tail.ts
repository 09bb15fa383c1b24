import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IncidentParams, TailEvent, TailHeaders, TailPage, TailQuery } from '../../contracts/http.js';
import { findIncident } from '../../db/incident-reads.js';
import { endsBy, readTail } from '../../db/tail-reads.js';
import { UnknownIncident } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toTailEntry, toTailText } from '../tail-entry.js';
import { sendTail, STREAM_TIMEOUT_MS, type TailSource } from '../tail-stream.js';

export const tailRoute: FastifyPluginAsyncTypebox<{ source: Omit<TailSource, 'db'> }> = async (app, { source }) => {
  app.get(
    '/api/incidents/:incidentId/tail',
    {
      config: { minimumRole: 'viewer', streams: true },
      handlerTimeout: STREAM_TIMEOUT_MS,
      schema: {
        operationId: 'readTail',
        tags: ['incidents'],
        description:
          'The job tail: a page as JSON, or with `Accept: text/event-stream` everything after `after` or `Last-Event-ID` as it comes, until it is done. ' +
          '204 answers a stream that would begin after the end.',
        params: IncidentParams,
        querystring: TailQuery,
        headers: TailHeaders,
        response: {
          200: {
            description: 'The tail.',
            content: {
              'application/json': { schema: TailPage },
              'text/event-stream': { schema: TailEvent },
            },
          },
          204: { type: 'null', description: 'Nothing will follow.' },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { actor, db, params, query, headers } = request;
      const incident = await findIncident(db, actor.workspaceId, params.incidentId);
      if (incident === undefined) throw new UnknownIncident(params.incidentId);
      const after = Number(headers['last-event-id'] ?? query.after ?? 0);
      reply.header('vary', 'accept');
      if (headers.accept?.includes('text/event-stream') === true) {
        // An EventSource that reads 204 stops to reconnect.
        return (await endsBy(db, incident.id, after)) ? reply.code(204).send(null) : sendTail(reply, { ...source, db }, incident.id, after);
      }
      const rows = await readTail(db, incident.id, { after, limit: query.limit ?? 500 });
      const entries = rows.map(toTailEntry);
      return reply.send({ entries, nextAfter: entries.at(-1)?.seq ?? after, text: toTailText(entries) });
    },
  );
};
