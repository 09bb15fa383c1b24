import { randomBytes } from 'node:crypto';
import { KubeConfig, Watch } from '@kubernetes/client-node';
import { openKubernetes, type Kubernetes } from '../../activities/adapters/kubernetes-client.js';
import { createKubernetesExecutor } from '../../activities/adapters/kubernetes-executor.js';
import { versionOf } from '../../activities/adapters/kubernetes-state.js';
import type { Change, ChangeOptions, Executor, KubernetesTarget } from '../../activities/ports.js';
import { canonicalize } from '../../domain/canonical.js';
import { type KubernetesObject, toContent, toRef } from '../../domain/kubernetes.js';
import type { Step, ValidStep } from '../../domain/plan.js';
import { aPolicy, aStep } from '../builders.js';
import { image, kubeconfig, type TestNamespace } from '../harness/kubernetes.js';
import { until } from '../harness/until.js';

export const workspaceId = 'w';
export const newKey = (): string => randomBytes(16).toString('hex');

export const aTarget = ({ namespace }: Pick<TestNamespace, 'namespace'>, over: Partial<KubernetesTarget> = {}): KubernetesTarget => ({
  kind: 'kubernetes',
  name: 'shop',
  kubeconfig,
  context: null,
  namespace,
  executor: 'kubernetes',
  serves: [],
  jobs: null,
  detectors: [],
  ...over,
});

const kubernetes = openKubernetes(() => '');
export const clientOf = (target: KubernetesTarget) => kubernetes.clientOf(target);

export const openExecutor = (target: KubernetesTarget, connect: Kubernetes = kubernetes): Executor =>
  createKubernetesExecutor(
    { readWorkspace: () => ({ id: workspaceId, targets: [target], alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: aPolicy() }) },
    connect,
  );

export const kubectl = (script: string, over: Partial<ValidStep> = {}): ValidStep => ({ ...aStep(), type: 'kubectl', target: 'shop', script, parameters: [], reach: 'workload', timeoutMs: 60_000, ...over });
export const manifest = (object: object, over: Partial<ValidStep> = {}): ValidStep => kubectl(JSON.stringify(object), { type: 'kubernetes', ...over });

/** A Deployment of pods that sleep and go at once. */
export const aDeployment = (namespace: string, name: string, { replicas = 1, command = ['sleep', '3600'], ...spec }: { readonly replicas?: number; readonly command?: readonly string[]; readonly paused?: boolean } = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, labels: { app: name } },
  spec: {
    ...spec,
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command }] } },
  },
});

/** Counts how often the content of one object changed, by whomever, as the API server tells it. */
export async function countChanges(cluster: TestNamespace, path: string, object: KubernetesObject) {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  // The version of whatever was written last is where the watch begins.
  const clock = await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'clock', namespace: cluster.namespace }, data: { now: newKey() } }, 'clock');
  const found = await cluster.read(toRef(object));
  const textOf = (seen: KubernetesObject) => canonicalize(toContent({ ...seen, apiVersion: object.apiVersion, kind: object.kind }));
  let [count, version, text] = [0, found === undefined ? '' : versionOf(found), found === undefined ? 'null' : textOf(found)];
  const see = (kind: string, seen: KubernetesObject) => {
    const now = kind === 'DELETED' ? 'null' : textOf(seen);
    if (now !== text) count += 1;
    [text, version] = [now, kind === 'DELETED' ? '' : versionOf(seen)];
  };
  const query = { fieldSelector: `metadata.name=${object.metadata.name}`, resourceVersion: versionOf(clock) };
  const watching = await new Watch(config).watch(path, query, (kind, seen: KubernetesObject) => see(kind, seen), () => {});
  return {
    async count(): Promise<number> {
      await until(`the watch on ${object.metadata.name} to see what is there`, async () => {
        const live = await cluster.read(toRef(object));
        return version === (live === undefined ? '' : versionOf(live));
      });
      return count;
    },
    close: () => watching.abort(),
  };
}

/** Runs a step as the activity does, with its snapshot. */
export async function toExecution(executor: Executor, step: Step): Promise<Change> {
  return { kind: 'execute', step, key: newKey(), snapshot: step.wayBack.kind === 'snapshot' ? await executor.snapshot(workspaceId, step) : null };
}

export interface Told {
  readonly options: ChangeOptions;
  readonly lines: string[];
  readonly handles: string[];
}

export function tell(then: () => unknown = () => {}): Told {
  const [lines, handles]: [string[], string[]] = [[], []];
  const begin = async (handle: string) => {
    handles.push(handle);
    await then();
  };
  return { lines, handles, options: { begin, signal: new AbortController().signal, onOutput: (line) => lines.push(line), toldLines: 0, drained: async () => {} } };
}
