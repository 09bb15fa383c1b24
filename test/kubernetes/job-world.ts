import { randomBytes, randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KubernetesClient, openKubernetes } from '../../activities/adapters/kubernetes-client.js';
import { createKubernetesJobExecutor } from '../../activities/adapters/kubernetes-job-executor.js';
import type { Change, ChangeOptions, Executor } from '../../activities/ports.js';
import { sealPodClaim } from '../../db/pod-claims.js';
import { executions } from '../../db/schema.js';
import type { Sandbox, ValidStep } from '../../domain/plan.js';
import type { Jobs, Target } from '../../domain/watch.js';
import { type Api, openApi, workspaceId } from '../api/open-api.js';
import { aPolicy, aStep } from '../builders.js';
import { kubeconfig, openNamespace } from '../harness/kubernetes.js';
import { loadScriptImage } from './script-image.js';

const MiB = 1_048_576;
export const aSandbox = (over: Partial<Sandbox> = {}): Sandbox => ({ paths: [], secrets: [], memoryBytes: 96 * MiB, diskBytes: 4 * MiB, processes: 32, outputBytes: MiB, ...over });

/** Told in a header, so that each world counts its own. */
const toScript = (type: 'bash' | 'python', address: string, port: number, name: string): string =>
  type === 'bash'
    ? `echo "telling $1"\nexec 3<>/dev/tcp/${address}/${port}\nprintf 'GET /${name} HTTP/1.0\\r\\n\\r\\n' >&3\nread -r line <&3\necho "told: $line"\n`
    : `import sys, urllib.request\nprint('telling', sys.argv[1])\nprint('told:', urllib.request.urlopen('http://${address}:${port}/${name}').status)\n`;

/** A namespace in which only restricted pods may run, an API that they reach, and a counter of what scripts did. */
export async function openJobWorld() {
  const image = await loadScriptImage();
  const cluster = await openNamespace();
  const api = await openApi();
  await api.app.listen({ host: '0.0.0.0', port: 0 });
  const kubernetes = openKubernetes(() => '');
  const here = { kind: 'kubernetes' as const, name: 'shop', kubeconfig, context: null, namespace: cluster.namespace, executor: 'kubernetes' as const, serves: [], detectors: [] };
  const client = kubernetes.clientOf({ ...here, jobs: null });
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: cluster.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }, { fieldManager: 'test' });
  const address = await findOwnAddress(client);
  const apiUrl = `http://${address}:${(api.app.server.address() as AddressInfo).port}`;
  const told: string[] = [];
  const counter = createServer(({ url = '' }, reply) => {
    told.push(url.slice(1));
    reply.end();
  });
  await new Promise<void>((resolve) => counter.listen(0, '0.0.0.0', resolve));
  const { port } = counter.address() as AddressInfo;

  const jobs: Jobs = { image, serviceAccount: null, apiUrl, secrets: {} };

  /** An executor for a target whose jobs are as given, which a test may still change. */
  function openExecutor(over: Partial<Jobs> = {}, options?: { readonly startWithinMs: number }) {
    const target = { ...here, jobs: { ...jobs, ...over } };
    const targets: Target[] = [target];
    const watch = { readWorkspace: () => ({ id: workspaceId, targets, alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: aPolicy() }) };
    const executor = createKubernetesJobExecutor(kubernetes.clientOf, watch, { seal: (claim) => sealPodClaim(api.db, claim) }, options);
    return {
      executor: noting(api, executor),
      changeJobs: (changed: Partial<Jobs>) => void (targets[0] = { ...target, jobs: { ...target.jobs, ...changed } }),
    };
  }

  /** A step that tells the counter its name. */
  const aScript = (over: Partial<ValidStep> = {}, name = randomBytes(4).toString('hex')): ValidStep => ({
    ...aStep(),
    type: 'bash',
    target: 'shop',
    script: toScript(over.type === 'python' ? 'python' : 'bash', address, port, name),
    parameters: ['a word'],
    reach: 'namespace',
    sandbox: aSandbox(),
    ...over,
  });

  return {
    cluster,
    client,
    api,
    address,
    port,
    apiUrl,
    openExecutor,
    aScript,
    countTold: (name: string) => told.filter((one) => one === name).length,
    async close() {
      await cluster.close();
      counter.close();
    },
  };
}
export type JobWorld = Awaited<ReturnType<typeof openJobWorld>>;

/** Notes in the ledger what begins, as an activity does: the API asks it. */
const noting = ({ db }: Api, executor: Executor): Executor => ({
  ...executor,
  run: (workspace, change, options) => executor.run(workspace, change, { ...options, begin: async (handle) => (await note(db, change, handle), options.begin(handle)) }),
});

async function note(db: Api['db'], { key, kind, step }: Change, handle: string): Promise<void> {
  const row = { key, kind, workspaceId, incidentId: randomUUID(), grantId: randomUUID(), claimId: randomUUID(), digest: 'd'.repeat(64), stepId: step.stepId, target: step.target, state: 'started' as const, handle };
  await db.insert(executions).values(row).onConflictDoUpdate({ target: executions.key, set: { handle } });
}

/** What pods reach of this machine: the address from which it speaks to a node. */
async function findOwnAddress(client: KubernetesClient): Promise<string> {
  const [node] = await client.list('v1', 'Node', null);
  const { addresses = [] } = (node?.['status'] ?? {}) as { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
  const to = addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(9, to, resolve));
  const { address } = socket.address();
  socket.close();
  return address;
}

export const newKey = (): string => randomBytes(16).toString('hex');

/** Options of a change, with what it told. */
export function toTelling(over: Partial<ChangeOptions> = {}) {
  const lines: string[] = [];
  const options: ChangeOptions = { begin: async () => {}, signal: new AbortController().signal, onOutput: (line) => lines.push(line), toldLines: 0, drained: async () => {}, ...over };
  return { lines, options };
}
