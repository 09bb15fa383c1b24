import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PolicyBody, PolicyDryRun, PolicyDryRunBody, PolicyVersion, PolicyVersions, PolicyVersionsQuery } from '../../contracts/http-policy.js';
import { changePolicy, listPolicies, type PolicyRow, readPolicy, type SignPolicy } from '../../db/policies.js';
import { dryRun } from '../../db/policy-dry-run.js';
import type { Ruling } from '../../domain/policy.js';
import { formatRuling } from '../../domain/updates.js';
import { PolicyOvertaken } from '../errors.js';
import { problems } from '../plugins/problems.js';

const toVersion = ({ version, policy, changedBy, reason, createdAt }: PolicyRow): PolicyVersion => ({
  version,
  policy: { ...policy, groups: [...policy.groups] },
  changedBy,
  reason,
  changedAt: createdAt.toISOString(),
});

const toWords = (ruling: Ruling, authors: readonly string[]) => ({ kind: ruling.kind, says: formatRuling(ruling, authors) });

export const policyRoutes: FastifyPluginAsyncTypebox<{ sign: SignPolicy }> = async (app, { sign }) => {
  app.get(
    '/api/policy',
    {
      config: { minimumRole: 'viewer' },
      schema: { operationId: 'readPolicy', tags: ['policy'], description: 'The policy of the workspace: who may decide what, when, and what happens when nobody does.', response: { 200: PolicyVersion, ...problems } },
    },
    async ({ actor, db }) => toVersion(await readPolicy(db, actor.workspaceId)),
  );
  app.get(
    '/api/policy/versions',
    {
      config: { minimumRole: 'viewer' },
      schema: { operationId: 'listPolicyVersions', tags: ['policy'], description: 'The last policies of the workspace, newest first.', querystring: PolicyVersionsQuery, response: { 200: PolicyVersions, ...problems } },
    },
    async ({ actor, db, query: { limit = 50 } }) => ({ versions: (await listPolicies(db, actor.workspaceId, limit)).map(toVersion) }),
  );
  app.put(
    '/api/policy',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'changePolicy',
        tags: ['policy'],
        description:
          'Replaces the policy. What waits at gates runs under the stricter of this one and the one it was opened under. The same policy again changes nothing.',
        body: PolicyBody,
        response: { 200: PolicyVersion, ...problems },
      },
    },
    async ({ actor: { workspaceId, person }, db, body: { policy, version, reason } }) => {
      const change = await changePolicy(db, sign, { workspaceId, policy, seen: version, changedBy: person, reason });
      if (change.kind === 'overtaken') throw new PolicyOvertaken(`It is at version ${change.row.version} by now, changed by ${change.row.changedBy}. GET /api/policy, and change that one.`);
      return toVersion(change.row);
    },
  );
  app.post(
    '/api/policy/dry-run',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'dryRunPolicy',
        tags: ['policy'],
        description: 'Says what each open execution gate asks for now, and would ask for under this policy. Changes nothing.',
        body: PolicyDryRunBody,
        response: { 200: PolicyDryRun, ...problems },
      },
    },
    async ({ actor, db, body: { policy } }) => {
      const foreseen = await dryRun(db, actor.workspaceId, policy);
      return {
        gates: foreseen.map(({ incidentId, gateId, plan, approvals, now, would }) => {
          const [asksNow, wouldAsk] = [toWords(now, plan.authors), toWords(would, plan.authors)];
          return { incidentId, gateId, title: plan.title, risk: plan.risk, approvals, now: asksNow, would: wouldAsk, changes: asksNow.says !== wouldAsk.says };
        }),
      };
    },
  );
};
