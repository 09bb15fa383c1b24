import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { IncidentDetail, IncidentPage, IncidentParams, IncidentsQuery } from '../../contracts/http.js';
import { listIncidents, readIncident } from '../../db/incident-reads.js';
import { UnknownIncident } from '../errors.js';
import { type TemporalUi, toIncidentDetail, toIncidentSummary } from '../incident-view.js';
import { problems } from '../plugins/problems.js';

export const incidentRoutes: FastifyPluginAsyncTypebox<{ temporalUi: TemporalUi | null }> = async (app, { temporalUi }) => {
  app.get(
    '/api/incidents',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'listIncidents',
        tags: ['incidents'],
        description: 'The incidents of the workspace, newest first.',
        querystring: IncidentsQuery,
        response: { 200: IncidentPage, ...problems },
      },
    },
    async ({ actor, db, query: { state = 'all', limit = 50, cursor = null } }) => {
      const rows = await listIncidents(db, actor.workspaceId, { state, after: cursor, limit: limit + 1 });
      const page = rows.slice(0, limit);
      return { incidents: page.map(toIncidentSummary), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
  );
  app.get(
    '/api/incidents/:incidentId',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'getIncident',
        tags: ['incidents'],
        description: 'An incident with its root cause, its newest plan and gate, and what was measured.',
        params: IncidentParams,
        response: { 200: IncidentDetail, ...problems },
      },
    },
    async ({ actor, db, params: { incidentId } }) => {
      const row = await readIncident(db, actor.workspaceId, incidentId);
      if (row === undefined) throw new UnknownIncident(incidentId);
      return toIncidentDetail(row, temporalUi);
    },
  );
};
