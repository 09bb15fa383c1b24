import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { tokens } from '../../db/schema.js';
import { createToken, findActor } from '../../db/tokens.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

it('a token says who holds it, and only its hash is kept', async () => {
  const { db } = database;
  const ana = { workspaceId: 'shop', person: 'ana', role: 'responder' } as const;
  const token = await createToken(db, ana);
  expect(token).toMatch(/^sluice_[\w-]{43}$/);
  expect(await findActor(db, token)).toEqual(ana);
  expect(await findActor(db, `${token}x`)).toBeUndefined();
  expect(JSON.stringify(await db.select().from(tokens))).not.toContain(token.slice(7));
});
