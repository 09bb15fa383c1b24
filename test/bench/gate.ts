import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { toExecutionKey } from '../../activities/digest.js';
import { buildApp } from '../../api/app.js';
import { openCheckpoints } from '../../api/checkpoints.js';
import { openIncident } from '../../db/open-incident.js';
import { adoptPolicy } from '../../db/policies.js';
import { gates } from '../../db/schema.js';
import { createScript } from '../../db/scripts.js';
import { openTailListener } from '../../db/tail-listener.js';
import { createToken } from '../../db/tokens.js';
import { makeFirstKey, openKeyring, PUBLIC_KEYS } from '../../keys/keyring.js';
import { freshDatabase } from '../harness/database.js';
import { startServers } from '../harness/start-servers.js';
import { revokeDelete } from '../harness/story.js';
import { until } from '../harness/until.js';
import { bareQueue, benchTargets, benchWorkspace } from './bench-workspace.js';
import { inspector } from '../harness/inspector.js';

const KILL_WINDOW_MS = 10_000;
const GATES_IN_WINDOW = 20;
const SLOWEST_ALLOWED_MS = 1_500;

export interface GateFigures {
  readonly samples: number;
  readonly gateMs: Percentiles;
  readonly bareMs: Percentiles;
  readonly ratio: Percentiles;
  readonly slowestAfterKillMs: number;
  readonly slowestAllowedMs: number;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds from an HTTP approval being accepted to the executor being entered, beside those from a bare workflow's signal to its activity. */
export async function measureGate(samples: number, say: (line: string) => void): Promise<GateFigures> {
  const servers = await startServers();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const database = await freshDatabase();
  const { db, requests } = database;
  const keys = join(folder, 'keys');
  await makeFirstKey(keys);
  const keyring = openKeyring(keys);
  const listener = openTailListener(database.url);
  const checkpoints = openCheckpoints({ db, keyring, folder: '' });
  const app = await buildApp({ db, requests, listener, keyring, checkpoints, inspector, bodyLimitBytes: 65_536, temporalUi: null, webFolder: '/nowhere', logger: false });
  const apiUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  const token = await createToken(db, { person: 'ana', role: 'supervisor', workspaceId: benchWorkspace.id });
  await adoptPolicy(db, benchWorkspace.id, benchWorkspace.startingPolicy);
  await createScript(db, { ...revokeDelete, id: randomUUID(), workspaceId: benchWorkspace.id });
  const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
  const client = new Client({ connection });

  const enteredAt = new Map<string, number>();
  async function startWorker(): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL('bench-worker.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, BENCH_DATABASE_URL: database.url, BENCH_PUBLIC_KEYS: join(keys, PUBLIC_KEYS) },
    });
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: { readonly ready?: true; readonly entered?: string; readonly at?: number }) => {
        if (message.ready) resolve();
        if (message.entered !== undefined && message.at !== undefined && !enteredAt.has(message.entered)) enteredAt.set(message.entered, message.at);
      });
      child.once('exit', () => reject(new Error('the worker ended; see above')));
    });
    return child;
  }
  const untilEntered = (id: string): Promise<number> => until(`${id} entered`, async () => enteredAt.get(id), 60_000);

  let targetsTaken = 0;
  async function openGates(count: number): Promise<readonly (typeof gates.$inferSelect)[]> {
    const ids: readonly string[] = Array.from({ length: count }, () => randomUUID());
    for (const id of ids) {
      const opening = { id, workspaceId: benchWorkspace.id, title: 'bench', fingerprint: id, startedBy: null, labels: {}, targets: benchTargets.slice(targetsTaken, ++targetsTaken) };
      await openIncident(db, { ...opening, trigger: 'alert', severityThreshold: 'LOW', severity: null });
    }
    return until(
      `${count} gates`,
      async () => {
        const open = (await db.select().from(gates).where(and(eq(gates.state, 'open'), eq(gates.kind, 'execution')))).filter(({ incidentId }) => ids.includes(incidentId));
        return open.length === count ? open : undefined;
      },
      300_000,
    );
  }

  /** Approves by HTTP; answers when the answer came, and under which key its one step runs. */
  async function approve({ id, incidentId, digest }: typeof gates.$inferSelect): Promise<{ readonly acceptedAt: number; readonly key: string }> {
    const response = await fetch(`${apiUrl}/api/incidents/${incidentId}/decisions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ gateId: id, digest, verdict: 'approve' }),
    });
    const acceptedAt = Date.now();
    if (!response.ok) throw new Error(`the approval was refused: ${await response.text()}`);
    return { acceptedAt, key: toExecutionKey(digest ?? '', '1', 'execute') };
  }

  const workers: ChildProcess[] = [];
  try {
    workers.push(await startWorker());
    say(`opening ${samples} gates`);
    const open = await openGates(samples);
    const gateMs: number[] = [];
    const bareMs: number[] = [];
    for (const [index, gate] of open.entries()) {
      const { acceptedAt, key } = await approve(gate);
      gateMs.push((await untilEntered(key)) - acceptedAt);
      const id = `bare-${index}`;
      const handle = await client.workflow.start('bare', { taskQueue: bareQueue, workflowId: `${id}-${randomUUID()}`, args: [id] });
      await wait(20); // its first task is behind it
      const signalledAt = Date.now();
      await handle.signal('go');
      bareMs.push((await untilEntered(id)) - signalledAt);
      if ((index + 1) % 50 === 0) say(`${index + 1} of ${samples} gates`);
    }

    say('killing a worker while another one is up');
    const waiting = await openGates(GATES_IN_WINDOW);
    workers.push(await startWorker());
    const [victim] = workers;
    if (victim === undefined) throw new Error('there is no worker to kill');
    victim.removeAllListeners('exit');
    victim.kill('SIGKILL');
    // While a process dies its connections are open, and Temporal still hands it tasks; those come back after their 10 s.
    await once(victim, 'exit');
    const killedAt = Date.now();
    const latencies = await Promise.all(
      waiting.map(async (gate, index) => {
        await wait(Math.max(0, killedAt + (index * KILL_WINDOW_MS) / GATES_IN_WINDOW - Date.now()));
        const { acceptedAt, key } = await approve(gate);
        return (await untilEntered(key)) - acceptedAt;
      }),
    );
    say(`milliseconds of each, in the order they were approved: ${latencies.join(' ')}`);
    const [gate, bare] = [toPercentiles(gateMs), toPercentiles(bareMs)];
    const ratio = { p50: toRatio(gate.p50, bare.p50), p99: toRatio(gate.p99, bare.p99) };
    return { samples, gateMs: gate, bareMs: bare, ratio, slowestAfterKillMs: Math.max(...latencies), slowestAllowedMs: SLOWEST_ALLOWED_MS };
  } finally {
    for (const worker of workers) {
      worker.removeAllListeners('exit');
      worker.kill('SIGKILL');
    }
    await app.close();
    await listener.close();
    await connection.close();
    await database.close();
    await servers.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const toRatio = (one: number, other: number): number => Number((one / Math.max(1, other)).toFixed(1));

function toPercentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
