import { randomBytes } from 'node:crypto';
import { openCluster, type Cluster, type Named } from '../../cli/demo/kubernetes/cluster.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';
import { until } from './until.js';

/** Has sh and httpd. On a cluster without it: DEMO_IMAGE=busybox:1.36. */
export const image = process.env['DEMO_IMAGE'] ?? 'localhost/busybox:1';
/** The file that `npm run test:kubernetes` insists on. */
export const kubeconfig = process.env['KUBECONFIG'] ?? '';

const ROLLED_OUT_WITHIN_MS = 90_000;

export interface TestNamespace extends Cluster {
  readonly namespace: string;
  /** Applies objects as `kubectl` would, one after the other. */
  applyAll(objects: readonly KubernetesObject[], fieldManager?: string): Promise<void>;
  /** Waits until an object is there and is as it should be. */
  untilIs(what: string, object: Named, is: (object: KubernetesObject) => boolean, withinMs?: number): Promise<KubernetesObject>;
  /** Waits until every replica of a Deployment is new and available, and no other is left. */
  untilRolledOut(name: string): Promise<KubernetesObject>;
  close(): Promise<void>;
}

/** A namespace of its own. Whoever opens it closes it in `afterAll`, which runs whatever failed. */
export async function openNamespace(): Promise<TestNamespace> {
  const namespace = `sluice-test-${randomBytes(4).toString('hex')}`;
  const cluster = openCluster(kubeconfig, namespace);
  await cluster.makeNamespace();
  const untilIs: TestNamespace['untilIs'] = (what, object, is, withinMs) =>
    until(
      what,
      async () => {
        const found = await cluster.read(object);
        return found !== undefined && is(found) && found;
      },
      withinMs,
    );
  return {
    ...cluster,
    namespace,
    async applyAll(objects, fieldManager = 'kubectl') {
      for (const object of objects) await cluster.apply(object, fieldManager);
    },
    untilIs,
    untilRolledOut: (name) => untilIs(`deployment/${name} to be rolled out`, { apiVersion: 'apps/v1', kind: 'Deployment', name }, isRolledOut, ROLLED_OUT_WITHIN_MS),
    close: () => cluster.removeNamespace(),
  };
}

interface Rollout {
  readonly metadata: { readonly generation?: number };
  readonly spec: { readonly replicas: number };
  readonly status: { readonly observedGeneration?: number; readonly replicas?: number; readonly updatedReplicas?: number; readonly availableReplicas?: number };
}

function isRolledOut(object: KubernetesObject): boolean {
  const { metadata, spec, status } = object as unknown as Rollout;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return observedGeneration === metadata.generation && [replicas, updatedReplicas, availableReplicas].every((count) => count === spec.replicas);
}
