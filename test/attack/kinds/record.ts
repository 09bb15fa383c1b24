import type { Plan, Step } from '../../../domain/plan.js';
import { freeze } from '../../../activities/digest.js';
import { GRANT_VALID_MS } from '../../../domain/grant.js';
import { type Meddler, type Meddling, toKind } from '../meddle.js';

type Write<Value> = { -readonly [Name in keyof Value]: Value[Name] };

/** Rewrites the plan's text in the record, and leaves its digest. */
async function rewrite({ lane, incident, gate }: Meddling, change: (plan: Plan) => object): Promise<void> {
  const [row] = await lane.arena.sql<{ canonical: string }>('select canonical from plans where incident_id = $1 and digest = $2', [incident.id, gate.digest]);
  const plan = JSON.parse(row?.canonical ?? '') as Plan;
  await lane.arena.sql('update plans set canonical = $3 where incident_id = $1 and digest = $2', [incident.id, gate.digest, freeze({ ...plan, ...change(plan) }).canonical]);
}
const changeStep = (plan: Plan, change: Partial<Write<Step>>): object => ({ steps: plan.steps.map((step) => ({ ...step, ...change })) });
const gateRow = ({ lane, gate }: Meddling, set: string, ...values: readonly unknown[]) => lane.arena.sql(`update gates set ${set} where id = $1`, [gate.id, ...values]);
const decisionRow = ({ lane, decisionId }: Meddling, set: string, ...values: readonly unknown[]) => lane.arena.sql(`update decisions set ${set} where id = $1`, [decisionId, ...values]);
const evil = ["UPDATE app.actors SET rights = 'none'", 'DELETE FROM app.actors WHERE name = $1', "UPDATE app.actors SET rights = 'none' WHERE name = $1 ", "UPDATE app.actors SET rights = 'all' WHERE name = $1"];

