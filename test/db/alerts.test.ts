import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { receiveAlerts } from '../../db/alerts.js';
import { alerts, incidents, outbox } from '../../db/schema.js';
import type { Alert } from '../../domain/alert.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { until } from '../harness/until.js';

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const alert = (fingerprint: string, state: Alert['state'] = 'firing'): Alert => ({ source: 'json', fingerprint, state, title: fingerprint, severity: null, labels: {}, startsAt: null });
const receive = (...batch: readonly Alert[]) => receiveAlerts(database.db, 'shop', batch, () => randomUUID());
const findOpen = async (fingerprint: string) =>
  (await database.db.select().from(incidents).where(eq(incidents.fingerprint, `alert:${fingerprint}`))).filter(({ closedAt }) => closedAt === null);

it('an alert that comes while its incident closes is in a new incident, not in one that nobody reads', async () => {
  const { db } = database;
  const [first] = await receive(alert('closing'));
  let commit = () => {};
  const mayCommit = new Promise<void>((resolve) => (commit = resolve));
  const closing = db.transaction(async (tx) => {
    await tx.update(incidents).set({ phase: 'CLOSED', outcome: 'RESOLVED', closedAt: sql`now()` }).where(eq(incidents.id, first?.incidentId ?? ''));
    await mayCommit;
  });
  const receiving = receive(alert('closing'));
  await until('it to wait for the closing', async () => (await database.asOwner("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0);
  commit();
  await closing;
  const [second] = await receiving;
  expect(await findOpen('closing')).toMatchObject([{ id: second?.incidentId }]);
  expect(second?.isNew).toBe(true);
  expect(await db.select().from(alerts).where(eq(alerts.incidentId, second?.incidentId ?? ''))).toMatchObject([{ times: 1, state: 'firing' }]);
});

it('two batches that share troubles in opposite roles both come through', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `shared-${index}`);
  await receive(...names.map((name) => alert(name)));
  const even = names.map((name, index) => alert(name, index % 2 === 0 ? 'firing' : 'resolved'));
  const odd = names.map((name, index) => alert(name, index % 2 === 0 ? 'resolved' : 'firing')).toReversed();
  for (let round = 0; round < 10; round += 1) await expect(Promise.all([receive(...even), receive(...odd), receive(...even.toReversed())])).resolves.toHaveLength(3);
});

it('a batch is taken in whole or not at all', async () => {
  const before = await database.db.select().from(outbox);
  const unstorable = { ...alert('b'), title: 'a\0b' };
  await expect(receive(alert('a'), unstorable, alert('c'))).rejects.toThrow('Failed query');
  expect([await findOpen('a'), await findOpen('c'), await database.db.select().from(outbox)]).toEqual([[], [], before]);
});

it('one that fires and is resolved in one batch does both', async () => {
  const [received] = await receive(alert('brief'), alert('brief', 'resolved'));
  const messages = await database.db.select().from(outbox).where(eq(outbox.incidentId, received?.incidentId ?? ''));
  expect(messages.map(({ message }) => message.kind)).toEqual(['start', 'resolved']);
});
