import { and, asc, eq, isNull, lte, sql } from 'drizzle-orm';
import type { Database } from './database.js';
import { incidents, outbox, type OutboxMessage } from './schema.js';

export interface Waiting {
  readonly id: string;
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly message: OutboxMessage;
  readonly incident: typeof incidents.$inferSelect;
}

const BATCH = 50;
const MAX_RETRY_SECONDS = 30;

/**
 * Delivers what is due, in order of creation, and says how many. Two dispatchers never take the same row.
 * A delivery that throws is tried again later, ever less often, and keeps its error; the others go on.
 */
export async function deliverDue(db: Database, deliver: (waiting: Waiting) => Promise<void>): Promise<number> {
  return db.transaction(async (tx) => {
    const due = await tx
      .select({ row: outbox, incident: incidents })
      .from(outbox)
      .innerJoin(incidents, eq(incidents.id, outbox.incidentId))
      .where(and(isNull(outbox.deliveredAt), lte(outbox.dueAt, sql`now()`)))
      .orderBy(asc(outbox.createdAt))
      .limit(BATCH)
      .for('update', { of: outbox, skipLocked: true });
    for (const { row, incident } of due) {
      try {
        await deliver({ id: row.id, workspaceId: row.workspaceId, incidentId: row.incidentId, message: row.message, incident });
        await tx.update(outbox).set({ deliveredAt: sql`now()`, lastError: null }).where(eq(outbox.id, row.id));
      } catch (error) {
        const delay = Math.min(MAX_RETRY_SECONDS, 2 ** Math.min(row.attempts, 10) / 2);
        await tx
          .update(outbox)
          .set({ attempts: row.attempts + 1, lastError: String(error).slice(0, 500), dueAt: sql`now() + make_interval(secs => ${delay})` })
          .where(eq(outbox.id, row.id));
      }
    }
    return due.length;
  });
}
