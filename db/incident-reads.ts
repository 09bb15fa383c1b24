import { and, asc, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { findLastRun } from './ask-rollback.js';
import type { Connection } from './database.js';
import { decisions, gates, incidents, measurements, plans } from './schema.js';

// Names in full: inside a subquery a bare `id` would be the inner table's.
const told = sql<number>`(select coalesce(sum(alerts.times), 0)::int from alerts where alerts.incident_id = incidents.id)`;

const summary = {
  id: incidents.id,
  workspaceId: incidents.workspaceId,
  title: incidents.title,
  trigger: incidents.trigger,
  phase: incidents.phase,
  status: incidents.status,
  outcome: incidents.outcome,
  severity: incidents.severity,
  score: incidents.score,
  alerts: told,
  openedAt: incidents.openedAt,
  updatedAt: incidents.updatedAt,
  closedAt: incidents.closedAt,
};

export type SummaryRow = Awaited<ReturnType<typeof listIncidents>>[number];
export type DetailRow = NonNullable<Awaited<ReturnType<typeof readIncident>>>;

/** A page of a workspace's incidents, newest first, after the one with the id `after`. */
export async function listIncidents(
  db: Connection,
  workspaceId: string,
  page: { readonly state: 'open' | 'closed' | 'all'; readonly after: string | null; readonly limit: number },
) {
  const last = sql`(select opened_at, id from incidents where id = ${page.after} and workspace_id = ${workspaceId})`;
  const states = { open: isNull(incidents.closedAt), closed: isNotNull(incidents.closedAt), all: undefined };
  return db
    .select(summary)
    .from(incidents)
    .where(
      and(
        eq(incidents.workspaceId, workspaceId),
        states[page.state],
        page.after === null ? undefined : sql`(${incidents.openedAt}, ${incidents.id}) < ${last}`,
      ),
    )
    .orderBy(desc(incidents.openedAt), desc(incidents.id))
    .limit(page.limit);
}

/** What a request about an incident needs to know first; undefined where the workspace has no such incident. */
export async function findIncident(db: Connection, workspaceId: string, incidentId: string) {
  const [found] = await db
    .select({ id: incidents.id })
    .from(incidents)
    .where(and(eq(incidents.id, incidentId), eq(incidents.workspaceId, workspaceId)));
  return found;
}

/** An incident with its newest plan, its newest gate and what was said there, its last detection and its last measurement of any kind. */
export async function readIncident(db: Connection, workspaceId: string, incidentId: string) {
  const [incident] = await db
    .select({ ...summary, rootCause: incidents.rootCause })
    .from(incidents)
    .where(and(eq(incidents.id, incidentId), eq(incidents.workspaceId, workspaceId)));
  if (incident === undefined) return undefined;
  const [plan] = await db.select().from(plans).where(eq(plans.incidentId, incidentId)).orderBy(desc(plans.version)).limit(1);
  const [gate] = await db.select().from(gates).where(eq(gates.incidentId, incidentId)).orderBy(desc(gates.openedAt)).limit(1);
  const said = gate === undefined ? [] : await db.select().from(decisions).where(eq(decisions.gateId, gate.id)).orderBy(asc(decisions.createdAt));
  const lastMeasured = async (purpose?: 'detection') => {
    const ofPurpose = purpose === undefined ? undefined : eq(measurements.purpose, purpose);
    const mine = db.select().from(measurements).where(and(eq(measurements.incidentId, incidentId), ofPurpose));
    return (await mine.orderBy(desc(measurements.measuredAt)).limit(1))[0];
  };
  const detection = await lastMeasured('detection');
  const now = await lastMeasured();
  return { incident, plan, gate, said, detection, now, lastRun: await findLastRun(db, incidentId) };
}

/** The gate that an update of the tail says to wait for. */
export async function findGateByUpdate(db: Connection, workspaceId: string, updateId: string) {
  const [gate] = await db.select().from(gates).where(and(eq(gates.updateId, updateId), eq(gates.workspaceId, workspaceId)));
  return gate;
}
