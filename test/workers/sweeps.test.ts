import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { sweepScheduleId } from '../../contracts/messages.js';
import type { Workspace } from '../../domain/watch.js';
import { readWatch } from '../../workers/read-watch.js';
import { arrangeSweeps } from '../../workers/sweeps.js';
import { until } from '../harness/until.js';

let connection: Connection;
let client: Client;
beforeAll(async () => {
  connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
  client = new Client({ connection });
});
afterAll(() => connection.close());

const swept = (id: string, sweepEveryMs = 3_600_000): readonly Workspace[] => readWatch('').map((workspace) => ({ ...workspace, id, sweepEveryMs }));
const warned: object[] = [];
const log = { info: () => {}, warn: (details: object) => void warned.push(details), error: () => {} };
const listed = async () => {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
  return ids;
};

it('a worker arranges its own schedules and leaves those of another installation alone', async () => {
  const [ours, theirs] = [randomUUID(), randomUUID()].map(sweepScheduleId);
  const [we, they] = [randomUUID(), randomUUID()];
  await arrangeSweeps(client, swept(theirs?.slice('sweep:'.length) ?? ''), they, log);
  await arrangeSweeps(client, swept(ours?.slice('sweep:'.length) ?? ''), we, log);
  await until('both to be listed', async () => (await listed()).filter((id) => id === ours || id === theirs).length === 2);
  await arrangeSweeps(client, [], we, log);
  await until('ours to be gone', async () => !(await listed()).includes(ours ?? ''));
  expect(await listed()).toContain(theirs);
  expect(warned).toEqual([]);
  await arrangeSweeps(client, [], they, log);
});

it('a schedule of the same name becomes ours, and says so', async () => {
  const id = randomUUID();
  await arrangeSweeps(client, swept(id), 'they', log);
  await arrangeSweeps(client, swept(id, 60_000), 'we', log);
  await arrangeSweeps(client, swept(id, 120_000), 'we', log);
  expect(warned).toEqual([{ scheduleId: sweepScheduleId(id) }]);
  const handle = client.schedule.getHandle(sweepScheduleId(id));
  expect(await handle.describe()).toMatchObject({ memo: { installation: 'we' }, spec: { intervals: [{ every: 120_000 }] } });
  await handle.delete();
});
