import type { MinimumRole } from '../../api/plugins/authorization.js';
import type { Keyring } from '../../keys/keyring.js';
import { aPolicy } from '../builders.js';
import { workspaceId } from './open-api.js';
import type { World } from './route-world.js';

export interface Ask {
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: object | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who may call a route, and what they are answered. */
export interface RouteRule {
  readonly minimumRole: MinimumRole;
  readonly orAgent?: true;
  /** A request that is good for the workspace of the world. */
  readonly ask?: (world: World, keyring: Keyring) => Ask | Promise<Ask>;
  /** What somebody who may is answered where that is not a success. */
  readonly answer?: number;
  /** What the right role of another workspace is told: that there is no such thing, or, where the request names nothing, what they have themselves. */
  readonly elsewhere?: 'itsOwn';
  /** It is about all workspaces, and each of them has it in its audit. */
  readonly isForAll?: true;
}

const forEveryone = { minimumRole: 'everyone' } as const;
const ofCall = ({ callId, own }: World, body: object = {}): Ask => ({ params: { callId }, body: { workerId: own, ...body } });
const ofIncident = ({ incidentId }: World): Ask => ({ params: { incidentId } });

/** Every route there is. One that is not here fails the walk. */
export const routeRules: Readonly<Record<string, RouteRule>> = {
  'GET /healthz': forEveryone,
  'GET /readyz': forEveryone,
  'GET /openapi.json': forEveryone,
  'GET /docs': forEveryone,
  'GET /docs/json': forEveryone,
  'GET /docs/yaml': forEveryone,
  'GET /docs/static/index.html': forEveryone,
  'GET /docs/static/swagger-initializer.js': forEveryone,
  'GET /docs/static/*': { ...forEveryone, ask: () => ({ params: { '*': 'swagger-ui.css' } }) },
  'HEAD /docs/static/*': { ...forEveryone, ask: () => ({ params: { '*': 'swagger-ui.css' } }) },
  'GET /': forEveryone,
  'GET /index.html': forEveryone,
  'HEAD /index.html': forEveryone,
  'GET /incidents/*': { ...forEveryone, ask: ({ incidentId }) => ({ params: { '*': incidentId } }) },
  'GET /assets/page.js': forEveryone,
  'HEAD /assets/page.js': forEveryone,
  // Slack's signature stands for a token.
  'POST /api/slack/actions': { ...forEveryone, answer: 401, ask: () => ({ body: new URLSearchParams({ payload: '{}' }) }) },
  // A one-time token of the execution stands for a person's.
  'POST /api/executions/:key/claim': { ...forEveryone, answer: 401, ask: () => ({ params: { key: 'a'.repeat(32) }, body: { pod: 'sluice-1' } }) },

  'GET /api/me': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'GET /api/tokens': { minimumRole: 'admin', elsewhere: 'itsOwn' },
  'POST /api/tokens': {
    minimumRole: 'admin',
    elsewhere: 'itsOwn',
    ask: () => ({ body: { person: 'ana', role: 'admin', name: 'mine', expiresAt: new Date(Date.now() + 3_600_000).toISOString() } }),
  },
  'DELETE /api/tokens/:tokenId': { minimumRole: 'admin', ask: ({ tokenId }) => ({ params: { tokenId } }) },
  'GET /api/people': { minimumRole: 'admin', elsewhere: 'itsOwn' },
  'PUT /api/people/:person': { minimumRole: 'admin', elsewhere: 'itsOwn', ask: ({ person, own }) => ({ params: { person }, body: { role: 'admin', slackUser: `T2/U${own.replaceAll('-', '').toUpperCase()}` } }) },
  'DELETE /api/people/:person': { minimumRole: 'admin', ask: ({ person }) => ({ params: { person } }) },

  'POST /api/alerts/alertmanager': {
    minimumRole: 'responder',
    orAgent: true,
    elsewhere: 'itsOwn',
    ask: ({ fingerprint }) => ({ body: { alerts: [{ status: 'resolved', labels: {}, fingerprint }, { status: 'firing', labels: { alertname: 'x' }, fingerprint }] } }),
  },
  'POST /api/alerts/json': { minimumRole: 'responder', orAgent: true, elsewhere: 'itsOwn', ask: ({ fingerprint }) => ({ body: { title: 'x', state: 'resolved', fingerprint } }) },

  'GET /api/incidents': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'GET /api/incidents/:incidentId': { minimumRole: 'viewer', ask: ofIncident },
  'GET /api/incidents/:incidentId/tail': { minimumRole: 'viewer', ask: (world) => ({ ...ofIncident(world), headers: { accept: 'text/event-stream' } }) },
  'POST /api/incidents/:incidentId/decisions': { minimumRole: 'responder', ask: (world) => ({ ...ofIncident(world), body: { gateId: world.gateId, digest: world.digest, verdict: 'approve' } }) },
  'POST /api/incidents/:incidentId/cancel': { minimumRole: 'responder', ask: (world) => ({ ...ofIncident(world), body: { reason: 'no longer needed' } }) },
  'POST /api/incidents/:incidentId/rollback': { minimumRole: 'supervisor', ask: ({ closedId }) => ({ params: { incidentId: closedId }, body: { reason: 'it was wrong' } }) },
  'GET /api/report': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'POST /api/ai/sre/remediate': { minimumRole: 'responder', ask: () => ({ body: { workspaceId } }) },
  'POST /api/ai/sre/approve': { minimumRole: 'responder', ask: ({ updateId }) => ({ body: { updateId, approved: true } }) },

  'GET /api/sre/scripts': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'POST /api/sre/scripts': {
    minimumRole: 'supervisor',
    ask: ({ own }) => ({
      body: {
        workspaceId,
        name: own,
        type: 'SQL',
        command: 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2',
        parameters: ['pid', 'backendStart'],
        category: 'idleTransaction',
        risk: 'LOW',
        estimatedDuration: 1,
      },
    }),
  },

  'GET /api/executors': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'POST /api/executors/poll': {
    minimumRole: 'executor',
    elsewhere: 'itsOwn',
    ask: ({ own }) => ({ body: { workerId: own, place: own, version: '1', capabilities: { targets: [], lacks: [] }, hasRoom: true, waitMs: 0 } }),
  },
  'POST /api/executors/calls/:callId/beat': { minimumRole: 'executor', ask: (world) => ofCall(world) },
  'POST /api/executors/calls/:callId/begin': { minimumRole: 'executor', ask: (world) => ofCall(world, { handle: world.own }) },
  'POST /api/executors/calls/:callId/output': { minimumRole: 'executor', ask: (world) => ofCall(world, { firstLine: 1, text: 'done' }) },
  'POST /api/executors/calls/:callId/answer': { minimumRole: 'executor', ask: (world) => ofCall(world, { answer: '{}' }) },

  'GET /api/policy': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'GET /api/policy/versions': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'PUT /api/policy': { minimumRole: 'admin', elsewhere: 'itsOwn', ask: ({ policyVersion }) => ({ body: { policy: aPolicy({ maxRounds: 7 }), version: policyVersion, reason: 'more tries' } }) },
  'POST /api/policy/dry-run': { minimumRole: 'viewer', elsewhere: 'itsOwn', ask: () => ({ body: { policy: aPolicy({ autonomy: 'observe' }) } }) },

  'GET /api/audit': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'GET /api/audit/verify': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'GET /api/keys': { minimumRole: 'admin', elsewhere: 'itsOwn', isForAll: true },
  'POST /api/keys/rotate': { minimumRole: 'admin', elsewhere: 'itsOwn', isForAll: true, ask: () => ({ body: {} }) },
  'POST /api/keys/:keyId/revoke': {
    minimumRole: 'admin',
    elsewhere: 'itsOwn',
    isForAll: true,
    async ask(_, keyring) {
      const { keyId: newest } = await keyring.rotate();
      const keyId = (await keyring.list()).findLast((key) => key.keyId !== newest)?.keyId ?? '';
      return { params: { keyId }, body: { reason: 'it was seen' } };
    },
  },
  'GET /api/kill-switch': { minimumRole: 'viewer', elsewhere: 'itsOwn' },
  'PUT /api/kill-switch': { minimumRole: 'supervisor', elsewhere: 'itsOwn', ask: () => ({ body: { scope: 'workspace', on: true, reason: 'deploy freeze' } }) },
};
