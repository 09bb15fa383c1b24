import { createHash, randomUUID } from 'node:crypto';
import { and, asc, eq, notExists, sql } from 'drizzle-orm';
import { SYSTEM } from '../domain/actor.js';
import type { Plan } from '../domain/plan.js';
import { judgePlan, toStricter } from '../domain/policy.js';
import { notify } from './channels.js';
import { readClock } from './clock.js';
import type { Connection, Database } from './database.js';
import { audit, type SignDecision, toSigned } from './decisions.js';
import { readKillSwitch } from './kill-switch.js';
import { readPast } from './past.js';
import { type PolicyRow, readPolicy } from './policies.js';
import { decisions, gates, killSwitches, outbox, plans } from './schema.js';

type GateRow = typeof gates.$inferSelect;

const ofPolicy = and(eq(gates.state, 'open'), eq(gates.mode, 'policy'));

/** The open gates whose plan the policy let run by itself when it was frozen, oldest first, where no kill switch is on. */
export async function listGatesForPolicy(db: Database): Promise<readonly string[]> {
  const stopped = db.select({ on: killSwitches.isOn }).from(killSwitches).where(and(killSwitches.isOn, sql`${killSwitches.workspaceId} in (${gates.workspaceId}, '*')`));
  const rows = await db.select({ id: gates.id }).from(gates).where(and(ofPolicy, notExists(stopped))).orderBy(asc(gates.openedAt)).limit(100);
  return rows.map(({ id }) => id);
}

/**
 * Signs for a gate as SYSTEM, where the policy of now lets its plan run by itself, too; judged from the very text that is at the gate.
 * Otherwise it is left to people, for good: also where `isSound` does not know the policy for one that a person signed, or the plan's scripts for ones
 * that its rules allow. `notNow`: it may be asked again.
 */
export async function approveByPolicy(
  db: Database,
  sign: SignDecision,
  isSound: (policy: PolicyRow, plan: Plan) => Promise<boolean>,
  gateId: string,
): Promise<'approved' | 'leftToPeople' | 'notNow'> {
  const answer = await db.transaction(async (tx) => {
    const [gate] = await tx.select().from(gates).where(and(eq(gates.id, gateId), ofPolicy, eq(gates.kind, 'execution'))).for('update');
    if (gate === undefined) return 'notNow';
    const now = await readClock(tx);
    if ((gate.expiresAt !== null && now >= gate.expiresAt) || (await readKillSwitch(tx, gate.workspaceId))) return 'notNow';
    const policy = await readPolicy(tx, gate.workspaceId);
    const plan = await readPlan(tx, gate);
    const ruling = plan && toStricter(plan.ruling, judgePlan(plan, plan.tier, policy.policy, await readPast(tx, plan, [policy.policy])));
    if (plan === undefined || ruling?.kind !== 'auto' || !(await isSound(policy, plan))) {
      await tx.update(gates).set({ mode: 'people' }).where(eq(gates.id, gateId));
      await tx.insert(outbox).values({ workspaceId: gate.workspaceId, incidentId: gate.incidentId, message: { kind: 'leftToPeople', gateId } });
      return 'leftToPeople';
    }
    await approve(tx, sign, gate, `policy version ${policy.version}`, now);
    return 'approved';
  });
  if (answer !== 'notNow') await notify(db, 'outbox', '');
  return answer;
}

/** The plan at a gate; undefined where the record does not have it as it was shown. */
async function readPlan(tx: Connection, { workspaceId, incidentId, digest }: GateRow): Promise<Plan | undefined> {
  if (digest === null) return undefined;
  const [stored] = await tx.select({ canonical: plans.canonical }).from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest)));
  if (stored === undefined || createHash('sha256').update(stored.canonical).digest('hex') !== digest) return undefined;
  const plan = JSON.parse(stored.canonical) as Plan;
  return plan.workspaceId === workspaceId && plan.incidentId === incidentId ? plan : undefined;
}

async function approve(tx: Connection, sign: SignDecision, gate: GateRow, reason: string, now: Date): Promise<void> {
  const { id: gateId, workspaceId, incidentId, digest, kind, planVersion } = gate;
  const content = { id: randomUUID(), workspaceId, incidentId, gateId, verdict: 'approve' as const, digest, person: SYSTEM, role: 'system' as const, reason };
  const signature = await sign(toSigned(content, { gateKind: kind, planVersion }, now));
  await tx.insert(decisions).values({ ...content, signature });
  await tx.update(gates).set({ state: 'approved', settledAt: now }).where(eq(gates.id, gateId));
  await tx.insert(outbox).values({ workspaceId, incidentId, message: { kind: 'decision', decisionId: content.id, gateKind: kind } });
  await audit(tx, content, signature, { gate: gateId, gateState: 'approved' });
}
