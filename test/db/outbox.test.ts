import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { asc } from 'drizzle-orm';
import pg from 'pg';
import { APP_ROLE } from '../../db/row-security.js';
import { readInstallation } from '../../db/installation.js';
import { openDatabase } from '../../db/database.js';
import { openIncident } from '../../db/open-incident.js';
import { deliverDue, RecipientAway } from '../../db/outbox.js';
import { outbox } from '../../db/schema.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';

let database: FreshDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.close());

/** As many incidents as asked for, whose starts wait in this order. */
async function haveStarts(count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const rest = { workspaceId: 'shop', trigger: 'alert', title: 'slow', startedBy: null, labels: {}, targets: null, severityThreshold: 'LOW', severity: null } as const;
  for (const id of ids) await openIncident(database.db, { id, fingerprint: id, ...rest });
  return ids;
}

const rows = () => database.db.select().from(outbox).orderBy(asc(outbox.createdAt));
const never = () => false;

it('what is delivered is committed at once, whatever becomes of the next', async () => {
  const ids = await haveStarts(3);
  const seen: string[] = [];
  await deliverDue(
    database.db,
    async ({ incident }) => {
      expect((await rows()).filter(({ deliveredAt }) => deliveredAt !== null)).toHaveLength(seen.length);
      seen.push(incident.id);
    },
    never,
  );
  expect(seen).toEqual(ids);
});

it('one that fails keeps its error and waits, and does not hold up the others', async () => {
  const [first] = await haveStarts(3);
  await deliverDue(database.db, ({ incident }) => (incident.id === first ? Promise.reject(new Error('no such workspace')) : Promise.resolve()), never);
  expect(await rows()).toMatchObject([
    { attempts: 1, lastError: 'Error: no such workspace', deliveredAt: null },
    { attempts: 0, deliveredAt: expect.any(Date) },
    { attempts: 0, deliveredAt: expect.any(Date) },
  ]);
});

it('nobody else is tried once the recipient is away, nor after the end', async () => {
  await haveStarts(3);
  let tried = 0;
  const deliver = async () => {
    tried += 1;
    throw new RecipientAway('away');
  };
  await deliverDue(database.db, deliver, never);
  expect(tried).toBe(1);
  await deliverDue(database.db, deliver, () => true);
  expect(tried).toBe(1);
  expect((await rows()).map(({ attempts }) => attempts)).toEqual([1, 0, 0]);
});

it('two dispatchers share the work and double nothing', async () => {
  const ids = await haveStarts(20);
  const seen: string[] = [];
  const deliver = async ({ incident }: { readonly incident: { readonly id: string } }) => void seen.push(incident.id);
  await Promise.all([deliverDue(database.db, deliver, never), deliverDue(database.db, deliver, never)]);
  expect(seen.toSorted()).toEqual(ids.toSorted());
});

it('an installation is known by its database, also to a role that has no rights of its own', async () => {
  const url = new URL(database.url);
  url.username = `plain_${randomUUID().slice(0, 8)}`;
  url.password = 'plain';
  const server = new pg.Client({ connectionString: database.url });
  await server.connect();
  await server.query(`create role ${url.username} login password 'plain'; grant ${APP_ROLE} to ${url.username}`);
  const plain = openDatabase(url.href, { max: 1 });
  const other = await freshDatabase();
  try {
    const installation = await readInstallation(database.db);
    expect(installation).toMatch(/^[0-9a-f]{16}$/);
    expect(await readInstallation(plain.db)).toBe(installation);
    expect(await readInstallation(other.db)).not.toBe(installation);
  } finally {
    await other.close();
    await plain.close();
    await server.query(`drop role ${url.username}`);
    await server.end();
  }
});
