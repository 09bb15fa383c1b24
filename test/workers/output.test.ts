import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { createParser } from 'eventsource-parser';
import { incidentWorkflowId } from '../../contracts/messages.js';
import { decide } from '../../db/decisions.js';
import { openIncident } from '../../db/open-incident.js';
import { gates, incidents } from '../../db/schema.js';
import { createScript } from '../../db/scripts.js';
import type { GateKind } from '../../domain/gate.js';
import { closeApis, openApi, workspaceId } from '../api/open-api.js';
import { plainScript } from '../builders.js';
import { describeNeeds } from '../harness/describe-needs.js';
import { openScriptService } from '../harness/script-service.js';
import { until } from '../harness/until.js';
import { startWorkerProcess } from '../harness/worker-process.js';

const LINES = 1_000_000;
const CUTS = 100;
const MEAN_READ_BYTES = 160_000;
const MiB = 1_048_576;

afterAll(closeApis);

describeNeeds({ program: 'bwrap', debianPackage: 'bubblewrap' })('a million lines', () => {
  it('come through whole to a reader who is cut off a hundred times, without a worker that grows or a history that does', async () => {
    const service = await openScriptService();
    const api = await openApi();
    const { db } = api;
    const url = await api.app.listen({ port: 0, host: '127.0.0.1' });
    const config = join(service.folder, 'sluice.yaml');
    await writeFile(config, `version: 1\nworkspaces:\n  ${workspaceId}:\n    stabilization: 1s${service.toTargets()}`);
    await createScript(db, {
      ...plainScript,
      id: randomUUID(),
      workspaceId,
      name: 'Print Much',
      description: 'Prints a million lines, and then does what helps.',
      type: 'BASH',
      command: `seq -f 'line %.0f of a million, each of them told' 1 ${LINES}\n${service.fix}\n`,
      parameters: [],
      category: 'serviceDegraded',
      risk: 'MEDIUM',
      estimatedDurationMs: 10_000,
      timeoutMs: 300_000,
      paths: [service.home],
      enabled: true,
      createdBy: 'author',
    });
    const worker = await startWorkerProcess({ DATABASE_URL: api.databaseUrl, SLUICE_KEYS: api.keysFolder, SLUICE_CONFIG: config, SLUICE_RUNS: join(service.folder, 'runs') });
    try {
      const id = randomUUID();
      await openIncident(db, { id, workspaceId, trigger: 'alert', title: 'slow', fingerprint: id, startedBy: null, labels: {}, targets: ['service'], severityThreshold: 'LOW', severity: null });
      const openGate = (kind: GateKind) =>
        until(`the ${kind} gate`, async () => (await db.select().from(gates).where(and(eq(gates.incidentId, id), eq(gates.kind, kind), eq(gates.state, 'open'))))[0], 180_000);
      const approve = async (kind: GateKind) => {
        const gate = await openGate(kind);
        const actor = { person: 'sven', role: 'supervisor', workspaceId } as const;
        for (const verdict of gate.reviewNeeded ? (['review', 'approve'] as const) : (['approve'] as const))
          await decide(db, (decision) => api.keyring.sign('decision', decision), id, { id: randomUUID(), gateId: gate.id, verdict, digest: gate.digest, actor, reason: 'seen', confirmation: 'Print Much' });
      };

      await openGate('execution');
      const before = await readMemory(worker.pid);
      let most = 0;
      const watching = setInterval(() => void readMemory(worker.pid).then((bytes) => (most = Math.max(most, bytes)), () => {}), 20);
      await approve('execution');
      const reading = readAll(`${url}/api/incidents/${id}/tail`, api.tokenOf('viewer'));
      await openGate('verification');
      clearInterval(watching);
      await approve('verification');
      const { lines, cuts } = await reading;

      expect(lines).toBe(LINES);
      expect(cuts).toBeGreaterThanOrEqual(CUTS);
      expect((most - before) / MiB).toBeLessThan(100);
      const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
      const { historyLength } = await new Client({ connection }).workflow.getHandle(incidentWorkflowId(workspaceId, id)).describe();
      await connection.close();
      expect(historyLength).toBeLessThan(80);
      expect((await db.select().from(incidents).where(eq(incidents.id, id)))[0]?.outcome).toBe('RESOLVED');
    } finally {
      await worker.stop();
      await service.close();
    }
  }, 300_000);
});

/** What a process has in memory, in bytes. */
async function readMemory(pid: number): Promise<number> {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** Reads a tail to its end, goes away at a random byte again and again, and comes back behind the last whole event. Fails at a line that is missing or told twice. */
async function readAll(url: string, token: string): Promise<{ readonly lines: number; readonly cuts: number }> {
  let last = 0;
  let lines = 0;
  let cuts = 0;
  let isDone = false;
  const parser = createParser({
    onEvent({ id, event, data }) {
      if (event === 'output') {
        const { text, firstLine } = JSON.parse(data) as { readonly text: string; readonly firstLine: number };
        if (firstLine !== lines + 1) throw new Error(`line ${firstLine} came after line ${lines}`);
        lines += text.split('\n').length;
        if (!text.slice(text.lastIndexOf('\n') + 1).includes(`line ${lines} of`)) throw new Error(`line ${lines} is not what was printed`);
      }
      last = Number(id);
      isDone = event === 'done';
    },
  });
  while (!isDone) {
    const response = await fetch(url, { headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, 'last-event-id': `${last}` } });
    let leftBytes = cuts < 2 * CUTS ? Math.floor(2 * MEAN_READ_BYTES * Math.random()) : Number.POSITIVE_INFINITY;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const bytes = chunk.subarray(0, leftBytes);
      leftBytes -= bytes.length;
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (leftBytes <= 0) {
        cuts += 1;
        break;
      }
    }
    parser.reset();
  }
  return { lines, cuts };
}
