import { and, eq, sql } from 'drizzle-orm';
import type { UpdateDraft } from '../domain/incident.js';
import type { Connection } from './database.js';
import type { TailBody } from './schema.js';
import { incidents, tail } from './schema.js';

export interface TailRow {
  readonly key: string;
  readonly event: 'update' | 'output' | 'done';
  readonly body: TailBody;
}

/**
 * Appends to the tail, numbered in the order of the calls; a key that is there already changes nothing. Returns the id of each row, new or old.
 * The incident's row is locked, so that a reader never sees a number before the one below it.
 */
export async function appendTail(db: Connection, incidentId: string, rows: readonly TailRow[]): Promise<readonly string[]> {
  return db.transaction(async (tx) => {
    await tx.select({ id: incidents.id }).from(incidents).where(eq(incidents.id, incidentId)).for('update');
    const ids: string[] = [];
    for (const row of rows) {
      const [written] = await tx
        .insert(tail)
        .values({
          incidentId,
          ...row,
          seq: sql`(select coalesce(max(seq), 0) + 1 from tail where incident_id = ${incidentId})`,
        })
        // A no-op update, so that the id comes back for an old row too.
        .onConflictDoUpdate({ target: [tail.incidentId, tail.key], set: { key: row.key } })
        .returning({ id: tail.id });
      if (written !== undefined) ids.push(written.id);
    }
    return ids;
  });
}

/** Appends an update and shows its phase and status on the incident. One that is closed stays so; its status says how a rollback goes. */
export async function appendUpdate(db: Connection, incidentId: string, key: string, update: UpdateDraft): Promise<string | undefined> {
  return db.transaction(async (tx) => {
    const [id] = await appendTail(tx, incidentId, [{ key, event: 'update', body: { update } }]);
    const isOpen = sql`${incidents.closedAt} is null`;
    await tx
      .update(incidents)
      .set({ phase: sql`case when ${isOpen} then ${update.phase} else ${incidents.phase} end`, status: update.status, updatedAt: sql`now()` })
      .where(update.kind === 'rollback' || update.kind === 'reconcile' ? eq(incidents.id, incidentId) : and(eq(incidents.id, incidentId), isOpen));
    return id;
  });
}
