import { randomUUID } from 'node:crypto';
import type { Chance } from '../chance.js';
import type { GateRow, Incident } from '../incident.js';
import type { Kind } from '../kind.js';
import type { Lane } from '../lane.js';
import { readRefusal } from '../meddle.js';
import { startRollback } from '../raw.js';
import type { Shape } from '../shapes.js';

interface Rolling {
  readonly lane: Lane;
  readonly chance: Chance;
  readonly incident: Incident;
  /** The open verification gate. */
  readonly gate: GateRow;
  /** The person's rejection that is to take it back. */
  readonly decisionId: string;
}

interface RollbackKind {
  readonly name: string;
  readonly refusals: readonly string[];
  readonly shape?: Shape;
  readonly meddle: (rolling: Rolling) => Promise<unknown>;
}

const write = ({ lane, incident }: Rolling, text: string, ...values: readonly unknown[]) => lane.arena.sql(text, [incident.id, ...values]);

/** Somebody rejects the outcome at the verification gate; before the workflow hears of it, the record or the target is another. */
const rejections: readonly RollbackKind[] = [
  { name: 'rollback with a swapped snapshot', refusals: ['snapshotAltered'], meddle: (it) => write(it, 'update executions set snapshot = $2 where incident_id = $1', it.chance.pick(['[]', '', JSON.stringify([[[it.incident.actor], `(${it.incident.actor},evil)`]])])) },
  { name: 'rollback without a snapshot', refusals: ['snapshotExpired'], meddle: (it) => write(it, 'update executions set snapshot = null where incident_id = $1') },
  { name: 'rollback after its snapshot expired', refusals: ['snapshotExpired'], shape: 'forgetful', meddle: async () => {} },
  { name: 'rollback of a plan that was rewritten', refusals: ['planAltered'], meddle: (it) => write(it, `update plans set canonical = replace(canonical, 'name = $1', 'true') where incident_id = $1`) },
  { name: 'rollback, the kill switch thrown', refusals: ['killSwitch'], meddle: ({ lane, incident }) => lane.throwKillSwitch(incident.desk) },
  { name: 'rollback by a decision whose row was rewritten', refusals: ['signatureInvalid'], meddle: (it) => write(it, `update decisions set ${it.chance.pick(["person = 'eve'", "verdict = 'rollBack'", "signature = 'none'"])} where incident_id = $1 and id = $2`, it.decisionId).then(() => write(it, "update gates set state = case when exists (select from decisions where id = $2 and verdict = 'rollBack') then 'rollbackRequested' else state end where id = $3 and incident_id = $1", it.decisionId, it.gate.id)) },
  { name: 'rollback of a target that changed since', refusals: ['changed since the step ran'], meddle: ({ lane, incident, chance }) => lane.arena.target.set(incident.actor, chance.hex(8)) },
  {
    name: 'rollback of a target that changed since, and the ledger says so too',
    refusals: ['snapshotAltered'],
    async meddle(it) {
      const rights = it.chance.hex(8);
      await it.lane.arena.target.set(it.incident.actor, rights);
      await write(it, "update executions set handle = replace(handle, ',none)', ',' || $2 || ')') where incident_id = $1", rights);
    },
  },
];

const forgedRejection: Kind = {
  name: 'rollback by a forged rejection',
  weight: 1,
  refusals: ['signatureInvalid'],
  async attempt(lane, chance) {
    const incident = await lane.take('plain');
    const gate = await incident.run();
    const seq = await incident.seq();
    const id = randomUUID();
    const verdict = chance.pick(['reject', 'rollBack']);
    await lane.arena.sql(
      "insert into decisions (id, workspace_id, incident_id, gate_id, verdict, digest, person, role, signature) select $1, workspace_id, incident_id, id, $3, digest, 'sam', 'supervisor', coalesce($4, (select signature from decisions d where d.incident_id = gates.incident_id limit 1)) from gates where id = $2",
      [id, gate.id, verdict, chance.pick(['none', null])],
    );
    await lane.arena.sql('update gates set state = $2, settled_at = now() where id = $1', [gate.id, verdict === 'reject' ? 'rejected' : 'rollbackRequested']);
    await incident.signal('verification', id);
    return { incident, refusedAs: await readRefusal(incident, seq), effects: 1 };
  },
};

