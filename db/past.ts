import { and, countDistinct, eq, inArray, isNotNull, max, ne, type SQL, sql } from 'drizzle-orm';
import type { Plan } from '../domain/plan.js';
import type { Past, Policy } from '../domain/policy.js';
import type { Connection } from './database.js';
import { executions, incidents, plans } from './schema.js';

type Fix = Pick<Plan, 'workspaceId' | 'incidentId' | 'scriptId'> & { readonly steps: readonly { readonly target: string }[] };

/** A worker that claimed and was lost changes nothing after this: no execution may take longer. */
const CLAIM_LASTS = sql`interval '1 hour'`;

const onTargets = ({ workspaceId, steps }: Fix): SQL | undefined => and(eq(executions.workspaceId, workspaceId), inArray(executions.target, steps.map(({ target }) => target)));
const ran = and(eq(executions.kind, 'execute'), isNotNull(executions.handle), ne(executions.state, 'void'));

/** What was done before to the targets of a fix. */
export async function readPast(db: Connection, fix: Fix, { triesWithinMs }: Pick<Policy, 'triesWithinMs'>): Promise<Past> {
  const [last] = await db
    .select({ sinceMs: sql<string | null>`extract(epoch from clock_timestamp() - ${max(executions.endedAt)}) * 1000` })
    .from(executions)
    .where(and(onTargets(fix), ran, ne(executions.incidentId, fix.incidentId)));
  const [same] = await db
    .select({ tries: countDistinct(executions.digest) })
    .from(executions)
    .innerJoin(plans, and(eq(plans.incidentId, executions.incidentId), eq(plans.digest, executions.digest)))
    .where(and(onTargets(fix), ran, sql`${plans.scriptId} is not distinct from ${fix.scriptId}::uuid`, sql`${executions.startedAt} > now() - ${triesWithinMs} * interval '1 millisecond'`));
  return { sinceFixMs: last?.sinceMs == null ? null : Math.max(0, Number(last.sinceMs)), tries: same?.tries ?? 0 };
}

/** Whether another incident is changing one of the targets. Until the transaction ends, nobody else who asks of them is answered. */
export async function holdTargets(tx: Connection, fix: Fix): Promise<{ readonly isBusy: boolean }> {
  // In one order, or two of these would wait for each other.
  for (const target of [...new Set(fix.steps.map((step) => step.target))].toSorted()) {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`sluice target ${fix.workspaceId} ${target}`}, 0))`);
  }
  const isOpen = sql`(${executions.kind} = 'rollback' or ${incidents.closedAt} is null)`;
  const isUnderWay = sql`(${executions.state} = 'started' or ${executions.state} = 'unknown' and ${incidents.closedAt} is null or ${executions.state} = 'claimed' and ${executions.claimedAt} > now() - ${CLAIM_LASTS})`;
  const busy = await tx
    .select({ key: executions.key })
    .from(executions)
    .innerJoin(incidents, eq(incidents.id, executions.incidentId))
    .where(and(onTargets(fix), ne(executions.incidentId, fix.incidentId), isOpen, isUnderWay))
    .limit(1);
  return { isBusy: busy.length > 0 };
}
