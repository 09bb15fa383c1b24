import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { notify } from '../../db/channels.js';
import { openTailListener, type TailListener } from '../../db/tail-listener.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { until } from '../harness/until.js';

let database: FreshDatabase;
let listener: TailListener;
beforeAll(async () => {
  database = await freshDatabase();
  listener = openTailListener(database.url);
});
afterAll(async () => {
  await listener.close();
  await database.close();
});

const listening = `from pg_stat_activity where datname = current_database() and query like 'listen%'`;

it('wakes those who follow the incident that is told of, and nobody else', async () => {
  const woken: string[] = [];
  const stops = ['a', 'b'].map((incidentId) => listener.subscribe(incidentId, () => void woken.push(incidentId)));
  await until('the first to be woken', async () => {
    await notify(database.db, 'tail', 'a');
    return woken.length > 0;
  });
  // What the connection's beginning woke does not count.
  woken.length = 0;
  await notify(database.db, 'tail', 'a');
  await until('the second', async () => woken.length > 0);
  stops.forEach((stop) => stop());
  await notify(database.db, 'tail', 'a');
  expect([...new Set(woken)]).toEqual(['a']);
});

it('wakes everyone after its connection was lost, and hears again', async () => {
  let times = 0;
  await until('a connection that listens', async () => (await database.asOwner(`select pid ${listening}`)).length === 1);
  const stop = listener.subscribe('a', () => (times += 1));
  await database.asOwner(`select pg_terminate_backend(pid) ${listening}`);
  await until('everyone to be woken', async () => times === 1);
  await notify(database.db, 'tail', 'a');
  await until('what is told', async () => times === 2);
  stop();
  expect(times).toBe(2);
});

it('can be closed at any moment: while it connects, and where nobody answers', async () => {
  await openTailListener(database.url).close();
  const lost = openTailListener('postgres://nobody:x@127.0.0.1:1/none');
  await until('it to have tried', async () => true);
  await expect(lost.close()).resolves.toBeUndefined();
});
