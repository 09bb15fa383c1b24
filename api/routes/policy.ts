import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PolicyBody, PolicyDryRun, PolicyDryRunBody, PolicyVersion, PolicyVersions, PolicyVersionsQuery } from '../../contracts/http-policy.js';
import { changePolicy, listPolicies, type PolicyRow, readPolicies, readPolicy, type SignPolicy } from '../../db/policies.js';
import { dryRun } from '../../db/policy-dry-run.js';
import { findHolding, isSignedPolicy, type Ruling } from '../../domain/policy.js';
import { formatRuling } from '../../domain/updates.js';
import type { Keyring } from '../../keys/keyring.js';
import { PolicyOvertaken } from '../errors.js';
import { problems } from '../plugins/problems.js';

const toWords = (ruling: Ruling, authors: readonly string[]) => ({ kind: ruling.kind, says: formatRuling(ruling, authors) });

export const policyRoutes: FastifyPluginAsyncTypebox<{ keyring: Keyring }> = async (app, { keyring }) => {
  const sign: SignPolicy = (policy) => keyring.sign('policy', policy);
  const isSigned = async ({ signature, ...policy }: PolicyRow): Promise<boolean> => signature !== null && isSignedPolicy(await keyring.verify('policy', signature), policy);
  const toVersion = async (row: PolicyRow): Promise<PolicyVersion> => {
    const { version, policy, changedBy, reason, createdAt } = row;
    return { version, policy: { ...policy, groups: [...policy.groups] }, changedBy, reason, signed: await isSigned(row), changedAt: createdAt.toISOString() };
  };
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
    async ({ actor, db, query: { limit = 50 } }) => ({ versions: await Promise.all((await listPolicies(db, actor.workspaceId, limit)).map(toVersion)) }),
  );
  app.put(
    '/api/policy',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'changePolicy',
        tags: ['policy'],
        description:
          'Replaces the policy. What waits at gates runs under the stricter of this one and the one it was opened under. The policy that holds can be sent again, to have it signed anew.',
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
      const { policies } = await findHolding(await readPolicies(db, actor.workspaceId), isSigned);
      const { gates, leftOut } = await dryRun(db, actor.workspaceId, policies, policy);
      return {
        leftOut,
        gates: gates.map(({ incidentId, gateId, plan, approvals, now, would }) => {
          const [asksNow, wouldAsk] = [toWords(now, plan.authors), toWords(would, plan.authors)];
          return { incidentId, gateId, title: plan.title, risk: plan.risk, approvals, now: asksNow, would: wouldAsk, changes: asksNow.says !== wouldAsk.says };
        }),
      };
    },
  );
};
