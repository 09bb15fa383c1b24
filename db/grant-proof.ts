import { and, eq } from 'drizzle-orm';
import type { Connection } from './database.js';
import { readPolicies } from './policies.js';
import { decisions, executions, gates, plans } from './schema.js';

/** What the record says to prove that an execution was granted, as far as its signatures say it too. Undefined for a key that is not in the ledger. */
export async function readGrantProof(db: Connection, workspaceId: string, key: string) {
  const [execution] = await db.select().from(executions).where(and(eq(executions.key, key), eq(executions.workspaceId, workspaceId)));
  if (execution === undefined) return undefined;
  const { kind, incidentId, stepId, digest, grantId } = execution;
  const ofIncident = eq(decisions.incidentId, incidentId);
  const [plan] = await db.select({ canonical: plans.canonical, verifiedWell: plans.verifiedWell }).from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest)));
  const [decision] = await db.select().from(decisions).where(and(eq(decisions.id, grantId), ofIncident));
  const [gate] = await db.select().from(gates).where(and(eq(gates.id, decision?.gateId ?? grantId), eq(gates.incidentId, incidentId)));
  const said = decision === undefined ? await db.select().from(decisions).where(and(eq(decisions.gateId, grantId), ofIncident)) : [decision];
  return {
    key,
    kind,
    stepId,
    digest,
    canonical: plan?.canonical ?? '',
    verificationFailed: plan?.verifiedWell === false,
    gate: gate === undefined ? null : { id: gate.id, kind: gate.kind, state: gate.state, digest: gate.digest },
    /** The decision that a rollback was granted by; null where the policy did. */
    decisionId: decision?.id ?? null,
    decisions: said.map(({ id, verdict, person, signature }) => ({ id, verdict, person, signature })),
    policies: (await readPolicies(db, workspaceId)).map(({ version, policy, signature }) => ({ workspaceId, version, policy, signature })),
  };
}
