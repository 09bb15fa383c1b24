import { randomUUID } from 'node:crypto';
import { is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { type Database, openDatabase, openRequestDatabase, type RequestDatabase } from '../../db/database.js';
import { migrate } from '../../db/migrate.js';
import * as schema from '../../db/schema.js';

export interface FreshDatabase {
  readonly url: string;
  /** Under the role of workers, as they are. */
  readonly db: Database;
  /** Under the role of requests, as the API has it. */
  readonly requests: RequestDatabase;
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
  const requests = openRequestDatabase(url.href);
  return {
    url: url.href,
    db,
    requests,
    asOwner: (statement) => runOn(url.href, statement),
    async close() {
      await requests.close();
      await close();
      await runOn(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

/** Every table that the schema has. */
export const allTables: readonly PgTable[] = Object.values(schema).flatMap((value: unknown) => (is(value, PgTable) ? [value] : []));

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
