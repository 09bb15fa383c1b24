import { sql } from 'drizzle-orm';
import type { Connection } from './database.js';

/** The database's clock, which is the only one that gates and grants go by. */
export async function readClock(tx: Connection): Promise<Date> {
  const { rows } = await tx.execute<{ now: string }>(sql`select to_json(clock_timestamp()) as now`);
  const [row] = rows;
  if (row === undefined) throw new Error('the database did not tell its time');
  return new Date(row.now);
}
