import { and, asc, countDistinct, eq, sql } from 'drizzle-orm';
import type { Plan } from '../domain/plan.js';
import type { Policy, Ruling } from '../domain/policy.js';
import { judgeUnder, toStricter } from '../domain/policy.js';
import type { Connection } from './database.js';
import { readPast } from './past.js';
import { decisions, gates, plans } from './schema.js';

export interface ForeseenGate {
  readonly incidentId: string;
  readonly gateId: string;
  readonly plan: Plan;
  readonly approvals: number;
  readonly now: Ruling;
  readonly would: Ruling;
}

// Each takes a look at the ledger.
const MAX_GATES = 200;

/** What a claim at each open execution gate of the workspace goes by under the policies that hold now, and would go by under another one. Changes nothing. */
export async function dryRun(
  db: Connection,
  workspaceId: string,
  current: readonly Policy[],
  policy: Policy,
): Promise<{ readonly gates: readonly ForeseenGate[]; readonly leftOut: number }> {
  const rows = await db
    .select({ gateId: gates.id, incidentId: gates.incidentId, canonical: plans.canonical, approvals: countDistinct(decisions.person), open: sql<number>`count(*) over ()`.mapWith(Number) })
    .from(gates)
    .innerJoin(plans, and(eq(plans.incidentId, gates.incidentId), eq(plans.digest, gates.digest)))
    .leftJoin(decisions, and(eq(decisions.gateId, gates.id), eq(decisions.verdict, 'approve')))
    .where(and(eq(gates.workspaceId, workspaceId), eq(gates.state, 'open'), eq(gates.kind, 'execution')))
    .groupBy(gates.id, plans.incidentId, plans.version)
    .orderBy(asc(gates.openedAt))
    .limit(MAX_GATES);
  const foreseen: ForeseenGate[] = [];
  for (const { canonical, open: _, ...gate } of rows) {
    const plan = JSON.parse(canonical) as Plan;
    const under = async (policies: readonly Policy[]): Promise<Ruling> => toStricter(plan.ruling, judgeUnder(plan, plan.tier, policies, await readPast(db, plan, policies)));
    foreseen.push({ ...gate, plan, now: await under(current), would: await under([policy]) });
  }
  return { gates: foreseen, leftOut: (rows[0]?.open ?? 0) - rows.length };
}
