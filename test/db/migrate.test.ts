import { expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import { migrate } from '../../db/migrate.js';
import { freshDatabase } from '../harness/database.js';

it('migrating again changes nothing', async () => {
  const { url, db, close } = await freshDatabase();
  await migrate(url);
  const { rows } = await db.execute(sql`select count(*)::int as n from drizzle.__drizzle_migrations`);
  expect(rows).toEqual([{ n: 1 }]);
  await close();
});

it('two at once do not trip over each other', async () => {
  const { url, close } = await freshDatabase();
  await expect(Promise.all([migrate(url), migrate(url)])).resolves.toHaveLength(2);
  await close();
});

it('a database that is newer than the code is left alone, with the remedy named', async () => {
  const { url, db, close } = await freshDatabase();
  await db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('future', 99999999999999)`);
  await expect(migrate(url)).rejects.toThrow(/made by a newer Sluice[\s\S]*Update this checkout[\s\S]*Nothing was changed/);
  await close();
});
