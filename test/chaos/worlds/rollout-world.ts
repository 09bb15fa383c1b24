import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openKubernetes } from '../../../activities/adapters/kubernetes-client.js';
import { readNamespace } from '../../../activities/adapters/kubernetes-namespace.js';
import { canonicalize } from '../../../domain/canonical.js';
import type { KubernetesObject } from '../../../domain/kubernetes.js';
import { image, kubeconfig, openNamespace } from '../../harness/kubernetes.js';
import { until } from '../../harness/until.js';
import { query } from './target-server.js';
import type { World } from './world.js';

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
const labels = { app: 'shop' };
const withImage = (name: string) => ({ spec: { template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [{ ...container, image: name }] } } } });
const container = { name: 'shop', command: ['sleep', '86400'], resources: { requests: { cpu: '5m', memory: '8Mi' }, limits: { memory: '16Mi' } } };

const LOOK_EVERY_MS = 20;
const BROKEN_WITHIN_MS = 60_000;

/** A Deployment whose new image cannot be pulled, and whose rollout is undone. Counted are the generations that the API server gave it. */
export async function openRolloutWorld(): Promise<World> {
  const cluster = await openNamespace();
  const { namespace } = cluster;
  const read = (): Promise<KubernetesObject | undefined> => cluster.read(deployment);
  const generationOf = (object: KubernetesObject | undefined): number => Number(object?.metadata['generation']);
  const roll = (to: string): Promise<KubernetesObject> => cluster.merge(deployment, withImage(to), 'kubectl');
  const { apiVersion, kind, name } = deployment;
  try {
    await cluster.applyAll([{ apiVersion, kind, metadata: { name }, spec: { replicas: 1, selector: { matchLabels: labels }, ...withImage(image).spec } }]);
    await cluster.untilRolledOut(name);
  } catch (error) {
    await cluster.close();
    throw error;
  }

  return {
    workspace: `
    stabilization: 1s
    sweep: { every: 3650d }
    targets:
      shop: { kind: kubernetes, kubeconfig: ${resolve(kubeconfig)}, namespace: ${namespace}, executor: kubernetes }`,
    environment: {},
    async prepare(_author, databaseUrl) {
      const client = openKubernetes(() => '').clientOf({ kind: 'kubernetes', name: 'shop', kubeconfig: resolve(kubeconfig), context: null, namespace, executor: 'kubernetes', serves: [], jobs: null, detectors: [] });
      const good = await readNamespace(client, namespace);
      if (good.kind !== 'read') throw new Error(good.because);
      await query(databaseUrl, "insert into last_known_good (workspace_id, target, hash, content, well_since, well_at, good_at) values ('rollout', 'shop', $1, $2, now(), now(), now()) on conflict do nothing", [good.hash, good.content]);
    },
    close: () => cluster.close(),

    async breakIt() {
      await roll(`${image}-that-nobody-pushed`);
      await until('the pod that cannot start', async () => (await cluster.list('v1', 'Pod')).some(isWaiting), BROKEN_WITHIN_MS);
      const broken = await read();
      const over = new AbortController();
      const countEffects = async (): Promise<number> => generationOf(await read()) - generationOf(broken);
      return {
        countEffects,
        isAsItBroke: async () => canonicalize((await read())?.['spec'] ?? null) === canonicalize(broken?.['spec'] ?? null),
        isAtRest: async () => true,
        onChange(changed) {
          void (async () => {
            while (!over.signal.aborted && (await countEffects().catch(() => 0)) === 0) await wait(LOOK_EVERY_MS);
            if (!over.signal.aborted) changed();
          })();
        },
        async close() {
          over.abort();
          await roll(image);
          await cluster.untilRolledOut(name);
          await until('its other pods to be gone', async () => (await cluster.list('v1', 'Pod')).length === 1, BROKEN_WITHIN_MS);
        },
      };
    },
  };
}

function isWaiting(pod: KubernetesObject): boolean {
  const { status } = pod as unknown as { readonly status?: { readonly containerStatuses?: readonly { readonly state?: { readonly waiting?: { readonly reason?: string } } }[] } };
  return status?.containerStatuses?.some(({ state }) => /^(ErrImagePull|ImagePullBackOff)$/.test(state?.waiting?.reason ?? '')) ?? false;
}
