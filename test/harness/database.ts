import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { openDatabase, type Database } from '../../db/database.js';
import { migrate } from '../../db/migrate.js';

export interface FreshDatabase {
  readonly url: string;
  /** Under the role of API and workers, as they are. */
  readonly db: Database;
  /** Runs a statement as the owner of the tables, a superuser of the server. */
  readonly asOwner: (statement: string) => Promise<readonly object[]>;
  readonly close: () => Promise<void>;
}

/** A migrated database of its own on the test run's server; closing drops it. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const serverUrl = process.env['TEST_DATABASE_URL'] ?? '';
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runOn(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await migrate(url.href);
  const { db, close } = openDatabase(url.href);
  return {
    url: url.href,
    db,
    asOwner: (statement) => runOn(url.href, statement),
    async close() {
      await close();
      await runOn(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

async function runOn(url: string, statement: string): Promise<readonly object[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<object>(statement);
    return rows;
  } finally {
    await client.end();
  }
}
