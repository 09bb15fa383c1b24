import { sql } from 'drizzle-orm';
import type { Connection } from './database.js';

/** NOTIFY channels. Each only wakes a reader early; nothing depends on a notification arriving. */
export const channels = { tail: 'sluice_tail', outbox: 'sluice_outbox' } as const;

export async function notify(db: Connection, channel: keyof typeof channels, payload: string): Promise<void> {
  await db.execute(sql`select pg_notify(${channels[channel]}, ${payload})`);
}
