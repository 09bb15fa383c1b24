import { randomUUID } from 'node:crypto';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { setPerson } from '../../db/people.js';
import { adoptPolicy, changePolicy, type PolicyRow, readPolicy } from '../../db/policies.js';
import { createScript } from '../../db/scripts.js';
import { createToken, type NewToken } from '../../db/tokens.js';
import type { Role } from '../../domain/actor.js';
import type { GateKind } from '../../domain/gate.js';
import type { Policy } from '../../domain/policy.js';
import type { Workspace } from '../../domain/watch.js';
import type { Arena } from './arena.js';
import { type Caller, callers, type Making, patient, people, type Shape, shapes } from './shapes.js';
import { troubles } from './trouble.js';
import { plainScript } from '../builders.js';

export interface AuditEntry {
  readonly kind: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A workspace of the arena, with its people at the door of the API. */
export interface Desk {
  readonly shape: Shape;
  readonly workspace: Workspace;
  /** That of incidents which open while nobody changes it. */
  readonly policy: Policy;
  /** Of the plan that its incidents come to. */
  readonly title: string;
  /** Who has to approve such a plan. */
  readonly approvers: readonly Caller[];
  readonly reviewer: Caller | undefined;
  readonly waitsAt: GateKind;
  tokenOf(caller: Caller): string;
  /** Another token, of whomever. */
  mint(person: string, role: Role, options?: Partial<NewToken>): Promise<string>;
  /** The name of a group of the issuer whose people have this role here. */
  groupOf(role: Role): string;
  send(authorization: string | undefined, url: string, payload: InjectOptions['payload'], headers?: Readonly<Record<string, string>>, method?: 'POST' | 'PUT' | 'DELETE'): Promise<LightMyRequestResponse>;
  decide(caller: Caller, incident: { readonly id: string }, payload: object, headers?: Readonly<Record<string, string>>): Promise<LightMyRequestResponse>;
  get(url: string): Promise<LightMyRequestResponse>;
  /** The newest entry of the workspace's audit. */
  lastAudit(): Promise<AuditEntry | undefined>;
  readPolicy(): Promise<PolicyRow>;
  /** An admin changes the policy of today; that of an open incident stays as it was. */
  changePolicy(change: Partial<Policy>): Promise<void>;
  /** Somebody who may write to the database changes the policies, without a new version, to whatever. */
  rewritePolicy(change: object): Promise<void>;
  /** Somebody who may write to the database adds a policy; with the signature of the oldest that has one, if it is asked for. */
  forgePolicy(change: Partial<Policy>, withSignature: boolean): Promise<void>;
  /** Changes the policy back, where somebody changed it. */
  restorePolicy(): Promise<void>;
}

export async function openDesk(arena: Arena, shape: Shape): Promise<Desk> {
  const { db, app, sql, workspaces, issuer, signPolicy } = arena;
  const id = `${shape}-${randomUUID().slice(0, 8)}`;
  const { risk, approvers, reviewer, trouble = 'deletes', waitsAt = 'execution', command = "UPDATE app.actors SET rights = 'none' WHERE name = $1", hasFailed = false, policy: own }: Making = shapes[shape];
  const policy: Policy = { ...patient, ...own };
  // The file gives no autonomy: that takes a person's signature.
  const startingPolicy: Policy = { ...policy, autonomy: 'supervised' };
  const workspace: Workspace = {
    id,
    targets: ['shop-db', 'other-db'].map((name) => ({ kind: 'postgres', name, connection: { env: 'TARGET' }, executor: 'sql', detectors: [] })),
    alertRules: [],
    channels: [],
    sweepEveryMs: null,
    startingPolicy,
  };
  workspaces.set(id, workspace);
  arena.troubles.set(id, trouble);
  const writePolicy = async (wanted: Policy): Promise<void> => {
    const { version } = await readPolicy(db, id);
    await changePolicy(db, signPolicy, { workspaceId: id, policy: wanted, seen: version, changedBy: 'adam', reason: 'attack' });
  };
  await adoptPolicy(db, id, startingPolicy);
  if (policy.autonomy !== startingPolicy.autonomy) await writePolicy(policy);
  const title = 'Revoke Right To Delete';
  const { category, parameter } = troubles[trouble];
  const scriptId = randomUUID();
  await createScript(db, {
    id: scriptId,
    workspaceId: id,
    name: title,
    description: 'Takes away the right to delete of whoever deletes too much.',
    type: 'SQL',
    command,
    parameters: command.includes('$1') ? [parameter] : [],
    category,
    risk,
    estimatedDurationMs: 1_000,
    ...plainScript,
    enabled: true,
    createdBy: 'wim',
  });
  if (hasFailed) await recordFailures(arena, id, scriptId);
  const mint: Desk['mint'] = (person, role, options) => createToken(db, { workspaceId: id, person, role }, options);
  const groupOf = (role: Role): string => `${id}/${role}`;
  const tokens = new Map<Caller, string>();
  for (const person of callers) {
    const role = people[person];
    tokens.set(person, await mint(person, role));
    issuer.settings.groups[groupOf(role)] = { workspace: id, role };
    if (role !== 'agent') await setPerson(db, { workspaceId: id, person, role, slackUser: slackUserOf(person), changedBy: 'adam' });
  }
  const tokenOf = (caller: Caller): string => tokens.get(caller) ?? '';
  const send: Desk['send'] = (authorization, url, payload, headers = {}, method = 'POST') =>
    app.inject({ method, url, headers: { ...(authorization === undefined ? {} : { authorization }), ...headers }, ...(payload === undefined ? {} : { payload }) });
  let isChanged = false;
  await writePolicy(policy);

  return {
    shape,
    workspace,
    policy,
    title,
    approvers,
    reviewer,
    waitsAt,
    tokenOf,
    mint,
    groupOf,
    send,
    decide: (caller, incident, payload, headers) => send(`Bearer ${tokenOf(caller)}`, `/api/incidents/${incident.id}/decisions`, payload, headers),
    get: (url) => app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${tokenOf('vic')}` } }),
    async lastAudit() {
      const [row] = await sql<{ entry: string }>('select entry from audit where workspace_id = $1 order by seq desc limit 1', [id]);
      return row === undefined ? undefined : JSON.parse(row.entry);
    },
    readPolicy: () => readPolicy(db, id),
    async changePolicy(change) {
      isChanged = true;
      await writePolicy({ ...policy, ...change });
    },
    async rewritePolicy(change) {
      isChanged = true;
      await sql('update policies set policy = $2 where workspace_id = $1', [id, JSON.stringify({ ...policy, ...change })]);
    },
    async forgePolicy(change, withSignature) {
      isChanged = true;
      await sql(
        `insert into policies (workspace_id, version, policy, signature, changed_by, reason)
         select $1, max(version) + 1, $2, case when $3 then (array_agg(signature order by version) filter (where signature is not null))[1] end, 'adam', 'attack' from policies where workspace_id = $1`,
        [id, JSON.stringify({ ...policy, ...change }), withSignature],
      );
    },
    async restorePolicy() {
      if (isChanged) await writePolicy(policy);
      isChanged = false;
    },
  };
}

/** As Slack names somebody of the arena. */
export const slackUserOf = (person: string): string => `T1/U${person.toUpperCase()}`;

async function recordFailures({ sql }: Arena, workspaceId: string, scriptId: string): Promise<void> {
  const incidentId = randomUUID();
  await sql(
    `insert into incidents (id, workspace_id, trigger, title, fingerprint, labels, severity_threshold, phase, status, outcome, closed_at)
     values ($1::text::uuid, $2, 'alert', 'long ago', $1::text, '{}', 'LOW', 'CLOSED', 'FAILED', 'HANDED_OVER', now())`,
    [incidentId, workspaceId],
  );
  await sql(
    `insert into plans (incident_id, version, script_id, category, digest, canonical, confidence, rehearsal, verified_well)
     select $1, n, $2, 'longRunningQuery', n::text, '{}', '{}', '[]', false from generate_series(1, 20) n`,
    [incidentId, scriptId],
  );
}
