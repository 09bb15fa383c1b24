import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freeze, toExecutionKey } from '../../activities/digest.js';
import { createRemoteExecutor } from '../../activities/adapters/remote-executor.js';
import type { Change, Executor } from '../../activities/ports.js';
import { createExecutorCalls } from '../../db/executor-calls.js';
import { decisions, executions, gates, plans } from '../../db/schema.js';
import { createToken } from '../../db/tokens.js';
import type { SignedDecision } from '../../domain/grant.js';
import type { Step } from '../../domain/plan.js';
import { openApi, workspaceId } from '../api/open-api.js';
import { haveIncident } from '../api/records.js';
import { aPlan } from '../builders.js';
import { openFakeHost } from './fake-host.js';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
export const queue = 'edge';

const toYaml = (paths: readonly string[]): string => `
version: 1
workspaces:
  ${workspaceId}:
    onFailedVerification: rollBack
    targets:
      web-1: { kind: host, queue: ${queue}, executor: host, units: [nginx], containers: [web], paths: ${JSON.stringify(paths)}, secrets: { token: { env: EDGE_TOKEN } } }
`;

/** A secret that only the host of the queue has. */
export const edgeToken = 'correct-horse-battery';

/** A real API on a real Postgres, a host of its own whose scripts may be given these paths, and executor workers as processes that reach nothing else. */
export async function openExecutorWorld({ paths = [] }: { readonly paths?: readonly string[] } = {}) {
  const [api, host, folder] = await Promise.all([openApi(), openFakeHost(['nginx.service', 'web']), mkdtemp(join(tmpdir(), 'sluice-executor-'))]);
  const { db, keyring } = api;
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
  await writeFile(join(folder, 'sluice.yaml'), toYaml(paths));
  const token = await createToken(db, { workspaceId, person: queue, role: 'executor' });
  const workers = new Set<ChildProcess>();
  const remote = createRemoteExecutor(createExecutorCalls(db), { unseenMs: 500, unseenSettleMs: 20_000 });

  async function startWorker(env: Readonly<Record<string, string>> = {}): Promise<ChildProcess> {
    const child = fork(main, ['worker', '--queue', queue], {
      execArgv: ['--import', 'tsx'],
      // Neither a database nor Temporal.
      env: { PATH: process.env['PATH'], SLUICE_URL: url, SLUICE_TOKEN: token, SLUICE_CONFIG: join(folder, 'sluice.yaml'), SLUICE_KEYS: api.keysFolder, SLUICE_RUNS: host.runs, SLUICE_HOST_PATH: host.path, SLUICE_LOG_LEVEL: 'fatal', EDGE_TOKEN: edgeToken, ...env },
    });
    workers.add(child);
    const isReady = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)]);
    if (!isReady) throw new Error(`the executor worker ended with ${child.exitCode}`);
    return child;
  }

  async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    workers.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** What the claim of a plan with this step leaves in the record; returns the key. `sign` may forge. */
  async function grant(step: Step, sign: (decision: SignedDecision) => Promise<string> = (decision) => keyring.sign('decision', decision), kind: Change['kind'] = 'execute'): Promise<string> {
    const incidentId = await haveIncident(db);
    const plan = aPlan({ workspaceId, incidentId, steps: [step] });
    const { canonical, digest } = freeze(plan);
    const gateId = randomUUID();
    const ids = { workspaceId, incidentId, digest };
    await db.insert(plans).values({ incidentId, version: 1, scriptId: plan.scriptId, category: 'serviceDegraded', digest, canonical, confidence: { value: 60, tier: 'MEDIUM', factors: [], caps: [] }, rehearsal: [] });
    await db.insert(gates).values({ ...ids, id: gateId, kind: 'execution', state: 'approved', planVersion: 1, mode: 'people', approvalsNeeded: 1, roleNeeded: 'supervisor', reviewNeeded: false, excluded: [], updateId: randomUUID(), settledAt: new Date() });
    const decide = async (verdict: 'approve' | 'rollBack'): Promise<string> => {
      // Taken back once the incident is closed, so at no gate.
      const at = verdict === 'approve' ? gateId : null;
      const decision = { ...ids, gateId: at, verdict, person: 'sven', role: 'supervisor' } as const;
      const id = randomUUID();
      const now = Date.now();
      const signature = await sign({ ...decision, decisionId: id, gateKind: at === null ? null : 'execution', planVersion: 1, decidedAt: now, expiresAt: now + 60_000 });
      await db.insert(decisions).values({ ...decision, id, reason: null, signature });
      return id;
    };
    const claim = async (made: Change['kind'], grantId: string): Promise<string> => {
      const key = toExecutionKey(digest, step.stepId, made);
      await db.insert(executions).values({ ...ids, key, kind: made, grantId, claimId: randomUUID(), stepId: step.stepId, target: step.target, state: 'claimed' });
      return key;
    };
    await decide('approve');
    const key = await claim('execute', gateId);
    return kind === 'execute' ? key : claim('rollback', await decide('rollBack'));
  }

  const granted = new Map<string, Promise<string>>();
  async function toGranted(change: Change): Promise<Change> {
    const key = granted.get(change.key) ?? grant(change.step, undefined, change.kind);
    granted.set(change.key, key);
    return { ...change, key: await key };
  }
  /** Whoever is asked to run something has it granted first, once per key. */
  const granting: Executor = {
    ...remote,
    run: async (id, change, options) => remote.run(id, await toGranted(change), options),
    settle: async (id, change, handle, options) => remote.settle(id, await toGranted(change), handle, options),
  };

  return {
    api,
    host,
    url,
    folder,
    remote,
    granting,
    grant,
    startWorker,
    end,
    async close() {
      for (const child of workers) await end(child, 'SIGTERM');
      await host.close();
      await rm(folder, { recursive: true });
    },
  };
}

export type ExecutorWorld = Awaited<ReturnType<typeof openExecutorWorld>>;
