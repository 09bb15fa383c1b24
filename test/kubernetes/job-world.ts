import { randomBytes, randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { uidOf } from '../../activities/adapters/kubernetes-job.js';
import { type KubernetesClient, openKubernetes } from '../../activities/adapters/kubernetes-client.js';
import { createKubernetesJobExecutor } from '../../activities/adapters/kubernetes-job-executor.js';
import type { Change, ChangeOptions, Executor } from '../../activities/ports.js';
import { sealPodClaim } from '../../db/pod-claims.js';
import { executions } from '../../db/schema.js';
import { type KubernetesObject, toRef } from '../../domain/kubernetes.js';
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
  function openExecutor(over: Partial<Jobs> = {}, { as = kubeconfig, ...options }: { readonly startWithinMs?: number; readonly as?: string } = {}) {
    const target = { ...here, kubeconfig: as, jobs: { ...jobs, ...over } };
    const targets: Target[] = [target];
    const watch = { readWorkspace: () => ({ id: workspaceId, targets, alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: aPolicy() }) };
    const executor = createKubernetesJobExecutor(kubernetes.clientOf, watch, { seal: (claim) => sealPodClaim(api.db, claim) }, options);
    return {
      executor: noting(api, executor),
      changeJobs: (changed: Partial<Jobs>) => void (targets[0] = { ...target, jobs: { ...target.jobs, ...changed } }),
    };
  }

  /** Somebody of the namespace who may do nothing yet. */
  async function openAccount(name: string) {
    const { namespace } = cluster;
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } }, { fieldManager: 'test' });
    const { status } = await config.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({ name, namespace, body: { spec: { audiences: [] } } });
    const now = config.getCurrentCluster();
    const own = new KubeConfig();
    own.loadFromClusterAndUser({ skipTLSVerify: false, ...now, name: 'c', server: now?.server ?? '' }, { name: 'u', token: status?.token ?? '' });
    const folder = await mkdtemp(join(tmpdir(), 'sluice-account-'));
    const path = join(folder, 'kubeconfig');
    await writeFile(path, own.exportConfig());
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const granted: KubernetesObject[] = [];
    return {
      kubeconfig: path,
      /** Gives it the rights of a Role there. */
      async grant(where: string, role: KubernetesObject | undefined) {
        const metadata = { name: namespace, namespace: where };
        const binding = { apiVersion, kind: 'RoleBinding', metadata, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: namespace }, subjects: [{ kind: 'ServiceAccount', name, namespace }] };
        for (const object of [{ apiVersion, kind: 'Role', metadata, rules: role?.['rules'] ?? [] }, binding]) granted.push(await client.create(object, { fieldManager: 'test' }));
      },
      async close() {
        for (const object of granted) await client.remove(toRef(object), { uid: uidOf(object) });
        await rm(folder, { recursive: true });
      },
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
    openAccount,
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
