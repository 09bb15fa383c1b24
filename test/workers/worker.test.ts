import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { decide } from '../../db/decisions.js';
import { openIncident } from '../../db/open-incident.js';
import { executions, gates, incidents } from '../../db/schema.js';
import { seedLibrary } from '../../db/scripts.js';
import { readTail } from '../../db/tail-reads.js';
import type { GateKind } from '../../domain/gate.js';
import { openBlockedDatabase, type BlockedDatabase } from '../harness/blocked-database.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { freshKeys, type FreshKeys } from '../harness/keys.js';
import { openReceiver } from '../harness/receiver.js';
import { until } from '../harness/until.js';

const main = fileURLToPath(new URL('../../workers/main.ts', import.meta.url));

let database: FreshDatabase;
let keys: FreshKeys;
let target: BlockedDatabase;
let folder: string;
let worker: ChildProcess | undefined;
const workspaceId = `w-${randomUUID().slice(0, 8)}`;

const yaml = (sweep: string) => `
version: 1
workspaces:
  ${workspaceId}:
    stabilization: 2s
    ${sweep}
    targets:
      shop-db:
        kind: postgres
        connection: { env: TARGET_URL }
        executor: sql
        postgres: { blockedSessions: 2 }
`;

async function startWorker(sweep = ''): Promise<void> {
  writeFileSync(join(folder, 'sluice.yaml'), yaml(sweep));
  const child = fork(main, {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      SLUICE_KEYS: keys.folder,
      TEMPORAL_ADDRESS: process.env['TEST_TEMPORAL_ADDRESS'],
      SLUICE_WORKFLOW_BUNDLE: process.env['TEST_WORKFLOW_BUNDLE'],
      SLUICE_CONFIG: join(folder, 'sluice.yaml'),
      SLUICE_LOG_LEVEL: 'fatal',
      TARGET_URL: target.url,
    },
  });
  worker = child;
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
  });
}

async function endWorker(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const child = worker;
  worker = undefined;
  if (child === undefined || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-worker-'));
  [database, target, keys] = await Promise.all([freshDatabase(), openBlockedDatabase(), freshKeys()]);
  await seedLibrary(database.db, workspaceId);
});
afterEach(async () => {
  await endWorker('SIGTERM');
  await target.close();
  await database.close();
  await keys.close();
  rmSync(folder, { recursive: true });
});

async function openAlert(): Promise<string> {
  const id = randomUUID();
  const rest = { title: 'slow', fingerprint: id, startedBy: null, labels: {}, targets: null, severityThreshold: 'LOW', severity: null } as const;
  await openIncident(database.db, { id, workspaceId, trigger: 'alert', ...rest });
  return id;
}

const openGate = (incidentId: string, kind: GateKind) =>
  until(`the ${kind} gate`, async () => {
    const rows = await database.db.select().from(gates).where(and(eq(gates.incidentId, incidentId), eq(gates.kind, kind), eq(gates.state, 'open')));
    return rows[0];
  });

async function approve(incidentId: string, kind: GateKind): Promise<void> {
  const gate = await openGate(incidentId, kind);
  const actor = { person: 'ana', role: 'responder', workspaceId } as const;
  await decide(database.db, (decision) => keys.keyring.sign('decision', decision), incidentId, { id: randomUUID(), gateId: gate.id, verdict: 'approve', digest: gate.digest, actor, reason: null });
}

/** What a person finds in the Temporal Web UI under this gate. */
const waitingFor = (gate: GateKind) =>
  until('the search attribute', async () => {
    const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
    const found: string[] = [];
    const query = `SluiceGate = '${gate}' and SluicePhase = 'EXECUTION_GATE' and SluiceWorkspace = '${workspaceId}' and SluiceSeverity is not null`;
    for await (const { workflowId } of new Client({ connection }).workflow.list({ query })) found.push(workflowId);
    await connection.close();
    return found.length > 0 && found;
  });

const closed = (incidentId: string) =>
  until('the end', async () => (await database.db.select().from(incidents).where(eq(incidents.id, incidentId)))[0]?.outcome ?? undefined, 30_000);

describe('a worker', () => {
  it('that is killed while an incident waits at each gate loses nothing: what is approved runs once', async () => {
    const holder = await target.block();
    await startWorker();
    const incidentId = await openAlert();
    await openGate(incidentId, 'execution');
    await endWorker('SIGKILL');
    expect(await target.isAlive(holder)).toBe(true);
    await approve(incidentId, 'execution');

    await startWorker();
    await openGate(incidentId, 'verification');
    await endWorker('SIGKILL');
    expect(await target.isAlive(holder)).toBe(false);
    await approve(incidentId, 'verification');

    await startWorker();
    expect(await closed(incidentId)).toBe('RESOLVED');
    expect(await database.db.select().from(executions)).toMatchObject([{ state: 'succeeded' }]);
  }, 90_000);

  it('sweeps its targets on a Temporal Schedule: opens one incident for what is unwell, and closes it when it recovered by itself', async () => {
    const holder = await target.block();
    await startWorker('sweep: { every: 1s }');
    const found = await until('an incident', async () => (await database.db.select().from(incidents))[0]);
    expect(found).toMatchObject({ trigger: 'schedule', fingerprint: 'sweep:shop-db' });
    await openGate(found.id, 'execution');
    expect(await waitingFor('execution')).toContain(`incident:${workspaceId}:${found.id}`);
    await target.end(holder);
    expect(await closed(found.id)).toBe('RECOVERED');
    expect(await database.db.select().from(incidents)).toHaveLength(1);
    expect(await database.db.select().from(executions)).toEqual([]);
  }, 60_000);

  it('takes up what was committed while it was away', async () => {
    await target.block();
    const incidentId = await openAlert();
    await startWorker();
    expect(await openGate(incidentId, 'execution')).toMatchObject({ planVersion: 1 });
  }, 60_000);

  it('tells people of the gate, and says in the tail that it did', async () => {
    const receiver = await openReceiver(() => ({ kind: 'answers', status: 204 }));
    try {
      const secret = join(folder, 'secret');
      writeFileSync(secret, 'a secret of the receiver');
      await target.block();
      const incidentId = await openAlert();
      await startWorker(`channels: { hook: { kind: webhook, url: "${receiver.url}", secret: { file: ${secret} }, groups: [responders] } }`);
      const gate = await openGate(incidentId, 'execution');
      await until('the tail', async () => (await readTail(database.db, incidentId, { after: 0, limit: 100 })).some(({ body }) => 'update' in body && body.update.text === 'Told hook (webhook): gate opened'));
      expect(receiver.received.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([{ kind: 'gateOpened', incidentId, gate: { id: gate.id, digest: gate.digest, planTitle: 'Database Connection Reset' } }]);
    } finally {
      await receiver.close();
    }
  }, 60_000);

  it('starts anew what somebody terminated while it was open, up to its gate again', async () => {
    const holder = await target.block();
    await startWorker();
    const incidentId = await openAlert();
    const before = await openGate(incidentId, 'execution');
    await endWorker('SIGTERM');
    const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
    await new Client({ connection }).workflow.getHandle(`incident:${workspaceId}:${incidentId}`).terminate('by hand');
    await connection.close();

    await startWorker();
    const again = await until('another gate', async () => {
      const gate = await openGate(incidentId, 'execution');
      return gate.id !== before.id && gate;
    });
    expect(again).toMatchObject({ digest: expect.any(String) });
    await approve(incidentId, 'execution');
    await openGate(incidentId, 'verification');
    expect(await target.isAlive(holder)).toBe(false);
  }, 60_000);
});