async function resolve(lane: Lane): Promise<{ readonly incident: Incident; readonly gate: GateRow }> {
  const incident = await lane.take('plain');
  const gate = await incident.gate('execution');
  await incident.run();
  await incident.answer('verification', 'ana');
  await incident.handle.result();
  return { incident, gate };
}

/** A supervisor asks by call; answers with the decision. */
async function ask(incident: Incident): Promise<string> {
  const reply = await incident.desk.send(`Bearer ${incident.desk.tokenOf('sam')}`, `/api/incidents/${incident.id}/rollback`, { reason: 'customers complain' });
  if (reply.statusCode !== 202) throw new Error(`an honest rollback was refused: ${reply.body}`);
  return reply.json<{ readonly decisionId: string }>().decisionId;
}

async function startAndRead(lane: Lane, incident: Incident, gate: GateRow, decisionId: string): Promise<string> {
  const seq = await incident.seq();
  const handle = await startRollback(lane, incident, gate.digest, decisionId);
  try {
    return await readRefusal(incident, seq);
  } finally {
    await handle.terminate('the try is over').catch(() => {});
  }
}

const later: readonly Kind[] = [
  {
    name: 'rollback started raw, by a decision that is none for it',
    weight: 1,
    refusals: ['signatureInvalid'],
    async attempt(lane, chance) {
      const { incident, gate } = await resolve(lane);
      const other = await lane.take('plain');
      const elsewhere = await other.decide(await other.gate('execution'), 'ana');
      const own = await lane.arena.sql<{ id: string }>('select id from decisions where incident_id = $1', [incident.id]);
      return { incident, refusedAs: await startAndRead(lane, incident, gate, chance.pick([chance.uuid(), elsewhere, ...own.map(({ id }) => id)])), effects: 1 };
    },
  },
  {
    name: 'rollback twice by one decision',
    weight: 1,
    refusals: ['alreadyUsed'],
    async attempt(lane) {
      const { incident, gate } = await resolve(lane);
      const decisionId = await ask(incident);
      await (await startRollback(lane, incident, gate.digest, decisionId)).result();
      // As the step had left it, so that taking it back would do something.
      await lane.arena.target.set(incident.actor, 'none');
      return { incident, refusedAs: await startAndRead(lane, incident, gate, decisionId), effects: 2 };
    },
  },
  {
    name: 'rollback by a decision after which somebody left it as it is',
    weight: 1,
    refusals: ['alreadyUsed'],
    async attempt(lane) {
      const { incident, gate } = await resolve(lane);
      const decisionId = await ask(incident);
      await lane.arena.target.set(incident.actor, 'some');
      const handle = await startRollback(lane, incident, gate.digest, decisionId);
      const asked = await incident.gate('needsHuman');
      await incident.signal('needsHuman', await incident.decide(asked, 'ana', 'reject'), handle);
      await handle.result();
      await lane.arena.target.set(incident.actor, 'none');
      return { incident, refusedAs: await startAndRead(lane, incident, gate, decisionId), effects: 1 };
    },
  },
  {
    name: 'rollback in the name of the policy, by whoever may call activities',
    weight: 1,
    refusals: ['notAutomatic'],
    async attempt(lane) {
      const incident = await lane.exhibit('ran', 'plain', (ran) => ran.run());
      const { digest } = await incident.gate('verification');
      const { desk, id: incidentId } = incident;
      const claim = await lane.arena.activities.claimRollback({ workspaceId: desk.workspace.id, incidentId, digest, claimId: randomUUID(), cause: { kind: 'policy' }, policy: { ...desk.policy, onFailedVerification: 'rollBack' } });
      return { incident, refusedAs: claim.kind === 'refused' ? claim.because : claim.kind, effects: 1 };
    },
  },
];

/** Whoever wants to have something taken back that nobody asked to. */
export const rollbackKinds: readonly Kind[] = [
  ...rejections.map(
    ({ name, refusals, shape = 'plain', meddle }): Kind => ({
      name,
      weight: 1,
      refusals,
      async attempt(lane, chance) {
        const incident = await lane.take(shape);
        const gate = await incident.run();
        const decisionId = await incident.decide(gate, 'ana', 'reject');
        const seq = await incident.seq();
        await meddle({ lane, chance, incident, gate, decisionId });
        await incident.signal('verification', decisionId);
        return { incident, refusedAs: await readRefusal(incident, seq), effects: 1 };
      },
    }),
  ),
  forgedRejection,
  ...later,
];
