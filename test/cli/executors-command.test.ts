import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { executors } from '../../db/schema.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { openTerminal, type Terminal } from './terminal.js';

let terminal: Terminal;
beforeAll(async () => {
  terminal = await openTerminal();
});
afterAll(closeApis);

it('sluice executors lists who is there, who was, and what each lacks', async () => {
  expect(await terminal.run('executors', { caller: 'viewer' })).toMatchObject({ code: 0, out: expect.stringContaining('sluice worker --queue QUEUE') });
  const row = { workspaceId, place: randomUUID(), version: '1.2.3', capabilities: { targets: ['web-1'], lacks: [] } };
  const lacking = { targets: ['web-2'], lacks: ['there is no docker on this machine'] };
  await terminal.api.db.insert(executors).values([
    { ...row, queue: 'edge', workerId: randomUUID() },
    { ...row, queue: 'far', workerId: randomUUID(), capabilities: lacking, lastSeenAt: new Date(Date.now() - 3_600_000) },
    { ...row, queue: 'gone', workerId: randomUUID(), lastSeenAt: new Date(Date.now() - 2 * 86_400_000) },
  ]);
  const { out } = await terminal.run('executors', { caller: 'viewer' });
  expect(out.split('\n')).toEqual([expect.stringMatching(/^edge +up +version 1\.2\.3 +0 in hand +web-1 +lacks nothing$/), expect.stringMatching(/^far +lost since .+Z +version 1\.2\.3 +0 in hand +web-2 +there is no docker on this machine$/)]);
});

it('sluice worker says in one error what it needs', async () => {
  expect(await terminal.run('worker --queue edge')).toMatchObject({ code: 1, err: expect.stringMatching(/SLUICE_KEYS is not set[\s\S]*SLUICE_CONFIG is not set/) });
});
