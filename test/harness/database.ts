import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { openDatabase, type Database } from '../../db/database.js';
import { migrate } from '../../db/migrate.js';

export interface FreshDatabase {
  readonly url: string;
  readonly db: Database;
  readonly close: () => Promise<void>;
}

/** A migrated database of its own on the test run's server; closing drops it. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const serverUrl = process.env['TEST_DATABASE_URL'] ?? '';
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await migrate(url.href);
  const { db, close } = openDatabase(url.href);
  return {
    url: url.href,
    db,
    async close() {
      await close();
      await onServer(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

async function onServer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
