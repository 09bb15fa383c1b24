import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { openDatabase, openRequestDatabase } from '../../db/database.js';
import { readInstallation } from '../../db/installation.js';
import { migrate } from '../../db/migrate.js';
import { freshDatabase } from '../harness/database.js';

it('migrating again changes nothing', async () => {
  const { url, asOwner, close } = await freshDatabase();
  const read = () => asOwner('select * from drizzle.__drizzle_migrations');
  const before = await read();
  await migrate(url);
  expect([before.length > 0, await read()]).toEqual([true, before]);
  await close();
});

it('two at once do not trip over each other', async () => {
  const { url, close } = await freshDatabase();
  await expect(Promise.all([migrate(url), migrate(url)])).resolves.toHaveLength(2);
  await close();
});

it('a database that is newer than the code is left alone, with the remedy named', async () => {
  const { url, asOwner, close } = await freshDatabase();
  await asOwner("insert into drizzle.__drizzle_migrations (hash, created_at) values ('future', 99999999999999)");
  await expect(migrate(url)).rejects.toThrow(/made by a newer Sluice[\s\S]*Update this checkout[\s\S]*Nothing was changed/);
  await close();
});

it('a database from before the first release is left alone, with the remedy named', async () => {
  const { url, asOwner, close } = await freshDatabase();
  await asOwner("update drizzle.__drizzle_migrations set hash = 'another', created_at = 1");
  await expect(migrate(url)).rejects.toThrow(/before its first release[\s\S]*another database[\s\S]*Nothing was changed/);
  await close();
});

describe('a user who owns the database but may not make roles', () => {
  const server = process.env['TEST_DATABASE_URL'] ?? '';
  const role = `owner_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(server);
  const run = async (statement: string) => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  beforeAll(async () => {
    await run(`create role ${role} login password 'x'`);
    await run(`create database ${role} owner ${role}`);
    Object.assign(url, { username: role, password: 'x', pathname: `/${role}` });
  });
  afterAll(async () => {
    await run(`drop database ${role} with (force)`);
    await run(`drop role ${role}`);
  });

  it('is told what an administrator runs for both roles, and after that needs no more', async () => {
    const refusal = await migrate(url.href).then(() => '', String);
    expect(refusal).toContain(`grant sluice_app, sluice_api to "${role}"`);
    for (const statement of refusal.split('\n').slice(1)) await run(statement);
    await migrate(url.href);
    const { db, close } = openDatabase(url.href, { max: 1 });
    expect((await db.execute(sql`select current_user::text as name`)).rows).toEqual([{ name: 'sluice_app' }]);
    await readInstallation(db);
    await close();
    const requests = openRequestDatabase(url.href, { max: 1 });
    expect((await requests.in('shop').execute(sql`select current_user::text as name`)).rows).toEqual([{ name: 'sluice_api' }]);
    await requests.close();
  });
});

it('many databases of one server at once agree on the role', async () => {
  const databases = await Promise.all(Array.from({ length: 6 }, freshDatabase));
  const roles = await Promise.all(databases.map(({ db }) => db.execute(sql`select current_user::text as name`)));
  expect(roles.flatMap(({ rows }) => rows)).toEqual(Array.from({ length: 6 }, () => ({ name: 'sluice_app' })));
  await Promise.all(databases.map(({ close }) => close()));
});
