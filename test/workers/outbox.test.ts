import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { cancelSignal, incidentWorkflowId } from '../../contracts/messages.js';
import { openIncident } from '../../db/open-incident.js';
import { adoptPolicy } from '../../db/policies.js';
import { outbox } from '../../db/schema.js';
import type { Workspace } from '../../domain/watch.js';
import { readWatch } from '../../workers/read-watch.js';
import { startOutbox } from '../../workers/outbox.js';
import { aPolicy } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { until } from '../harness/until.js';

let database: FreshDatabase;
beforeEach(async () => {
  database = await freshDatabase();
  await adoptPolicy(database.db, workspaceId, aPolicy());
});
afterEach(() => database.close());

const workspaceId = `w-${randomUUID().slice(0, 8)}`;
const workspaces: readonly Workspace[] = readWatch('').map((workspace) => ({ ...workspace, id: workspaceId }));

async function haveIncident(): Promise<string> {
  const id = randomUUID();
  const rest = { workspaceId, trigger: 'alert', title: 'slow', startedBy: null, labels: {}, targets: null, severityThreshold: 'LOW', severity: null } as const;
  await openIncident(database.db, { id, fingerprint: id, ...rest });
  return id;
}

function begin(client: Client) {
  const warned: { readonly details: object; readonly message: string }[] = [];
  const take = (details: object, message: string) => void warned.push({ details, message });
  return { warned, ...startOutbox({ db: database.db, databaseUrl: database.url, client, workspaces, log: { info: take, warn: take, error: take } }) };
}

const rows = () => database.db.select().from(outbox);

it('while Temporal hears and never answers, a delivery is given up, its error told, and the outbox can be stopped', async () => {
  const sockets = new Set<Socket>();
  const blackHole = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => blackHole.listen(0, '127.0.0.1', resolve));
  const connection = Connection.lazy({ address: `127.0.0.1:${(blackHole.address() as AddressInfo).port}` });
  let running: ReturnType<typeof begin> | undefined;
  try {
    await haveIncident();
    await haveIncident();
    running = begin(new Client({ connection }));
    await until('the first attempt', async () => (await rows()).some(({ attempts, lastError }) => attempts > 0 && lastError === 'RecipientAway: Temporal does not answer'), 6_000);
    expect(running.warned[0]).toMatchObject({ details: { err: expect.any(Error) }, message: 'not delivered, tried again soon' });
  } finally {
    await running?.stop();
    await connection.close();
    for (const socket of sockets) socket.destroy();
    blackHole.close();
  }
});

it('a message for an open incident whose workflow was terminated starts it anew and reaches it', async () => {
  const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
  const client = new Client({ connection });
  const incidentId = await haveIncident();
  const handle = client.workflow.getHandle(incidentWorkflowId(workspaceId, incidentId));
  const running = begin(client);
  try {
    await until('the start', async () => (await rows()).every(({ deliveredAt }) => deliveredAt !== null));
    // What was lost before is found by looking; this one is lost after.
    await until('the workflow', async () => (await handle.describe()).status.name === 'RUNNING');
    const { runId } = await handle.describe();
    await handle.terminate('by hand');
    await database.db.insert(outbox).values({ workspaceId, incidentId, message: { kind: 'decision', decisionId: randomUUID(), gateKind: 'cancel' } });
    await until('the message', async () => (await rows()).every(({ deliveredAt }) => deliveredAt !== null));
    const again = await handle.describe();
    expect([again.status.name, again.runId === runId]).toEqual(['RUNNING', false]);
    const { events } = await handle.fetchHistory();
    expect(events?.map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)).toContain(cancelSignal.name);
    expect(running.warned).toMatchObject([{ details: { incidentId }, message: expect.stringContaining('restarted') }]);
  } finally {
    await running.stop();
    await handle.terminate('the test is over').catch(() => {});
    await connection.close();
  }
});

it('a message for an incident that closed meanwhile is delivered to nobody and starts nothing', async () => {
  const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
  const client = new Client({ connection });
  const incidentId = await haveIncident();
  await database.db.execute(`update outbox set message = '{"kind": "resolved"}'`);
  await database.db.execute(`update incidents set phase = 'CLOSED', outcome = 'RESOLVED', closed_at = now()`);
  const running = begin(client);
  try {
    await until('the message', async () => (await rows()).every(({ deliveredAt }) => deliveredAt !== null));
    await expect(client.workflow.getHandle(incidentWorkflowId(workspaceId, incidentId)).describe()).rejects.toThrow('not found');
  } finally {
    await running.stop();
    await connection.close();
  }
});
