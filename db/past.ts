import { and, countDistinct, eq, inArray, isNotNull, max, ne, or, type SQL, sql } from 'drizzle-orm';
import { canonicalize } from '../domain/canonical.js';
import type { Plan } from '../domain/plan.js';
import type { Past, Policy } from '../domain/policy.js';
import type { Connection } from './database.js';
import { executions, incidents, plans } from './schema.js';

type Fix = Pick<Plan, 'workspaceId' | 'incidentId'> & { readonly steps: readonly { readonly target: string; readonly script: string }[] };

/** What was claimed does not begin later than this, whichever worker comes back for it. */
export const CLAIM_LASTS = sql`interval '1 hour'`;
// What began at the last moment may not be written down yet.
const CLAIM_HOLDS = sql`(${CLAIM_LASTS} + interval '1 minute')`;

const onTargets = ({ workspaceId, steps }: Fix): SQL | undefined => and(eq(executions.workspaceId, workspaceId), inArray(executions.target, steps.map(({ target }) => target)));
const ran = and(eq(executions.kind, 'execute'), isNotNull(executions.handle), ne(executions.state, 'void'));

/**
 * Whether a step that ran is one of these, whatever its script is called and whatever its parameters were. What would run is in the plan's canonical text
 * in this order, and no text inside of it has a quote that is not escaped; a target takes one type of step.
 */
function isSameStep(steps: Fix['steps']): SQL | undefined {
  const parts = new Map(steps.map(({ script, target }) => [canonicalize([script, target]), [`"script":${canonicalize(script)},"stepId":`, `,"target":${canonicalize(target)},`] as const]));
  return or(...[...parts.values()].map(([before, after]) => sql`position(${before}::text || to_json(${executions.stepId})::text || ${after}::text in ${plans.canonical}) > 0`));
}

/** What was done before to the targets of a fix, as far back as any of the policies looks. */
export async function readPast(db: Connection, fix: Fix, policies: readonly Pick<Policy, 'triesWithinMs'>[]): Promise<Past> {
  const triesWithinMs = Math.max(...policies.map((policy) => policy.triesWithinMs));
  const [last] = await db
    .select({ sinceMs: sql<string | null>`extract(epoch from clock_timestamp() - ${max(sql`coalesce(${executions.endedAt}, ${executions.startedAt}, ${executions.claimedAt})`)}) * 1000` })
    .from(executions)
    .where(and(onTargets(fix), ran, ne(executions.incidentId, fix.incidentId)));
  const [same] = await db
    .select({ tries: countDistinct(executions.digest) })
    .from(executions)
    .innerJoin(plans, and(eq(plans.incidentId, executions.incidentId), eq(plans.digest, executions.digest)))
    .where(and(onTargets(fix), ran, isSameStep(fix.steps), sql`${executions.startedAt} > now() - ${triesWithinMs} * interval '1 millisecond'`));
  const isRecent = sql`${executions.endedAt} > now() - ${triesWithinMs} * interval '1 millisecond'`;
  const takenBack = await db
    .select({ key: executions.key })
    .from(executions)
    .where(and(onTargets(fix), eq(executions.kind, 'rollback'), eq(executions.state, 'succeeded'), isRecent))
    .limit(1);
  return { sinceFixMs: last?.sinceMs == null ? null : Math.max(0, Number(last.sinceMs)), tries: same?.tries ?? 0, wasTakenBack: takenBack.length > 0 };
}

/** Whether another incident is changing one of the targets. Until the transaction ends, nobody else who asks of them is answered. */
export async function holdTargets(tx: Connection, fix: Fix): Promise<{ readonly isBusy: boolean }> {
  // In one order, or two of these would wait for each other.
  for (const target of [...new Set(fix.steps.map((step) => step.target))].toSorted()) {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`sluice target ${fix.workspaceId} ${target}`}, 0))`);
  }
  const isOpen = sql`(${executions.kind} = 'rollback' or ${incidents.closedAt} is null)`;
  const isUnderWay = sql`(${executions.state} = 'started' or ${executions.state} = 'unknown' and ${incidents.closedAt} is null or ${executions.state} = 'claimed' and ${executions.claimedAt} > now() - ${CLAIM_HOLDS})`;
  const busy = await tx
    .select({ key: executions.key })
    .from(executions)
    .innerJoin(incidents, eq(incidents.id, executions.incidentId))
    .where(and(onTargets(fix), ne(executions.incidentId, fix.incidentId), isOpen, isUnderWay))
    .limit(1);
  return { isBusy: busy.length > 0 };
}
