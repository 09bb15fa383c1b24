import { sql } from 'drizzle-orm';
import { cancel, decide } from '../../../db/decisions.js';
import type { Database } from '../../../db/database.js';
import { throwSwitch } from '../../../db/kill-switch.js';
import { changePolicy, readPolicy } from '../../../db/policies.js';
import type { Chance } from '../chance.js';
import type { GateRow, Incident } from '../incident.js';
import { type DoorKind, toDoorKind, waitingAt } from '../knock.js';
import type { Lane } from '../lane.js';

interface Scoped {
  readonly name: string;
  readonly refusals: readonly string[];
  /** `theirs` sees the rows of another workspace only. */
  readonly act: (scoped: { readonly theirs: Database; readonly lane: Lane; readonly chance: Chance; readonly incident: Incident; readonly gate: GateRow }) => Promise<string>;
}

/** What Postgres says, where it says no. */
async function nameOf(act: () => Promise<string>): Promise<string> {
  try {
    return await act();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/row-level security/.test(message)) return 'row-level security';
    if (/permission denied/.test(message)) return 'permission denied';
    if (/has no policy yet/.test(message)) return 'no policy';
    throw error;
  }
}
const countRows = ({ rowCount }: { readonly rowCount: number | null }): string => (rowCount === 0 ? 'no row' : `${rowCount} rows`);

const scoped: readonly Scoped[] = [
  {
    name: "another workspace's connection decides",
    refusals: ['unknownGate'],
    async act({ theirs, lane, chance, incident, gate }) {
      const workspaceId = chance.pick([incident.desk.workspace.id, lane.desks.paired.workspace.id]);
      const actor = { person: chance.pick(['ana', 'sam', 'adam']), role: chance.pick(['supervisor', 'admin'] as const), workspaceId };
      const verdict = chance.pick(['approve', 'breakGlass'] as const);
      return (await decide(theirs, lane.arena.sign, incident.id, { id: chance.uuid(), gateId: gate.id, verdict, digest: gate.digest, actor, reason: 'so', confirmation: incident.desk.title })).kind;
    },
  },
  {
    name: "another workspace's connection cancels",
    refusals: ['unknownIncident'],
    act: async ({ theirs, lane, chance, incident }) => (await cancel(theirs, lane.arena.sign, { id: chance.uuid(), incidentId: incident.id, actor: { person: 'sam', role: 'admin', workspaceId: incident.desk.workspace.id }, reason: 'so' })).kind,
  },
  {
    name: "another workspace's connection writes to the gate",
    refusals: ['no row'],
    act: async ({ theirs, chance, incident, gate }) =>
      countRows(
        await theirs.execute(
          chance.pick([
            sql`update gates set state = 'approved', settled_at = now() where id = ${gate.id}`,
            sql`update gates set approvals_needed = 0, mode = 'policy', excluded = '[]' where incident_id = ${incident.id}`,
            sql`update incidents set severity = 'LOW' where id = ${incident.id}`,
          ]),
        ),
      ),
  },
  {
    name: "another workspace's connection writes a decision, a policy or a token",
    refusals: ['row-level security', 'permission denied'],
    act: async ({ theirs, lane, chance, incident, gate }) => {
      const { id: workspaceId } = incident.desk.workspace;
      const own = lane.desks.paired.workspace.id;
      const decision = (workspace: string) => sql`insert into decisions (id, workspace_id, incident_id, gate_id, verdict, digest, person, role, signature) values (${chance.uuid()}, ${workspace}, ${incident.id}, ${gate.id}, 'approve', ${gate.digest}, 'sam', 'supervisor', 'x')`;
      return countRows(
        await theirs.execute(
          chance.pick([
            decision(workspaceId),
            decision(own),
            sql`insert into policies (workspace_id, version, policy, changed_by, reason) values (${workspaceId}, 999999, '{}', 'eve', 'so')`,
            sql`insert into tokens (id, token_hash, workspace_id, person, role, name, created_by, expires_at) values (${chance.uuid()}, ${chance.hex(64)}, ${workspaceId}, 'eve', 'admin', 'x', 'eve', now() + interval '1 hour')`,
            sql`insert into people (workspace_id, person, role, slack_user, changed_by) values (${workspaceId}, 'eve', 'admin', 'T1/UEVE', 'eve')`,
          ]),
        ),
      );
    },
  },
  {
    name: "another workspace's connection changes the policy or the kill switch",
    refusals: ['row-level security', 'no policy'],
    act: async ({ theirs, lane, chance, incident }) => {
      const { id: workspaceId } = incident.desk.workspace;
      const { policy, version } = await readPolicy(lane.arena.db, workspaceId);
      if (chance.below(2) === 0) return (await changePolicy(theirs, lane.arena.signPolicy, { workspaceId, policy: { ...policy, autonomy: 'confidence' }, seen: version, changedBy: 'eve', reason: 'so' })).kind;
      await throwSwitch(theirs, { workspaceId, scope: 'workspace', on: true, person: 'eve', reason: 'so' });
      return 'thrown';
    },
  },
  {
    name: 'the policy rewritten or lowered, by the role of the worker or of requests',
    refusals: ['permission denied'],
    act: async ({ lane, chance, incident }) => {
      const { id } = incident.desk.workspace;
      const db = chance.pick([lane.arena.db, lane.arena.requests.in(id)]);
      return countRows(await db.execute(chance.pick([sql`update policies set policy = jsonb_set(policy, '{autonomy}', '"confidence"') where workspace_id = ${id}`, sql`delete from policies where workspace_id = ${id}`])));
    },
  },
  {
    name: 'a plan, a claim or the audit rewritten, by the role of requests',
    refusals: ['permission denied'],
    act: async ({ lane, chance, incident }) => {
      const own = lane.arena.requests.in(incident.desk.workspace.id);
      return countRows(
        await own.execute(
          chance.pick([
            sql`update plans set canonical = '{}' where incident_id = ${incident.id}`,
            sql`update decisions set person = 'sam' where incident_id = ${incident.id}`,
            sql`delete from executions where incident_id = ${incident.id}`,
            sql`update audit set entry = '{}'`,
            sql`update tokens set role = 'admin'`,
          ]),
        ),
      );
    },
  },
];

/** Whoever has found a way around the API's own words to the database, with the roles that it and the worker have. */
export const scopeKinds = scoped.map(({ name, refusals, act }) =>
  toDoorKind({
    name,
    weight: 6,
    refusals,
    at: waitingAt('plain'),
    knock: ({ lane, chance, incident, gate }) => nameOf(() => act({ theirs: lane.arena.requests.in(lane.desks.paired.workspace.id), lane, chance, incident, gate })),
  } satisfies DoorKind),
);
