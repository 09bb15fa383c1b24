import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { NewScript, RemediationScript, ScriptsQuery, WriteHeaders } from '../../contracts/http.js';
import { createScript, listScripts, type ScriptRow } from '../../db/scripts.js';
import type { Inspector } from '../../inspection/inspector.js';
import { IdReused, NameTaken, ScriptDenied, UnknownWorkspace } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toRequestId } from '../request-id.js';

const toScript = (row: ScriptRow): Static<typeof RemediationScript> => ({
  id: row.id,
  workspaceId: row.workspaceId,
  name: row.name,
  description: row.description,
  type: row.type,
  command: row.command,
  parameters: [...row.parameters],
  category: row.category,
  risk: row.risk,
  estimatedDuration: row.estimatedDurationMs,
  timeoutMs: row.timeoutMs,
  paths: [...row.paths],
  secrets: [...row.secrets],
  enabled: row.enabled,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

export const scriptRoutes: FastifyPluginAsyncTypebox<{ inspector: Pick<Inspector, 'findWrongInScript'> }> = async (app, { inspector }) => {
  app.get(
    '/api/sre/scripts',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'listScripts',
        tags: ['sre'],
        description: 'The library by name. Where more follow, the header `Link` has the address of the next page as `rel="next"`.',
        querystring: ScriptsQuery,
        response: { 200: Type.Array(RemediationScript), ...problems },
      },
    },
    async ({ actor, db, query: { workspaceId = actor.workspaceId, limit = 100, cursor = null } }, reply) => {
      if (workspaceId !== actor.workspaceId) throw new UnknownWorkspace(workspaceId);
      const rows = await listScripts(db, workspaceId, { after: cursor, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      if (rows.length > limit && last !== undefined) {
        const next = new URLSearchParams({ workspaceId, limit: `${limit}`, cursor: last.id });
        reply.header('link', `</api/sre/scripts?${next.toString()}>; rel="next"`);
      }
      return page.map(toScript);
    },
  );
  app.post(
    '/api/sre/scripts',
    {
      config: { minimumRole: 'supervisor' },
      schema: {
        operationId: 'createScript',
        tags: ['sre'],
        description: 'Adds a script to the library, if the rules for its type allow its command; otherwise the problem has the findings.',
        headers: WriteHeaders,
        body: NewScript,
        response: { 201: RemediationScript, ...problems },
      },
    },
    async (request, reply) => {
      const { actor, body, db } = request;
      if (body.workspaceId !== actor.workspaceId) throw new UnknownWorkspace(body.workspaceId);
      const findings = await inspector.findWrongInScript(body);
      if (findings.length > 0) throw new ScriptDenied('No rule allows this command. The findings say what to write instead.', [...findings]);
      const { estimatedDuration, description = '', enabled = true, timeoutMs = 30_000, paths = [], secrets = [], ...rest } = body;
      const answer = await createScript(db, {
        ...rest,
        id: toRequestId(request),
        description,
        enabled,
        timeoutMs,
        paths,
        secrets,
        estimatedDurationMs: estimatedDuration,
        createdBy: actor.person,
      });
      switch (answer.kind) {
        case 'created':
          return reply.code(201).send(toScript(answer.script));
        case 'nameTaken':
          throw new NameTaken(`The library has a script named ${body.name}. Choose another name.`);
        case 'conflict':
          throw new IdReused('This Idempotency-Key was used for another script. Use a new key.');
      }
    },
  );
};
