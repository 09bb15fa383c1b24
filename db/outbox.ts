import { and, asc, eq, gt, isNull, lte, not, sql } from 'drizzle-orm';
import type { Database } from './database.js';
import { incidents, outbox, type OutboxMessage } from './schema.js';

export type IncidentRow = typeof incidents.$inferSelect;

export interface Waiting {
  readonly id: string;
  readonly message: OutboxMessage;
  readonly incident: IncidentRow;
}

/** Nobody can be delivered to just now, so that trying the others is in vain. */
export class RecipientAway extends Error {
  override readonly name = 'RecipientAway';
}

const MAX_RETRY_SECONDS = 30;
// What was not at fault itself is not to wait long once the recipient is back.
const MAX_AWAY_SECONDS = 2;

/**
 * Delivers what is due, in order of creation, one row per transaction, until nothing is due, the recipient is away or `isOver` says so.
 * Two dispatchers never take the same row. A delivery that throws is tried again later, ever less often, and keeps its error; the others go on.
 */
export async function deliverDue(db: Database, deliver: (waiting: Waiting) => Promise<void>, isOver: () => boolean): Promise<void> {
  while (!isOver() && (await deliverNext(db, deliver)) === 'goOn');
}

async function deliverNext(db: Database, deliver: (waiting: Waiting) => Promise<void>): Promise<'goOn' | 'rest'> {
  return db.transaction(async (tx) => {
    const [due] = await tx
      .select({ row: outbox, incident: incidents })
      .from(outbox)
      .innerJoin(incidents, eq(incidents.id, outbox.incidentId))
      .where(and(isNull(outbox.deliveredAt), lte(outbox.dueAt, sql`now()`)))
      .orderBy(asc(outbox.createdAt))
      .limit(1)
      .for('update', { of: outbox, skipLocked: true });
    if (due === undefined) return 'rest';
    const { row, incident } = due;
    try {
      await deliver({ id: row.id, message: row.message, incident });
      await tx.update(outbox).set({ deliveredAt: sql`now()`, lastError: null }).where(eq(outbox.id, row.id));
      return 'goOn';
    } catch (error) {
      const isAway = error instanceof RecipientAway;
      const delay = Math.min(isAway ? MAX_AWAY_SECONDS : MAX_RETRY_SECONDS, 2 ** Math.min(row.attempts, 10) / 2);
      await tx
        .update(outbox)
        .set({ attempts: row.attempts + 1, lastError: String(error).slice(0, 500), dueAt: sql`clock_timestamp() + make_interval(secs => ${delay})` })
        .where(eq(outbox.id, row.id));
      return isAway ? 'rest' : 'goOn';
    }
  });
}

const startWaits = sql<boolean>`exists (select from outbox where outbox.incident_id = incidents.id and outbox.message->>'kind' = 'start' and outbox.delivered_at is null)`;

export type Standing =
  | { readonly kind: 'closed' }
  /** Its start waits to be delivered. */
  | { readonly kind: 'notStarted' }
  /** A workflow should be at it. */
  | { readonly kind: 'underWay'; readonly incident: IncidentRow };

/** How an incident stands now. Asked after Temporal has answered, it is sure: a workflow closes its incident before it ends. */
export async function readStanding(db: Database, incidentId: string): Promise<Standing> {
  const [found] = await db.select({ incident: incidents, startWaits }).from(incidents).where(eq(incidents.id, incidentId));
  if (found === undefined || found.incident.closedAt !== null) return { kind: 'closed' };
  return found.startWaits ? { kind: 'notStarted' } : { kind: 'underWay', incident: found.incident };
}

/** A page of the incidents that a workflow should be at, in the order of their ids, after the one with the id `after`. */
export async function listUnderWay(db: Database, after: string | null, limit: number) {
  return db
    .select({ id: incidents.id, workspaceId: incidents.workspaceId })
    .from(incidents)
    .where(and(isNull(incidents.closedAt), not(startWaits), after === null ? undefined : gt(incidents.id, after)))
    .orderBy(asc(incidents.id))
    .limit(limit);
}
