import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { isAtLeastAsSevere } from '../domain/severity.js';
import { toSweepFingerprint } from '../domain/watch.js';
import { notify } from './channels.js';
import type { Database } from './database.js';
import type { Opening } from './open-incident.js';
import { openIncident } from './open-incident.js';
import { executions, gates, incidents, isLeftAlone, outbox } from './schema.js';

const toArray = (names: readonly string[]) => sql`array[${sql.join(names.map((name) => sql`${name}`), sql`, `)}]::text[]`;

/** What a sweep of all targets opens, and whom it tells that it may be over. */
export const createSweepRecords = (db: Database) => ({
  /**
   * Opens an incident that a sweep found, unless one that watches any of its targets is open, or people closed this very one within `cooldownMs` when it was
   * no less severe and the target was not well since. What is critical is never left alone.
   */
  async openFromSweep({ cooldownMs, ...opening }: Opening & { readonly cooldownMs: number }): Promise<{ readonly incidentId: string | null; readonly isNew: boolean }> {
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
      if (busy !== undefined) return { incidentId: busy.id, isNew: false };
      if (opening.severity === 'CRITICAL') return openIncident(tx, opening);
      const leftAlone = await tx
        .select({ severity: incidents.severity })
        .from(incidents)
        .where(
          and(
            eq(incidents.workspaceId, opening.workspaceId),
            eq(incidents.fingerprint, opening.fingerprint),
            isLeftAlone(incidents),
            sql`${incidents.closedAt} > now() - ${cooldownMs} * interval '1 millisecond'`,
          ),
        );
      const isKnown = leftAlone.some(({ severity }) => isAtLeastAsSevere(severity ?? 'LOW', opening.severity ?? 'LOW'));
      return isKnown ? { incidentId: null, isNew: false } : openIncident(tx, opening);
    });
    if (result.isNew) await notify(db, 'outbox', '');
    return result;
  },

  /** Tells open incidents that nothing has run for, and whose targets are all well, that it may be over: once, until a target is unwell again. What people closed is not left alone any more once its target is well. */
  async tellWell(workspaceId: string, unwellTargets: readonly string[], wellTargets: readonly string[]): Promise<void> {
    const told = await db.transaction(async (tx) => {
      await tx
        .update(incidents)
        .set({ leftAlone: false })
        .where(and(eq(incidents.workspaceId, workspaceId), inArray(incidents.fingerprint, wellTargets.map(toSweepFingerprint)), isLeftAlone(incidents)));
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