const meddlers: readonly Meddler[] = [
  { name: 'swapped bytes', refusals: ['planAltered'], meddle: (it) => rewrite(it, (plan) => changeStep(plan, { script: it.chance.pick(evil) })) },
  { name: 'swapped parameters', refusals: ['planAltered'], meddle: (it) => rewrite(it, (plan) => changeStep(plan, { parameters: [`actor-${it.chance.uuid()}`] })) },
  { name: 'swapped target', refusals: ['planAltered'], meddle: (it) => rewrite(it, (plan) => changeStep(plan, { target: 'other-db' })) },
  { name: 'swapped limit', refusals: ['planAltered'], meddle: (it) => rewrite(it, (plan) => changeStep(plan, { timeoutMs: 30_001 + it.chance.below(100_000) })) },
  {
    name: 'swapped snapshot plan',
    refusals: ['planAltered'],
    meddle: (it) =>
      rewrite(it, (plan) =>
        changeStep(plan, it.chance.pick<Partial<Write<Step>>>([{ wayBack: { kind: 'oneWay', because: 'so' } }, { wayBack: { kind: 'snapshot', of: 'rows', keptMs: 1 } }, { pins: null }, { pins: { before: it.chance.hex(64), after: null } }, { reach: 'session' }])),
      ),
  },
  {
    name: 'swapped policy',
    refusals: ['planAltered'],
    meddle: (it) => rewrite(it, () => it.chance.pick([{ policyVersion: it.chance.hex(12) }, { ruling: { kind: 'gate', approvalsNeeded: 0, roleNeeded: 'responder' } }, { tier: 'LOW' }, { risk: 'LOW' }, { version: 2 }])),
  },
  { name: 'plan text with another space', refusals: ['planAltered'], meddle: ({ lane, incident }) => lane.arena.sql("update plans set canonical = canonical || ' ' where incident_id = $1", [incident.id]) },
  { name: 'deleted plan', refusals: ['planMissing'], meddle: ({ lane, incident }) => lane.arena.sql('delete from plans where incident_id = $1', [incident.id]) },
  {
    name: 'digest recomputed everywhere',
    refusals: ['planMissing'],
    async meddle(it) {
      await rewrite(it, (plan) => changeStep(plan, { script: it.chance.pick(evil) }));
      for (const table of ['plans', 'gates', 'decisions']) {
        await it.lane.arena.sql(`update ${table} set digest = (select encode(sha256(convert_to(canonical, 'UTF8')), 'hex') from plans where incident_id = $1 and version = 1) where incident_id = $1`, [it.incident.id]);
      }
    },
  },
  {
    name: "another incident's plan",
    refusals: ['planAltered'],
    async meddle({ lane, incident }) {
      const other = await lane.waiting('plain');
      await lane.arena.sql('update plans set canonical = (select canonical from plans where incident_id = $2 limit 1) where incident_id = $1', [incident.id, other.id]);
    },
  },
  { name: 'gate for another digest', refusals: ['digestMismatch'], meddle: (it) => gateRow(it, 'digest = $2', it.chance.hex(64)) },
  { name: 'gate of another kind', refusals: ['gateNotApproved'], meddle: (it) => gateRow(it, 'kind = $2', it.chance.pick(['verification', 'needsHuman'])) },
  { name: 'deleted gate', refusals: ['GateMissing'], failsAs: 'GateMissing', meddle: ({ lane, gate }) => lane.arena.sql('delete from gates where id = $1', [gate.id]) },
  { name: 'gate of another incident', refusals: ['GateMissing'], failsAs: 'GateMissing', meddle: (it) => gateRow(it, 'incident_id = $2', it.chance.uuid()) },
  { name: 'incident closed in the record', refusals: ['incidentClosed'], meddle: ({ lane, incident }) => lane.arena.sql("update incidents set phase = 'CLOSED', status = 'SUCCESS', outcome = 'RESOLVED', closed_at = now() where id = $1", [incident.id]) },
  { name: 'incident of another workspace', refusals: ['incidentClosed'], meddle: ({ lane, incident }) => lane.arena.sql('update incidents set workspace_id = $2 where id = $1', [incident.id, lane.desks.grave.workspace.id]) },
  { name: 'another person put in', refusals: ['signatureInvalid'], meddle: (it) => decisionRow(it, 'person = $2', it.chance.pick(['bo', 'eve', 'Ana', 'ana '])) },
  { name: 'deleted decision', refusals: ['tooFewApprovals'], meddle: ({ lane, decisionId }) => lane.arena.sql('delete from decisions where id = $1', [decisionId]) },
  { name: 'signature with another character', refusals: ['signatureInvalid'], meddle: (it) => decisionRow(it, "signature = overlay(signature placing case when substr(signature, $2, 1) = 'A' then 'B' else 'A' end from $2 for 1)", 1 + it.chance.below(200)) },
  { name: 'signature cut off', refusals: ['signatureInvalid'], meddle: (it) => decisionRow(it, 'signature = left(signature, $2)', it.chance.below(300)) },
  {
    name: 'a rejection turned into an approval',
    refusals: ['signatureInvalid'],
    approvals: 0,
    async meddle({ lane, incident, gate }) {
      await incident.decide(gate, 'ana', 'reject');
      await lane.arena.sql("update decisions set verdict = 'approve' where gate_id = $1", [gate.id]);
      await lane.arena.sql("update gates set state = 'approved' where id = $1", [gate.id]);
    },
  },
  { name: 'gate marked as approved, nobody decided', refusals: ['tooFewApprovals'], approvals: 0, meddle: (it) => gateRow(it, "state = 'approved', settled_at = now()") },
  { name: 'fewer approvals asked for in the record', refusals: ['tooFewApprovals'], shape: 'grave', approvals: 1, meddle: (it) => gateRow(it, "approvals_needed = 1, state = 'approved', settled_at = now()") },
  {
    name: 'a lower gate before anybody approves',
    refusals: ['tooFewApprovals', 'roleTooLow'],
    shape: 'grave',
    approvals: 0,
    async meddle(it) {
      await gateRow(it, "approvals_needed = $2, role_needed = 'responder'", it.chance.pick([0, 1, 2]));
      // Honest people at a gate that was made to ask for less than the plan's ruling.
      for (const caller of ['ana', 'bo'] as const) await it.incident.desk.decide(caller, it.incident, { gateId: it.gate.id, digest: it.gate.digest, verdict: 'approve', confirmation: it.incident.desk.title });
    },
  },
  {
    name: 'another plan version at the gate',
    refusals: ['signatureInvalid'],
    approvals: 0,
    async meddle(it) {
      await gateRow(it, 'plan_version = $2', 2 + it.chance.below(9));
      await it.incident.decide(it.gate, 'ana');
    },
  },
  { name: 'kill switch before the claim', refusals: ['killSwitch'], meddle: (it) => it.lane.throwKillSwitch(it.incident.desk) },
  {
    name: 'kill switch between claim and beginning',
    refusals: ['the kill switch is on'],
    meddle: async (it) => void it.lane.arena.ambushes.set(it.incident.id, it.chance.pick([{ afterClaim: () => it.lane.throwKillSwitch(it.incident.desk) }, { beforeRun: () => it.lane.throwKillSwitch(it.incident.desk) }])),
  },
  {
    name: 'swapped bytes between claim and run',
    refusals: ['the plan in the record is not the one that was approved'],
    meddle: async (it) => void it.lane.arena.ambushes.set(it.incident.id, { afterClaim: () => rewrite(it, (plan) => changeStep(plan, { script: it.chance.pick(evil) })) }),
  },
  {
    name: 'swapped snapshot between claim and run',
    refusals: ['snapshotAltered', 'the snapshot is not the one of what was approved'],
    meddle: async (it) =>
      void it.lane.arena.ambushes.set(it.incident.id, { afterClaim: async () => void (await it.lane.arena.sql('update executions set snapshot = $2 where incident_id = $1', [it.incident.id, JSON.stringify([[[it.incident.actor], `(${it.incident.actor},none)`]])])) }),
  },
  {
    name: 'an approval that is too old',
    refusals: ['grantExpired'],
    async meddle(it) {
      const { incident, gate, decisionId, chance, lane } = it;
      const expiresAt = Date.now() - 1 - chance.below(100_000);
      const { workspaceId, id: incidentId } = { workspaceId: incident.desk.workspace.id, id: incident.id };
      const old = { decisionId, workspaceId, incidentId, gateId: gate.id, gateKind: 'execution', verdict: 'approve', digest: gate.digest, planVersion: gate.plan_version, person: 'ana', role: 'responder', decidedAt: expiresAt - GRANT_VALID_MS, expiresAt };
      await decisionRow(it, 'signature = $2', await lane.arena.keyring.sign('decision', old));
    },
  },
];

/** Whoever writes to the record, but cannot sign. */
export const recordKinds = meddlers.map(toKind);
