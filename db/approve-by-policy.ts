import { createHash, randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { SYSTEM } from '../domain/actor.js';
import type { Plan } from '../domain/plan.js';
import { judgePlan, toStricter } from '../domain/policy.js';
import { notify } from './channels.js';
import { readClock } from './clock.js';
import type { Database } from './database.js';
import { audit, type SignDecision, toSigned } from './decisions.js';
import { readKillSwitch } from './kill-switch.js';
import { readPast } from './past.js';
import { type PolicyRow, readPolicy } from './policies.js';
import { decisions, gates, outbox, plans } from './schema.js';

/** The open gates whose plan the policy let run by itself when it was frozen. */
export async function listGatesForPolicy(db: Database): Promise<readonly string[]> {
  const rows = await db.select({ id: gates.id }).from(gates).where(and(eq(gates.state, 'open'), eq(gates.mode, 'policy'))).limit(100);
  return rows.map(({ id }) => id);
}

/**
 * Signs for a gate as SYSTEM, where the policy of now lets its plan run by itself, too; judged from the very text that is at the gate.
 * Otherwise it is left to people: also where `isSound` does not know the policy for one that a person signed, or the plan's scripts for ones that its rules allow.
 */
export async function approveByPolicy(db: Database, sign: SignDecision, isSound: (policy: PolicyRow, plan: Plan) => Promise<boolean>, gateId: string): Promise<boolean> {
  const approved = await db.transaction(async (tx) => {
    const [gate] = await tx.select().from(gates).where(and(eq(gates.id, gateId), eq(gates.state, 'open'), eq(gates.mode, 'policy'), eq(gates.kind, 'execution'))).for('update');
    if (gate?.digest == null) return false;
    const { workspaceId, incidentId, digest } = gate;
    const now = await readClock(tx);
    if ((gate.expiresAt !== null && now >= gate.expiresAt) || (await readKillSwitch(tx, workspaceId))) return false;
    const [stored] = await tx.select({ canonical: plans.canonical }).from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest)));
    if (stored === undefined || createHash('sha256').update(stored.canonical).digest('hex') !== digest) return false;
    const plan = JSON.parse(stored.canonical) as Plan;
    if (plan.workspaceId !== workspaceId || plan.incidentId !== incidentId) return false;
    const row = await readPolicy(tx, workspaceId);
    const { policy, version } = row;
    const ruling = toStricter(plan.ruling, judgePlan(plan, plan.tier, policy, await readPast(tx, plan, policy)));
    if (ruling.kind !== 'auto' || !(await isSound(row, plan))) return false;

    const content = { id: randomUUID(), workspaceId, incidentId, gateId, verdict: 'approve' as const, digest, person: SYSTEM, role: 'system' as const, reason: `policy version ${version}` };
    const signature = await sign(toSigned(content, { gateKind: gate.kind, planVersion: gate.planVersion }, now));
    await tx.insert(decisions).values({ ...content, signature });
    await tx.update(gates).set({ state: 'approved', settledAt: now }).where(eq(gates.id, gateId));
    await tx.insert(outbox).values({ workspaceId, incidentId, message: { kind: 'decision', decisionId: content.id, gateKind: gate.kind } });
    await audit(tx, content, signature, { gate: gateId, gateState: 'approved' });
    return true;
  });
  if (approved) await notify(db, 'outbox', '');
  return approved;
}
