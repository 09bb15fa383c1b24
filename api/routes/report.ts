import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Report, ReportQuery } from '../../contracts/http-report.js';
import { readPolicy } from '../../db/policies.js';
import { countIncidents } from '../../db/report-reads.js';
import { toReport } from '../../domain/report.js';
import { InvalidRequest, Unavailable } from '../errors.js';
import { problems } from '../plugins/problems.js';

const DAY_MS = 86_400_000;
// Each may keep a connection to the database for as long as a report takes.
const MAX_AT_WORK = 2;

/** What no calendar has, such as a leap second, is no moment; and nothing was opened before 1970. */
function readSpan(query: ReportQuery): { readonly since: Date; readonly until: Date } {
  const until = query.until === undefined ? new Date() : new Date(query.until);
  const since = new Date(query.since ?? until.getTime() - 7 * DAY_MS);
  const lengthMs = until.getTime() - since.getTime();
  if (since.getTime() >= 0 && lengthMs > 0 && lengthMs <= 366 * DAY_MS) return { since, until };
  throw new InvalidRequest('querystring/since must be a moment before querystring/until (now, where that is left out), and at most 366 days before it.');
}

export const reportRoute: FastifyPluginAsyncTypebox = async (app) => {
  let atWork = 0;
  app.get(
    '/api/report',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'readReport',
        tags: ['incidents'],
        description: 'How Sluice did with the incidents that were opened in a span: how they ended, what was proposed, what would have run by itself, and what recovered with nothing run.',
        querystring: ReportQuery,
        response: { 200: Report, ...problems },
      },
    },
    async ({ actor: { workspaceId }, db, query }) => {
      const { since, until } = readSpan(query);
      if (atWork >= MAX_AT_WORK) throw new Unavailable(`${MAX_AT_WORK} reports are being made already. Send the same request again in a few seconds.`);
      atWork += 1;
      const counted = await countIncidents(db, { workspaceId, since, until }).finally(() => (atWork -= 1));
      const { withoutPlan, fixes, ...report } = toReport(counted, (await readPolicy(db, workspaceId)).policy);
      return { workspaceId, since: since.toISOString(), until: until.toISOString(), ...report, withoutPlan: [...withoutPlan], fixes: [...fixes] };
    },
  );
};
