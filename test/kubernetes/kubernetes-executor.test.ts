import { afterAll, beforeAll } from '@jest/globals';
import { canonicalize } from '../../domain/canonical.js';
import { type KubernetesObject, toContent, toRef } from '../../domain/kubernetes.js';
import type { ValidStep } from '../../domain/plan.js';
import { openNamespace, type TestNamespace } from '../harness/kubernetes.js';
import { describeExecutor, type ExecutorWorld, freezeStep } from '../ports/executor-contract.js';
import { aDeployment, aTarget, countChanges, kubectl, manifest, newKey, openExecutor, workspaceId } from './object-world.js';

let shop: TestNamespace;
beforeAll(async () => {
  shop = await openNamespace();
}, 60_000);
afterAll(() => shop.close());

interface Scenery {
  readonly object: KubernetesObject;
  /** Where objects of its kind are listed, below the namespace. */
  readonly plural: string;
  readonly isThere?: boolean;
  readonly hasPods?: boolean;
  readonly step: ValidStep;
  /** What somebody else makes of the object. */
  readonly disturbance: object;
}

const nameOf = () => `o${newKey().slice(0, 8)}`;

async function openWorld({ object, plural, isThere = true, hasPods = false, step, disturbance }: Scenery): Promise<ExecutorWorld> {
  const { name } = object.metadata;
  if (isThere) await shop.apply(object, 'kubectl');
  if (hasPods) await shop.untilRolledOut(name);
  const executor = openExecutor(aTarget(shop));
  const read = () => shop.read(toRef(object));
  const textOf = (live: KubernetesObject | undefined) => (live === undefined ? 'null' : canonicalize(toContent(live)));
  const original = textOf(await read());
  const root = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
  const changes = await countChanges(shop, `${root}/namespaces/${shop.namespace}/${plural}`, object);
  return {
    executor,
    workspaceId,
    step: await freezeStep(executor, workspaceId, step),
    effects: () => changes.count(),
    leftovers: async () => JSON.stringify((await read())?.metadata['managedFields'] ?? []).match(/sluice-off-\w+/g) ?? [],
    disturb: async () => {
      if ((await read()) === undefined) await shop.apply(object, 'somebody');
      await shop.merge(toRef(object), disturbance, 'somebody');
    },
    restoredExactly: async () => textOf(await read()) === original,
    close: async () => {
      changes.close();
      if ((await read()) !== undefined) await shop.remove(toRef(object));
    },
  };
}

describeExecutor('a workload that is scaled', {
  wayBack: 'snapshot',
  open: () => {
    const object = aDeployment(shop.namespace, nameOf());
    const step = kubectl(`kubectl scale deployment/${object.metadata.name} -n ${shop.namespace} --replicas=2`);
    return openWorld({ object, plural: 'deployments', hasPods: true, step, disturbance: { spec: { replicas: 3 } } });
  },
});

describeExecutor('an image that is set', {
  wayBack: 'snapshot',
  open: () => {
    const object = aDeployment(shop.namespace, nameOf(), { replicas: 0 });
    const step = kubectl(`kubectl set image deployment/${object.metadata.name} main=localhost/busybox:2 -n ${shop.namespace}`);
    return openWorld({ object, plural: 'deployments', step, disturbance: { metadata: { labels: { team: 'shop' } } } });
  },
});

describeExecutor('a Service whose port is repaired by a manifest', {
  wayBack: 'snapshot',
  open: () => {
    const name = nameOf();
    const toService = (targetPort: number) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: shop.namespace }, spec: { selector: { app: 'shop' }, ports: [{ name: 'http', port: 80, targetPort }] } });
    return openWorld({ object: toService(8081), plural: 'services', step: manifest(toService(8080)), disturbance: { spec: { selector: { app: 'cart' } } } });
  },
});

const aConfigMap = (name: string, data: object): KubernetesObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: shop.namespace }, data: { ...data } });

describeExecutor('a ConfigMap that is patched', {
  wayBack: 'snapshot',
  open: () => {
    const object = aConfigMap(nameOf(), { 'pool.size': '1', motd: 'welcome\nto the shop\n' });
    const operations = [{ op: 'test', path: '/data/pool.size', value: '1' }, { op: 'replace', path: '/data/pool.size', value: '10' }];
    const step = kubectl(`kubectl patch configmap/${object.metadata.name} -n ${shop.namespace} --type=json -p '${JSON.stringify(operations)}'`);
    return openWorld({ object, plural: 'configmaps', step, disturbance: { data: { motd: 'closed' } } });
  },
});

describeExecutor('a ConfigMap that is made', {
  wayBack: 'snapshot',
  open: () => {
    const object = aConfigMap(nameOf(), { 'pool.size': '10' });
    return openWorld({ object, plural: 'configmaps', isThere: false, step: manifest(object), disturbance: { data: { 'pool.size': '20' } } });
  },
});

describeExecutor('a NetworkPolicy that is removed', {
  wayBack: 'snapshot',
  open: () => {
    const object: KubernetesObject = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: nameOf(), namespace: shop.namespace, labels: { by: 'somebody' } }, spec: { podSelector: {}, policyTypes: ['Ingress'] } };
    const step = kubectl(`kubectl delete networkpolicy/${object.metadata.name} -n ${shop.namespace}`);
    return openWorld({ object, plural: 'networkpolicies', step, disturbance: { metadata: { labels: { by: 'another' } } } });
  },
});
