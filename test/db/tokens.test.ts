import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { readAuditPage } from '../../db/audit-reads.js';
import { tokens } from '../../db/schema.js';
import { createToken, findActor, listTokens, makeToken, revokeToken } from '../../db/tokens.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const ana = { workspaceId: 'shop', person: 'ana', role: 'responder' } as const;
const inAnHour = () => new Date(Date.now() + 3_600_000);
const draft = (id: string = randomUUID()) => ({ ...ana, id, name: 'laptop', createdBy: 'root', expiresAt: inAnHour() });
const audited = async (workspaceId = 'shop') => (await readAuditPage(database.db, workspaceId, { order: 'oldest', cursor: null, limit: 100 })).map(({ entry }) => entry);
const makeIn = async (workspaceId: string) => {
  const made = await makeToken(database.db, { ...draft(), workspaceId });
  if (made === undefined) throw new Error('the id is taken');
  return made;
};

describe('a token', () => {
  it('says who holds it, and only its hash is kept', async () => {
    const { db } = database;
    const token = await createToken(db, ana);
    expect(token).toMatch(/^sluice_[\w-]{43}$/);
    expect(await findActor(db, token)).toEqual(ana);
    expect(await findActor(db, `${token}x`)).toBeUndefined();
    expect(JSON.stringify(await db.select().from(tokens))).not.toContain(token.slice(7));
    expect(JSON.stringify(await listTokens(db, 'shop', { after: null, limit: 10 }))).not.toMatch(/hash/i);
  });

  it('is nobody once it has expired', async () => {
    const token = await createToken(database.db, ana, { expiresAt: new Date(Date.now() - 1_000) });
    expect(await findActor(database.db, token)).toBeUndefined();
  });

  it.each(['SYSTEM', 'system', 'ＳＹＳＴＥＭ', '', ' ', ' ana', 'ana ', 'a\u200bna', 'a\nna', 'e\u0301'])('is not made for somebody named %j', async (person) => {
    await expect(createToken(database.db, { ...ana, person })).rejects.toThrow('cannot be the name of a person');
  });

  it('is made once per id, and recorded without what it is', async () => {
    const { token, row } = await makeIn('recorded');
    expect(await makeToken(database.db, { ...draft(row.id), workspaceId: 'recorded' })).toBeUndefined();
    const entries = (await audited('recorded')).map((entry) => JSON.parse(entry) as object);
    expect(entries).toEqual([
      expect.objectContaining({ kind: 'token.made', actor: 'root', subject: row.id, details: { person: 'ana', role: 'responder', name: 'laptop', expiresAt: row.expiresAt.toISOString() } }),
    ]);
    const [stored] = await database.db.select().from(tokens).where(eq(tokens.id, row.id));
    expect(JSON.stringify(entries)).not.toContain(token);
    expect(JSON.stringify(entries)).not.toContain(stored?.tokenHash);
  });

  it('is revoked once, in its own workspace, and is nobody from then on', async () => {
    const { db } = database;
    const { token, row } = await makeIn('revoking');
    const tokenId = row.id;
    expect(await revokeToken(db, { workspaceId: 'elsewhere', tokenId, person: 'mallory' })).toBeUndefined();
    expect(await findActor(db, token)).toBeDefined();
    const revoked = await revokeToken(db, { workspaceId: 'revoking', tokenId, person: 'root' });
    expect(revoked).toMatchObject({ id: tokenId, revokedBy: 'root', revokedAt: expect.any(Date) });
    expect(await revokeToken(db, { workspaceId: 'revoking', tokenId, person: 'bob' })).toEqual(revoked);
    expect(await findActor(db, token)).toBeUndefined();
    expect((await audited('revoking')).map((entry) => (JSON.parse(entry) as { kind: string }).kind)).toEqual(['token.made', 'token.revoked']);
  });
});

describe('the last use of a token', () => {
  const lastUse = async (id: string) => (await database.db.select({ at: tokens.lastUsedAt }).from(tokens).where(eq(tokens.id, id)))[0]?.at;
  const ageBy = (id: string, seconds: number) => database.db.update(tokens).set({ lastUsedAt: sql`now() - ${seconds} * interval '1 second'` }).where(eq(tokens.id, id));

  it('is noted, and written again only when a minute has passed', async () => {
    const { db } = database;
    const { token, row } = await makeIn('using');
    expect(await lastUse(row.id)).toBeNull();
    await findActor(db, token);
    const first = await lastUse(row.id);
    expect(first).toBeInstanceOf(Date);
    await ageBy(row.id, 50);
    const recent = await lastUse(row.id);
    await findActor(db, token);
    expect(await lastUse(row.id)).toEqual(recent);
    await ageBy(row.id, 61);
    const old = await lastUse(row.id);
    await findActor(db, token);
    expect((await lastUse(row.id))?.getTime()).toBeGreaterThan(old?.getTime() ?? Infinity);
  });

  it('is not noted for a token that lets nobody in', async () => {
    const { token, row } = await makeIn('using');
    await revokeToken(database.db, { workspaceId: 'using', tokenId: row.id, person: 'root' });
    await findActor(database.db, token);
    expect(await lastUse(row.id)).toBeNull();
  });
});

it('a list of tokens is that of one workspace, newest first, page by page', async () => {
  const { db } = database;
  const made: string[] = [];
  for (let count = 0; count < 3; count += 1) made.unshift((await makeIn('listing')).row.id);
  await makeIn('elsewhere');
  const page = async (after: string | null) => (await listTokens(db, 'listing', { after, limit: 2 })).map(({ id }) => id);
  const first = await page(null);
  expect([...first, ...(await page(first.at(-1) ?? null))]).toEqual(made);
});
