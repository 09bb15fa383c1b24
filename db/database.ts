import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { APP_ROLE } from './app-role.js';
import * as schema from './schema.js';

export type Database = NodePgDatabase<typeof schema>;
/** A database or a transaction in it. */
export type Connection = Pick<Database, 'select' | 'insert' | 'update' | 'delete' | 'execute' | 'selectDistinct' | 'transaction'>;

// Whoever waits longer than this for a connection is better told so.
const CONNECT_TIMEOUT_MS = 10_000;

/** Opens a pool of connections under the role of the application. Errors of idle connections are left to the next query, which reports them where somebody waits. */
export function openDatabase(databaseUrl: string, options: { readonly max?: number } = {}): { readonly db: Database; readonly close: () => Promise<void> } {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.max ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // Before a new connection is handed out; one that cannot take the role is not.
    verify: (client, done) => void client.query(`set role ${APP_ROLE}`).then(() => done(), done),
  });
  pool.on('error', () => {});
  // One that is in use says nothing to the pool when it breaks; the query that meets it does.
  pool.on('connect', (client) => client.on('error', () => {}));
  return { db: drizzle(pool, { schema }), close: () => pool.end() };
}
