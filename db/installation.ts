import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Connection } from './database.js';

/** Tells this installation from others that use the same Temporal namespace: which database it is, however it is reached. */
export async function readInstallation(db: Connection): Promise<string> {
  const { rows } = await db.execute<{ name: string }>(sql`select system_identifier || '/' || current_database() as name from pg_control_system()`);
  const [row] = rows;
  if (row === undefined) throw new Error('the database did not say which one it is');
  return createHash('sha256').update(row.name).digest('hex').slice(0, 16);
}
