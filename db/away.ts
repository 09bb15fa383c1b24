import { sql } from 'drizzle-orm';
import type { Connection } from './database.js';

// Connection trouble, out of resources, shutting down or not up yet; a lock not had in time, a deadlock: gone when tried again.
const sqlStates = /^(08|53|57P|55P03|40001|40P01)/;
const nodeCodes = /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOST|ENETUNREACH)/;
const messages = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether the database could not be asked just now, so that the same request may well succeed later. */
export function isAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, cause } = error as { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown };
  return (
    (typeof code === 'string' && (sqlStates.test(code) || nodeCodes.test(code))) || (typeof message === 'string' && messages.test(message)) || isAway(cause)
  );
}

/** Whether the database answers. */
export async function isReachable(db: Connection): Promise<boolean> {
  return db.execute(sql`select 1`).then(
    () => true,
    () => false,
  );
}
