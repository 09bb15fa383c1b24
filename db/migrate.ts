import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { ensureRoles, restrict } from './roles.js';

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));
// Any number that no other user of the database takes; two migrations at once would trip over each other.
const LOCK = 7_780_001;

export class ForeignSchema extends Error {
  override readonly name = 'ForeignSchema';
}

/** Brings the database to this code's schema, as its owner; API and workers may do less. Throws `ForeignSchema` and touches nothing where it is not of this code's past. */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    const known = readMigrationFiles({ migrationsFolder });
    const newest = Math.max(...known.map(({ folderMillis }) => folderMillis));
    const foreign = (await listApplied(client)).find(({ hash }) => known.every((migration) => migration.hash !== hash));
    if (foreign !== undefined) {
      const isNewer = Number(foreign.created_at) > newest;
      throw new ForeignSchema(
        `The database was made by ${isNewer ? 'a newer Sluice' : 'a Sluice from before its first release'} (schema of ${new Date(Number(foreign.created_at)).toISOString()}, this code knows ${new Date(newest).toISOString()}). ` +
          `${isNewer ? 'Update this checkout, or point' : 'It cannot be brought forward. Point'} DATABASE_URL or SLUICE_HOME at another database. Nothing was changed.`,
      );
    }
    await ensureRoles(client);
    await applyMigrations(drizzle(client), { migrationsFolder });
    await restrict(client);
  } finally {
    await client.end();
  }
}

async function listApplied(client: pg.Client): Promise<readonly { readonly hash: string; readonly created_at: string }[]> {
  const { rows } = await client.query<{ found: boolean }>(`select to_regclass('drizzle.__drizzle_migrations') is not null as found`);
  if (rows[0]?.found !== true) return [];
  return (await client.query<{ hash: string; created_at: string }>('select hash, created_at from drizzle.__drizzle_migrations order by created_at desc')).rows;
}
