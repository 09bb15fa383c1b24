import { and, eq } from 'drizzle-orm';
import type { Connection } from './database.js';
import { readPolicies } from './policies.js';
import { decisions, executions, gates, plans } from './schema.js';

/** What the record says to prove that an execution was granted, as far as its signatures say it too. Undefined for a key that is not in the ledger. */
export async function readGrantProof(db: Connection, workspaceId: string, key: string) {
  const [execution] = await db.select().from(executions).where(and(eq(executions.key, key), eq(executions.workspaceId, workspaceId)));
  if (execution === undefined) return undefined;
  const { kind, incidentId, stepId, digest, grantId } = execution;
  const [plan] = await db.select({ canonical: plans.canonical, verifiedWell: plans.verifiedWell }).from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest)));
  const ofStep = and(eq(executions.incidentId, incidentId), eq(executions.digest, digest), eq(executions.stepId, stepId));
  const [ran] = kind === 'execute' ? [execution] : await db.select().from(executions).where(and(ofStep, eq(executions.kind, 'execute')));
  return {
    key,
    kind,
    stepId,
    digest,
    canonical: plan?.canonical ?? '',
    verificationFailed: plan?.verifiedWell === false,
    /** What the plan was approved by. */
    execution: ran === undefined ? { gate: null, decisions: [] } : await readGrant(db, incidentId, ran.grantId),
    /** What a rollback was granted by: one decision, or none where the policy did; null for what is none. */
    rollback: kind === 'execute' ? null : await readGrant(db, incidentId, grantId),
    policies: (await readPolicies(db, workspaceId)).map(({ version, policy, signature }) => ({ workspaceId, version, policy, signature })),
  };
}

async function readGrant(db: Connection, incidentId: string, grantId: string) {
  const ofIncident = eq(decisions.incidentId, incidentId);
  const [decision] = await db.select().from(decisions).where(and(eq(decisions.id, grantId), ofIncident));
  const [gate] = await db.select().from(gates).where(and(eq(gates.id, decision?.gateId ?? grantId), eq(gates.incidentId, incidentId)));
  const said = decision === undefined ? await db.select().from(decisions).where(and(eq(decisions.gateId, grantId), ofIncident)) : [decision];
  return {
    gate: gate === undefined ? null : { id: gate.id, kind: gate.kind, state: gate.state, digest: gate.digest },
    decisions: said.map(({ id, verdict, person, signature }) => ({ id, verdict, person, signature })),
  };
}
