import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { and, eq } from 'drizzle-orm';
import { decide } from '../../db/decisions.js';
import { openIncident } from '../../db/open-incident.js';
import { executions, gates, incidents, plans } from '../../db/schema.js';
import { seedLibrary } from '../../db/scripts.js';
import { readTail } from '../../db/tail-reads.js';
import type { GateKind } from '../../domain/gate.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { type ExecutorWorld, openExecutorWorld, queue } from '../harness/executor-worker.js';
import { until } from '../harness/until.js';
import { startWorkerProcess } from '../harness/worker-process.js';

let world: ExecutorWorld;
let shop: Server;
let control: Awaited<ReturnType<typeof startWorkerProcess>>;

const yaml = (url: string): string => `
version: 1
workspaces:
  ${workspaceId}:
    stabilization: 1s
    targets:
      checkout: { kind: http, url: "${url}" }
      web-1: { kind: host, queue: ${queue}, executor: host, serves: [checkout], units: [nginx] }
`;

beforeEach(async () => {
  world = await openExecutorWorld();
  await seedLibrary(world.api.db, workspaceId);
  shop = createServer((_, answer) => {
    world.host.listRestarts().then((restarts) => answer.writeHead(restarts.length > 0 ? 200 : 503).end(), () => answer.destroy());
  });
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const config = join(world.folder, 'sluice.yaml');
  await writeFile(config, yaml(`http://127.0.0.1:${(shop.address() as AddressInfo).port}`));
  control = await startWorkerProcess({ DATABASE_URL: world.api.databaseUrl, SLUICE_KEYS: world.api.keysFolder, SLUICE_CONFIG: config, SLUICE_RUNS: join(world.folder, 'runs') });
});
afterEach(async () => {
  await control.stop();
  await world.close();
  shop.close();
});
afterAll(closeApis);

const openGate = (incidentId: string, kind: GateKind) =>
  until(`the ${kind} gate`, async () => (await world.api.db.select().from(gates).where(and(eq(gates.incidentId, incidentId), eq(gates.kind, kind), eq(gates.state, 'open'))))[0], 40_000);

async function approve(incidentId: string, kind: GateKind): Promise<void> {
  const gate = await openGate(incidentId, kind);
  const actor = { person: 'sven', role: 'supervisor', workspaceId } as const;
  const answer = (verdict: 'review' | 'approve') =>
    decide(world.api.db, (decision) => world.api.keyring.sign('decision', decision), incidentId, { id: randomUUID(), gateId: gate.id, verdict, digest: gate.digest, actor, reason: 'the service hangs' });
  if (gate.reviewNeeded) await answer('review');
  await answer('approve');
}

it('a service that is unwell for no known reason is restarted on its host, by the executor worker there and nobody else', async () => {
  await world.startWorker();
  const id = randomUUID();
  await openIncident(world.api.db, { id, workspaceId, trigger: 'alert', title: 'checkout is down', fingerprint: id, startedBy: null, labels: {}, targets: ['checkout'], severityThreshold: 'LOW', severity: null });
  await approve(id, 'execution');
  await approve(id, 'verification');
  await until('the end', async () => (await world.api.db.select().from(incidents).where(eq(incidents.id, id)))[0]?.outcome === 'RESOLVED', 40_000);
  const [plan] = await world.api.db.select().from(plans);
  expect(JSON.parse(plan?.canonical ?? '')).toMatchObject({ title: 'Restart Service', steps: [{ type: 'command', target: 'web-1', queue, script: 'systemctl restart nginx', reach: 'host', wayBack: { kind: 'oneWay' } }] });
  expect(await world.host.listRestarts()).toEqual(['restart nginx.service']);
  expect(await world.api.db.select().from(executions)).toMatchObject([{ state: 'succeeded' }]);
  const text = (await readTail(world.api.db, id, { after: 0, limit: 100 })).map(({ body }) => JSON.stringify(body)).join('\n');
  expect(text).toContain('systemctl restart nginx.service: nginx.service is active');
}, 120_000);
