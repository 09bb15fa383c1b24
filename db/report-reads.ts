import { sql } from 'drizzle-orm';
import type { Outcome } from '../domain/incident.js';
import type { Reach, WayBack } from '../domain/reach.js';
import type { Counted, PlanGroup } from '../domain/report.js';
import type { RootCauseCategory } from '../domain/root-cause.js';
import type { Connection, Database } from './database.js';

export interface Span {
  readonly workspaceId: string;
  readonly since: Date;
  readonly until: Date;
}

const TAKES_AT_MOST_MS = 10_000;
const READ_AT_ONE_MOMENT = { isolationLevel: 'repeatable read', accessMode: 'read only' } as const;

// As the ledger says it: what was claimed and never begun did not run.
const hasRun = sql`e.kind = 'execute' and e.handle is not null and e.state <> 'void'`;

const opened = ({ workspaceId, since, until }: Span) =>
  sql`select id, outcome, opened_at, closed_at, root_cause from incidents where workspace_id = ${workspaceId} and opened_at >= ${since.toISOString()} and opened_at < ${until.toISOString()}`;

/** Counts what happened to the incidents that were opened in a span, all of it as it was at one moment. The database counts; few rows come out of it. */
export async function countIncidents(db: Database, span: Span): Promise<Counted> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('statement_timeout', ${`${TAKES_AT_MOST_MS}`}, true)`);
    return { incidents: await countOutcomes(tx, span), recovered: await measureRecovery(tx, span), ...(await countNeeds(tx, span)), plans: await groupPlans(tx, span) };
  }, READ_AT_ONE_MOMENT);
}

async function countOutcomes(tx: Connection, span: Span): Promise<Counted['incidents']> {
  const { rows } = await tx.execute<{ outcome: Outcome | null; count: number }>(sql`select outcome, count(*)::int as count from (${opened(span)}) i group by outcome`);
  return rows;
}

async function measureRecovery(tx: Connection, span: Span): Promise<Counted['recovered']> {
  const within = (part: number) => sql`round(percentile_cont(${part}::float8) within group (order by extract(epoch from closed_at - opened_at) * 1000))::float8`;
  const { rows } = await tx.execute<{ count: number; medianMs: number | null; p90Ms: number | null }>(sql`
    select count(*)::int as count, ${within(0.5)} as "medianMs", ${within(0.9)} as "p90Ms" from (${opened(span)}) i
     where outcome = 'RECOVERED' and not exists (select from executions e where e.incident_id = i.id and ${hasRun})`);
  return rows[0] ?? { count: 0, medianMs: null, p90Ms: null };
}

async function countNeeds(tx: Connection, span: Span): Promise<Pick<Counted, 'needsHuman' | 'withoutPlan'>> {
  const { rows } = await tx.execute<{ rootCause: RootCauseCategory | null; count: number; withoutPlan: number }>(sql`
    select root_cause ->> 'category' as "rootCause", count(*)::int as count,
           count(*) filter (where not exists (select from plans p where p.incident_id = i.id))::int as "withoutPlan"
      from (${opened(span)}) i where exists (select from gates g where g.incident_id = i.id and g.kind = 'needsHuman') group by 1`);
  return {
    needsHuman: rows.reduce((sum, { count }) => sum + count, 0),
    withoutPlan: rows.flatMap(({ rootCause, withoutPlan }) => (withoutPlan === 0 ? [] : [{ rootCause, count: withoutPlan }])),
  };
}

interface GroupRow extends Omit<PlanGroup, 'steps'>, Record<string, unknown> {
  readonly reaches: readonly Reach[];
  readonly waysBack: readonly WayBack['kind'][];
  /** How many each step has. */
  readonly findings: readonly number[];
}

/** Each incident counts by its last plan: what it would have done is one thing, however often it was proposed anew. */
async function groupPlans(tx: Connection, span: Span): Promise<readonly PlanGroup[]> {
  const { rows } = await tx.execute<GroupRow>(sql`
    with each as (
      select f.*, p.script_id as "scriptId", p.verified_well is true as well, i.outcome,
             exists (select from executions e where e.incident_id = i.id and e.digest = p.digest and ${hasRun}) as ran,
             exists (select from executions e where e.incident_id = i.id and e.digest = p.digest and e.kind = 'rollback' and e.state = 'succeeded') as back,
             exists (select from gates g where g.incident_id = i.id and g.digest = p.digest and g.mode = 'nobody') as observed
        from (${opened(span)}) i cross join lateral (select * from plans where incident_id = i.id order by version desc limit 1) p
             cross join lateral jsonb_to_record(p.canonical::jsonb) as f(title text, risk text, tier text, "derivedFromText" boolean, steps jsonb)
    )
    select title, "scriptId", risk, tier, "derivedFromText", jsonb_path_query_array(steps, '$[*].reach') as reaches, jsonb_path_query_array(steps, '$[*].wayBack.kind') as "waysBack", jsonb_path_query_array(steps, '$[*].findings.size()') as findings,
           count(*)::int as proposed, count(*) filter (where ran)::int as ran, count(*) filter (where well)::int as "verifiedWell", count(*) filter (where back)::int as "rolledBack",
           count(*) filter (where observed)::int as observed, count(*) filter (where observed and not ran and outcome = 'RECOVERED')::int as recovered
      from each group by 1, 2, 3, 4, 5, 6, 7, 8`);
  return rows.map(({ reaches, waysBack, findings, ...group }) => ({
    ...group,
    steps: reaches.map((reach, index) => ({ reach, wayBack: { kind: waysBack[index] ?? 'oneWay' }, findings: Array.from({ length: findings[index] ?? 0 }) })),
  }));
}
