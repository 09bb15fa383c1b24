import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { ensureAppRole, restrict } from './app-role.js';

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));
// Any number that no other user of the database takes; two migrations at once would trip over each other.
const LOCK = 7_780_001;

export class DatabaseTooNew extends Error {
  override readonly name = 'DatabaseTooNew';
}

/** Brings the database to this code's schema, as its owner; API and workers may do less. Throws `DatabaseTooNew` and touches nothing where it is ahead of the code. */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    const newest = Math.max(...readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis));
    const applied = await readNewestApplied(client);
    if (applied > newest) {
      throw new DatabaseTooNew(
        `The database was made by a newer Sluice (schema of ${new Date(applied).toISOString()}, this code knows ${new Date(newest).toISOString()}). ` +
          'Update this checkout, or point DATABASE_URL or SLUICE_HOME at another database. Nothing was changed.',
      );
    }
    await ensureAppRole(client);
    await applyMigrations(drizzle(client), { migrationsFolder });
    await restrict(client);
  } finally {
    await client.end();
  }
}

async function readNewestApplied(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ found: boolean }>(`select to_regclass('drizzle.__drizzle_migrations') is not null as found`);
  if (rows[0]?.found !== true) return 0;
  const applied = await client.query<{ newest: string | null }>('select max(created_at) as newest from drizzle.__drizzle_migrations');
  return Number(applied.rows[0]?.newest ?? 0);
}
