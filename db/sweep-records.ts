import { and, eq, isNull, sql } from 'drizzle-orm';
import { notify } from './channels.js';
import type { Database } from './database.js';
import type { Opening } from './open-incident.js';
import { openIncident } from './open-incident.js';
import { executions, gates, incidents, outbox } from './schema.js';

const toArray = (names: readonly string[]) => sql`array[${sql.join(names.map((name) => sql`${name}`), sql`, `)}]::text[]`;

/** What a sweep of all targets opens, and whom it tells that it may be over. */
export const createSweepRecords = (db: Database) => ({
  /** Opens an incident that a sweep found, unless one that watches any of its targets is open. */
  async openFromSweep(opening: Opening): Promise<{ readonly incidentId: string; readonly isNew: boolean }> {
    const result = await db.transaction(async (tx) => {
      const names = opening.targets ?? [];
      const [busy] = await tx
        .select({ id: incidents.id })
        .from(incidents)
        .where(
          and(
            eq(incidents.workspaceId, opening.workspaceId),
            isNull(incidents.closedAt),
            sql`(${incidents.targets} is null or ${incidents.targets} ?| ${toArray(names)})`,
          ),
        )
        .limit(1);
      return busy === undefined ? openIncident(tx, opening) : { incidentId: busy.id, isNew: false };
    });
    if (result.isNew) await notify(db, 'outbox', '');
    return result;
  },

  /** Tells open incidents that nothing has run for, and whose targets are all well, that it may be over: once, until a target is unwell again. */
  async tellWell(workspaceId: string, unwellTargets: readonly string[], wellTargets: readonly string[]): Promise<void> {
    const told = await db.transaction(async (tx) => {
      const openHere = sql`exists (select from ${incidents} i where i.id = ${gates.incidentId} and i.workspace_id = ${workspaceId} and i.closed_at is null`;
      await tx
        .update(gates)
        .set({ toldWellAt: null })
        .where(and(eq(gates.state, 'open'), sql`${gates.toldWellAt} is not null`, sql`${openHere} and i.targets ?| ${toArray(unwellTargets)})`));
      const newlyWell = await tx
        .update(gates)
        .set({ toldWellAt: sql`now()` })
        .where(
          and(
            eq(gates.state, 'open'),
            isNull(gates.toldWellAt),
            sql`${openHere} and i.targets <@ to_jsonb(${toArray(wellTargets)}))`,
            sql`not exists (select from ${executions} e where e.incident_id = ${gates.incidentId} and e.state not in ('claimed', 'void'))`,
          ),
        )
        .returning({ incidentId: gates.incidentId });
      for (const { incidentId } of newlyWell) await tx.insert(outbox).values({ workspaceId, incidentId, message: { kind: 'resolved' } });
      return newlyWell.length;
    });
    if (told > 0) await notify(db, 'outbox', '');
  },
});
