import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IncidentDetail, Gate } from '../../contracts/http.js';
import { createApiClient, type ApiClient } from '../../cli/client.js';
import { openBlockedDatabase, type BlockedDatabase } from '../harness/blocked-database.js';
import { npmStart, type NpmStart } from '../harness/npm-start.js';
import { until } from '../harness/until.js';

const yaml = `
version: 1
workspaces:
  shop:
    stabilization: 2s
    targets:
      shop-db: { kind: postgres, connection: { env: TARGET_URL }, executor: sql, postgres: { blockedSessions: 2 } }
`;

let folder: string;
let target: BlockedDatabase;
let running: NpmStart | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-start-'));
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, 'sluice.yaml'), yaml);
  target = await openBlockedDatabase();
});
afterEach(async () => {
  await running?.stop();
  await target.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<{ readonly started: NpmStart; readonly api: ApiClient }> {
  // Neither port is the usual one: somebody's own Sluice may run beside the tests.
  const started = await npmStart(join(folder, 'home'), { SLUICE_CONFIG: join(folder, 'sluice.yaml'), TARGET_URL: target.url, DATABASE_URL: '', TEMPORAL_ADDRESS: '' });
  running = started;
  return { started, api: createApiClient(started.apiUrl, started.token) };
}

const openGate = (api: ApiClient, incidentId: string, kind: Gate['kind']) =>
  until(`the ${kind} gate`, async () => {
    const { gate } = await api.get<IncidentDetail>(`/api/incidents/${incidentId}`);
    return gate?.kind === kind && gate.state === 'open' ? gate : undefined;
  }, 60_000);
const approve = async (api: ApiClient, incidentId: string, kind: Gate['kind']) =>
  api.post('/api/ai/sre/approve', { updateId: (await openGate(api, incidentId, kind)).updateId, approved: true, userId: 'admin' });

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('npm start', () => {
  it('that is killed with everything it runs finds the open gate when it starts again, and what is approved then runs once', async () => {
    const holder = await target.block();
    const first = await start();
    const { incidents } = await first.api.post<{ incidents: { incidentId: string }[] }>('/api/alerts/json', { title: 'orders are slow', fingerprint: randomUUID() });
    const incidentId = incidents[0]?.incidentId ?? '';
    const gate = await openGate(first.api, incidentId, 'execution');
    const pids = first.started.pids();
    expect(Object.keys(pids).toSorted()).toEqual(['api', 'postgres', 'temporal', 'worker']);
    await first.started.kill();

    const second = await start();
    expect(second.started.token).toBe(first.started.token);
    expect(await openGate(second.api, incidentId, 'execution')).toEqual(gate);
    expect(await target.isAlive(holder)).toBe(true);
    await approve(second.api, incidentId, 'execution');
    await approve(second.api, incidentId, 'verification');
    await until('the end', async () => (await second.api.get<IncidentDetail>(`/api/incidents/${incidentId}`)).outcome === 'RESOLVED', 60_000);
    expect(await target.isAlive(holder)).toBe(false);
    const { entries } = await second.api.get<{ entries: { event: string; data: { text: string } }[] }>(`/api/incidents/${incidentId}/tail`);
    expect(entries.filter(({ event, data }) => event === 'output' && data.text.startsWith('terminated session'))).toHaveLength(1);
  }, 240_000);

  it('ends on Ctrl-C with everything that it started and with nothing else', async () => {
    const { started } = await start();
    const pids = Object.values(started.pids());
    expect(pids.every(isRunning)).toBe(true);
    expect(await started.stop()).toBe(0);
    running = undefined;
    expect(pids.filter(isRunning)).toEqual([]);
  }, 120_000);
});
