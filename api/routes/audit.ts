import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AuditPage, AuditQuery, AuditReport } from '../../contracts/http.js';
import { readAuditPage, readChain } from '../../db/audit-reads.js';
import { type AuditRow, openChainCheck, readEntry } from '../../domain/audit.js';
import type { Checkpoints } from '../checkpoints.js';
import { problems } from '../plugins/problems.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function toRow({ seq, entry, hash }: AuditRow): AuditPage['rows'][number] {
  const read = readEntry(entry);
  const fields = read === undefined ? { kind: null, actor: null, subject: null, details: null, at: null } : { ...read, at: new Date(read.at).toISOString() };
  return { seq, ...fields, entry, hash };
}

export const auditRoutes: FastifyPluginAsyncTypebox<{ checkpoints: Checkpoints }> = async (app, { checkpoints }) => {
  app.get(
    '/api/audit',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'readAudit',
        tags: ['audit'],
        description: "Who did what in the workspace, as a chain of hashes; the newest first, or with `order=oldest` from the chain's beginning.",
        querystring: AuditQuery,
        response: { 200: AuditPage, ...problems },
      },
    },
    async ({ actor, db, query: { order = 'newest', limit = 100, cursor = null } }) => {
      const rows = await readAuditPage(db, actor.workspaceId, { order, cursor, limit: limit + 1 });
      const page = rows.slice(0, limit);
      return { rows: page.map(toRow), nextCursor: rows.length > limit ? (page.at(-1)?.seq ?? null) : null };
    },
  );
  app.get(
    '/api/audit/verify',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'verifyAudit',
        tags: ['audit'],
        description:
          "Holds the workspace's whole chain against the signed checkpoints that this server keeps outside of the database. Who does not trust this server runs `sluice audit verify` with a copy of them.",
        response: { 200: AuditReport, ...problems },
      },
    },
    async ({ actor, db }) => {
      const check = openChainCheck(await checkpoints.read(actor.workspaceId), sha256);
      for await (const rows of readChain(db, actor.workspaceId)) check.read(rows);
      return check.finish();
    },
  );
};
