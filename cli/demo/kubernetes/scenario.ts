import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openHome } from '../../local/home.js';
import { Trouble } from '../../local/trouble.js';
import { awaitSweep } from '../await-sweep.js';
import type { Act, Place, Scenario, Scene } from '../scenario.js';
import { untilKnownGood } from '../until-known-good.js';
import { openCluster, type Cluster } from './cluster.js';
import { deployment, REPLICAS, service, toShop, toTemplate } from './shop.js';

const EVERY_MS = 500;
const OPEN_WITHIN_MS = 120_000;
// The name that the example sluice.yaml has. Of each run its own: what an earlier run left open or knew to be good is not about this one.
const EXAMPLE = 'sluice-demo';
const namespace = `${EXAMPLE}-${randomBytes(3).toString('hex')}`;

/** A shop in a namespace of a real cluster: a rollout that fails, and then a Service that finds no pods. */
export const kubernetesScenario: Scenario = { oneWay: null, prepare, open };

async function prepare({ folder, environment }: Pick<Place, 'folder' | 'environment'>): Promise<string> {
  const kubeconfig = environment['KUBECONFIG'];
  if (!kubeconfig) {
    throw new Trouble('This scenario needs a Kubernetes cluster, and KUBECONFIG names none', 'kind create cluster --kubeconfig ~/.kube/kind; export KUBECONFIG=~/.kube/kind; then try again');
  }
  await openCluster(kubeconfig, namespace).reach();
  await openHome(folder);
  const path = join(folder, 'kubernetes', 'sluice.yaml');
  await mkdir(join(folder, 'kubernetes'), { recursive: true });
  await writeFile(path, (await readFile(new URL('sluice.yaml', import.meta.url), 'utf8')).replaceAll(EXAMPLE, namespace));
  return path;
}

async function open({ databaseUrl, environment, say, signal }: Place): Promise<Scene> {
  const kubeconfig = environment['KUBECONFIG'] ?? '';
  const image = environment['DEMO_IMAGE'] ?? 'busybox:1.36';
  const cluster = openCluster(kubeconfig, namespace);
  const stop = async (): Promise<void> => {
    say(`Taking away the namespace ${namespace}`);
    await cluster.removeNamespace();
  };

  say(`  Opening a shop in the namespace ${namespace}`);
  await cluster.makeNamespace();
  try {
    for (const object of toShop(image, 'v2.4.0')) await cluster.apply(object, 'kubectl');
    await untilOpen(cluster, image, signal);
  } catch (error) {
    await stop();
    throw error;
  }

  async function look(): Promise<boolean> {
    const shop = await lookAtShop(cluster);
    say(`deployment/shop runs ${shop.image}, ${shop.ready} of ${REPLICAS} pods are ready, service/shop answers ${shop.answer ?? 'nothing'}`);
    return shop.image === image && shop.ready === REPLICAS && shop.answer === 'welcome to shop v2.4.0';
  }
  async function untilWell(): Promise<void> {
    const beganAt = new Date();
    await look();
    await untilKnownGood(databaseUrl, namespace, ({ goodAt, wellSince, wellAt }) => goodAt !== null && wellSince !== null && wellAt >= beganAt, say);
    say('What is in the namespace is now the last known good');
  }
  const raiseAlarm: Act['raiseAlarm'] = (_sender, person) => awaitSweep(person, namespace);

  const rollout: Act = {
    untilWell,
    async breakIt() {
      await cluster.merge(deployment, { spec: { template: toTemplate(toMissing(image), 'v2.4.1') } }, 'deploy-pipeline');
      say(`Now a pipeline rolls out v2.4.1, whose image ${toMissing(image)} nobody has pushed\n`);
    },
    raiseAlarm,
    look,
    async lookTakenBack() {
      const shop = await lookAtShop(cluster);
      say(`deployment/shop runs ${shop.image}`);
      return shop.image === toMissing(image);
    },
  };
  const selector: Act = {
    untilWell,
    async breakIt() {
      await cluster.merge(service, { spec: { selector: { app: 'shopp' } } }, 'kubectl-edit');
      say('Now somebody edits service/shop, and its selector says app=shopp: no pod has that label\n');
    },
    raiseAlarm,
    look,
    async lookTakenBack() {
      const { answer } = await lookAtShop(cluster);
      say(answer === undefined ? 'service/shop finds no pods again, as before the fix' : 'service/shop is not what it was before the fix');
      return answer === undefined;
    },
  };
  return { variables: { KUBECONFIG: kubeconfig }, whereabouts: `Namespace        ${namespace}, in the cluster of ${kubeconfig}`, acts: [rollout, selector], stop };
}

const toMissing = (image: string): string => `${image}-v2.4.1`;

async function untilOpen(cluster: Cluster, image: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + OPEN_WITHIN_MS;
  for (;;) {
    const { ready, answer } = await lookAtShop(cluster);
    if (ready === REPLICAS && answer !== undefined) return;
    if (Date.now() > deadline) {
      throw new Trouble(`The shop did not open within ${OPEN_WITHIN_MS / 1_000} s: ${ready} of ${REPLICAS} pods are ready`, `see whether the cluster can pull ${image}, or name another image that has sh and httpd in DEMO_IMAGE`);
    }
    await wait(EVERY_MS, undefined, { signal });
  }
}

interface Shop {
  readonly image: string | undefined;
  /** How many of its newest pods are ready, while there are no others. */
  readonly ready: number;
  /** What it says when it is asked as its customers would; undefined where nobody answers. */
  readonly answer: string | undefined;
}

async function lookAtShop(cluster: Cluster): Promise<Shop> {
  const found = (await cluster.read(deployment)) as unknown as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } } };
    readonly status?: { readonly replicas?: number; readonly updatedReplicas?: number; readonly readyReplicas?: number };
  };
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = found.status ?? {};
  return {
    image: found.spec.template.spec.containers[0]?.image,
    ready: replicas === updatedReplicas ? readyReplicas : 0,
    answer: (await cluster.askService('shop'))?.trim(),
  };
}
