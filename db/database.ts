import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { API_ROLE, APP_ROLE, WORKSPACE_SETTING } from './row-security.js';
import * as schema from './schema.js';

export type Database = NodePgDatabase<typeof schema>;
/** A database or a transaction in it. */
export type Connection = Pick<Database, 'select' | 'insert' | 'update' | 'delete' | 'execute' | 'selectDistinct' | 'transaction'>;

/** The database as requests have it: one workspace's rows. */
export interface RequestDatabase {
  in(workspaceId: string): Database;
  close(): Promise<void>;
}

interface PoolOptions {
  readonly max?: number;
}

// Whoever waits longer than this for a connection is better told so.
const CONNECT_TIMEOUT_MS = 10_000;

/** Opens a pool of connections that see every row. Errors of idle connections are left to the next query, which reports them where somebody waits. */
export function openDatabase(databaseUrl: string, options: PoolOptions = {}): { readonly db: Database; readonly close: () => Promise<void> } {
  const pool = openPool(databaseUrl, APP_ROLE, options);
  return { db: drizzle(pool, { schema }), close: () => pool.end() };
}

/** Opens a pool of connections that see the rows of one workspace at a time. */
export function openRequestDatabase(databaseUrl: string, options: PoolOptions = {}): RequestDatabase {
  const pool = openPool(databaseUrl, API_ROLE, options);
  const seen = new WeakMap<pg.PoolClient, string>();
  const databases = new Map<string, Database>();

  async function connect(workspaceId: string): Promise<pg.PoolClient> {
    const client = await pool.connect();
    try {
      // A setting within somebody's transaction would be gone with it, and what is remembered here would not.
      if (client.getTransactionStatus() !== 'I') throw new Error('a connection came back in the middle of a transaction');
      if (seen.get(client) !== workspaceId) {
        seen.delete(client);
        await client.query('select set_config($1, $2, false)', [WORKSPACE_SETTING, workspaceId]);
        seen.set(client, workspaceId);
      }
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** The pool as drizzle knows one, but each connection that it hands out sees this workspace. */
  function toScopedPool(workspaceId: string): pg.Pool {
    const scoped: pg.Pool = Object.create(pool);
    return Object.assign(scoped, {
      connect: () => connect(workspaceId),
      async query(query: pg.QueryConfig, values?: unknown[]) {
        const client = await connect(workspaceId);
        try {
          return await client.query(query, values);
        } finally {
          client.release();
        }
      },
    });
  }

  return {
    in(workspaceId) {
      const database = databases.get(workspaceId) ?? drizzle(toScopedPool(workspaceId), { schema });
      databases.set(workspaceId, database);
      return database;
    },
    close: () => pool.end(),
  };
}

function openPool(databaseUrl: string, role: string, { max = 10 }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // Before a new connection is handed out; one that cannot take the role is not.
    verify: (client, done) => void client.query(`set role ${role}`).then(() => done(), done),
  });
  pool.on('error', () => {});
  // One that is in use says nothing to the pool when it breaks; the query that meets it does.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
