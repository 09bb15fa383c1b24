import { randomUUID } from 'node:crypto';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { createScript } from '../../db/scripts.js';
import { createToken } from '../../db/tokens.js';
import type { Role } from '../../domain/actor.js';
import type { Policy } from '../../domain/policy.js';
import type { Workspace } from '../../domain/watch.js';
import type { Arena } from './arena.js';

const people = { ana: 'responder', bo: 'responder', sam: 'supervisor', sue: 'supervisor', vic: 'viewer', rob: 'agent' } as const satisfies Readonly<Record<string, Role>>;
export type Caller = keyof typeof people;

const patient: Policy = {
  gateWaitMs: 3_600_000,
  gateRemindMs: 1_800_000,
  verificationEscalateMs: 1_800_000,
  stabilizationMs: 200,
  maxRounds: 3,
  approvals: { LOW: 1, MEDIUM: 1, HIGH: 2, CRITICAL: 2 },
  onFailedVerification: 'ask',
  snapshotKeptMs: 3_600_000,
};

/** What kind of incidents a workspace has. `grave`: two supervisors have to type what they approve. */
const shapes = {
  plain: { risk: 'MEDIUM', policy: {}, approvers: ['ana'] },
  grave: { risk: 'HIGH', policy: {}, approvers: ['sam', 'sue'] },
  hasty: { risk: 'MEDIUM', policy: { gateWaitMs: 1_500 }, approvers: ['ana'] },
  forgetful: { risk: 'MEDIUM', policy: { snapshotKeptMs: 1 }, approvers: ['ana'] },
} as const;
export type Shape = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as readonly Shape[];

export interface AuditEntry {
  readonly kind: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A workspace of the arena, with its people at the door of the API. */
export interface Desk {
  readonly shape: Shape;
  readonly workspace: Workspace;
  readonly policy: Policy;
  /** Of the plan that its incidents come to. */
  readonly title: string;
  /** Who has to approve such a plan. */
  readonly approvers: readonly Caller[];
  tokenOf(caller: Caller): string;
  send(authorization: string | undefined, url: string, payload: InjectOptions['payload'], headers?: Readonly<Record<string, string>>): Promise<LightMyRequestResponse>;
  decide(caller: Caller, incident: { readonly id: string }, payload: object, headers?: Readonly<Record<string, string>>): Promise<LightMyRequestResponse>;
  get(url: string): Promise<LightMyRequestResponse>;
  /** The newest entry of the workspace's audit. */
  lastAudit(): Promise<AuditEntry | undefined>;
  /** The policy of today; that of an open incident stays as it was. */
  changePolicy(change: Partial<Policy>): void;
}

export async function openDesk(arena: Arena, shape: Shape): Promise<Desk> {
  const { db, app, sql, workspaces } = arena;
  const id = `${shape}-${randomUUID().slice(0, 8)}`;
  const { risk, approvers } = shapes[shape];
  const policy: Policy = { ...patient, ...shapes[shape].policy };
  const workspace: Workspace = {
    id,
    targets: ['shop-db', 'other-db'].map((name) => ({ kind: 'postgres', name, connection: { env: 'TARGET' }, executor: 'sql', detectors: [] })),
    alertRules: [],
    sweepEveryMs: null,
    policy,
  };
  workspaces.set(id, workspace);
  const title = 'Revoke Right To Delete';
  await createScript(db, {
    id: randomUUID(),
    workspaceId: id,
    name: title,
    description: 'Takes away the right to delete of whoever deletes too much.',
    type: 'SQL',
    command: "UPDATE app.actors SET rights = 'none' WHERE name = $1",
    parameters: ['actor'],
    category: 'massDeletion',
    risk,
    estimatedDurationMs: 1_000,
    enabled: true,
    createdBy: 'attack',
  });
  const tokens = new Map<Caller, string>();
  for (const [person, role] of Object.entries(people)) tokens.set(person as Caller, await createToken(db, { workspaceId: id, person, role }));
  const tokenOf = (caller: Caller): string => tokens.get(caller) ?? '';
  const send: Desk['send'] = (authorization, url, payload, headers = {}) =>
    app.inject({ method: 'POST', url, headers: { ...(authorization === undefined ? {} : { authorization }), ...headers }, ...(payload === undefined ? {} : { payload }) });

  return {
    shape,
    workspace,
    policy,
    title,
    approvers,
    tokenOf,
    send,
    decide: (caller, incident, payload, headers) => send(`Bearer ${tokenOf(caller)}`, `/api/incidents/${incident.id}/decisions`, payload, headers),
    get: (url) => app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${tokenOf('vic')}` } }),
    async lastAudit() {
      const [row] = await sql<{ entry: string }>('select entry from audit where workspace_id = $1 order by seq desc limit 1', [id]);
      return row === undefined ? undefined : JSON.parse(row.entry);
    },
    changePolicy(change) {
      workspaces.set(id, { ...workspace, policy: { ...policy, ...change } });
    },
  };
}
