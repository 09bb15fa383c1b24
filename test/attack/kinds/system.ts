import { randomUUID } from 'node:crypto';
import { SYSTEM } from '../../../domain/actor.js';
import type { SignedDecision } from '../../../domain/grant.js';
import type { Kind } from '../kind.js';
import { type Meddler, type Meddling, readRefusal, toKind } from '../meddle.js';

const approvedAs = (it: Meddling, person: string, role: SignedDecision['role']): SignedDecision => ({
  decisionId: it.decisionId,
  workspaceId: it.incident.desk.workspace.id,
  incidentId: it.incident.id,
  gateId: it.gate.id,
  gateKind: 'execution',
  verdict: 'approve',
  digest: it.gate.digest,
  planVersion: it.gate.plan_version,
  person,
  role,
  decidedAt: Date.now(),
  expiresAt: Date.now() + 3_600_000,
});

/** Writes an approval down, and marks the gate as approved. */
async function write({ lane, incident, gate, decisionId }: Meddling, person: string, role: string, signature: string): Promise<void> {
  await lane.arena.sql("insert into decisions (id, workspace_id, incident_id, gate_id, verdict, digest, person, role, signature) values ($1, $2, $3, $4, 'approve', $5, $6, $7, $8)", [
    decisionId,
    incident.desk.workspace.id,
    incident.id,
    gate.id,
    gate.digest,
    person,
    role,
    signature,
  ]);
  await lane.arena.sql("update gates set state = 'approved', settled_at = now() where id = $1", [gate.id]);
}
const signed = async (it: Meddling, person: string, role: SignedDecision['role']): Promise<void> => write(it, person, role, await it.lane.arena.sign(approvedAs(it, person, role)));

const meddlers: readonly Meddler[] = [
  { name: 'SYSTEM forged in the record', shape: 'auto', approvals: 0, refusals: ['signatureInvalid'], meddle: (it) => write(it, SYSTEM, 'system', it.chance.pick(['', 'none', it.chance.hex(128)])) },
  {
    name: 'SYSTEM, signed for another gate',
    shape: 'auto',
    approvals: 0,
    refusals: ['signatureInvalid'],
    async meddle(it) {
      const other = await it.lane.take('auto');
      const honest = await other.approve();
      const [said] = await it.lane.arena.sql<{ signature: string }>('select signature from decisions where id = $1', [honest]);
      await write(it, SYSTEM, 'system', said?.signature ?? '');
    },
  },
  { name: 'SYSTEM, signed where people have to approve', approvals: 0, refusals: ['autonomyRevoked'], meddle: (it) => signed(it, SYSTEM, 'system') },
  { name: 'SYSTEM, signed where two supervisors have to approve', shape: 'grave', approvals: 0, refusals: ['autonomyRevoked'], meddle: (it) => signed(it, SYSTEM, 'system') },
  { name: 'SYSTEM, signed in observe mode', shape: 'observed', approvals: 0, refusals: ['observeOnly'], meddle: (it) => signed(it, SYSTEM, 'system') },
  { name: 'SYSTEM as the second of two', shape: 'paired', approvals: 1, refusals: ['tooFewApprovals'], meddle: (it) => signed({ ...it, decisionId: randomUUID() }, SYSTEM, 'system') },
  { name: 'a person with the role of SYSTEM', shape: 'auto', approvals: 0, refusals: ['signatureInvalid'], meddle: (it) => signed(it, it.chance.pick(['ana', 'System', 'SYSTEM ']), 'system') },
  {
    name: 'a token for SYSTEM, written into the database',
    approvals: 0,
    refusals: ['signatureInvalid'],
    async meddle(it) {
      const { desk, id } = it.incident;
      const tokenId = it.chance.uuid();
      const token = await desk.mint('eve', it.chance.pick(['responder', 'supervisor', 'admin']), { id: tokenId });
      await it.lane.arena.sql('update tokens set person = $2 where id = $1', [tokenId, SYSTEM]);
      await desk.send(`Bearer ${token}`, `/api/incidents/${id}/decisions`, { decisionId: it.decisionId, gateId: it.gate.id, digest: it.gate.digest, verdict: 'approve' });
    },
  },
  {
    name: 'the author let in by the record',
    approvals: 0,
    refusals: ['ownBytes'],
    async meddle(it) {
      await it.lane.arena.sql("update gates set excluded = '[]' where id = $1", [it.gate.id]);
      await it.incident.decide(it.gate, 'wim');
    },
  },
  {
    name: 'the review taken out of the record',
    shape: 'unsure',
    approvals: 0,
    refusals: ['notReviewed'],
    async meddle(it) {
      await it.lane.arena.sql('update gates set review_needed = false where id = $1', [it.gate.id]);
      await it.incident.decide(it.gate, 'sam');
    },
  },
  {
    name: 'a review deleted after the approval',
    shape: 'unsure',
    refusals: ['notReviewed'],
    meddle: (it) => it.lane.arena.sql("delete from decisions where gate_id = $1 and verdict = 'review'", [it.gate.id]),
  },
  {
    name: 'an observed gate that the record gives to people',
    shape: 'observed',
    approvals: 0,
    refusals: ['observeOnly'],
    async meddle(it) {
      await it.incident.desk.changePolicy({ autonomy: it.chance.pick(['supervised', 'confidence']) });
      await it.lane.arena.sql("update gates set mode = 'people' where id = $1", [it.gate.id]);
      await it.incident.decide(it.gate, it.chance.pick(['ana', 'sam']), 'approve');
    },
  },
  {
    name: 'an observed gate that the record gives to people, the glass broken',
    shape: 'observed',
    approvals: 0,
    refusals: ['observeOnly'],
    async meddle(it) {
      await it.lane.arena.sql("update gates set mode = 'people' where id = $1", [it.gate.id]);
      await it.incident.decide(it.gate, 'sam', 'breakGlass');
    },
  },
  {
    name: 'the policy loosened in the record, after the plan was frozen',
    shape: 'grave',
    approvals: 1,
    refusals: ['tooFewApprovals'],
    async meddle(it) {
      await it.incident.desk.rewritePolicy({ autonomy: it.chance.pick(['supervised', 'confidence']), approvals: { LOW: 0, MEDIUM: 0, HIGH: it.chance.below(2), CRITICAL: 0 } });
      await it.lane.arena.sql("update gates set approvals_needed = 1, state = 'approved', settled_at = now() where id = $1", [it.gate.id]);
    },
  },
];

/** Whoever wants to be taken for the policy, or has made the record ask for less. */
export const systemKinds: readonly Kind[] = [
  ...meddlers.map(toKind),
  {
    name: 'a policy in the record that asks for nobody',
    weight: 1,
    refusals: ['tooFewApprovals'],
    async attempt(lane, chance) {
      const desk = lane.desks.plain;
      const count = chance.below(2) - 1;
      // Of incidents that open from now on; or only at the claim, where it need not even be a number.
      const isEarly = chance.below(2) === 0;
      if (isEarly) await desk.rewritePolicy({ approvals: { LOW: count, MEDIUM: count, HIGH: count, CRITICAL: count } });
      const incident = await lane.take('plain');
      const gate = await incident.gate('execution');
      if (!isEarly) await desk.rewritePolicy({ approvals: {} });
      await lane.arena.sql("update gates set state = 'approved', settled_at = now() where id = $1", [gate.id]);
      await incident.signal('execution', chance.uuid());
      return { incident, refusedAs: await readRefusal(incident, 0), effects: 0 };
    },
  },
];
