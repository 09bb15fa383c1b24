import { and, asc, desc, eq, gt, sql } from 'drizzle-orm';
import type { Connection } from './database.js';
import { tail } from './schema.js';

export type TailEntryRow = typeof tail.$inferSelect;

/** The entries of an incident's tail after `after`, in order. Its numbers have no gap, so nothing can appear before what was read. */
export async function readTail(
  db: Connection,
  incidentId: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly TailEntryRow[]> {
  return db
    .select()
    .from(tail)
    .where(and(eq(tail.incidentId, incidentId), gt(tail.seq, after)))
    .orderBy(asc(tail.seq))
    .limit(limit);
}

/** How many lines the output of a change has by now: where its last chunk ends. */
export async function countOutputLines(db: Connection, incidentId: string, key: string): Promise<number> {
  const [last] = await db
    .select({ body: tail.body })
    .from(tail)
    .where(and(eq(tail.incidentId, incidentId), eq(tail.event, 'output'), sql`starts_with(${tail.key}, ${`output:${key}:`})`))
    .orderBy(desc(tail.seq))
    .limit(1);
  if (last === undefined || !('output' in last.body)) return 0;
  const { firstLine, text } = last.body.output;
  return firstLine - 1 + text.split('\n').length;
}

/** Whether the tail ends at or before this number. After its end a rollback may still be asked for, and then it goes on. */
export async function endsBy(db: Connection, incidentId: string, seq: number): Promise<boolean> {
  const [last] = await db.select({ seq: tail.seq, event: tail.event }).from(tail).where(eq(tail.incidentId, incidentId)).orderBy(desc(tail.seq)).limit(1);
  return last?.event === 'done' && last.seq <= seq;
}
