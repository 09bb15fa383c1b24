import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppsV1Api, CoreV1Api, KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uidOf } from '../../activities/adapters/kubernetes-state.js';
import type { Change, ChangeResult, Executor } from '../../activities/ports.js';
import { canonicalize } from '../../domain/canonical.js';
import { get } from '../../domain/kubernetes-desired.js';
import { type KubernetesObject, toContent, toRef } from '../../domain/kubernetes.js';
import type { ValidStep } from '../../domain/plan.js';
import { image, kubeconfig, openNamespace, type TestNamespace } from '../harness/kubernetes.js';
import { freezeStep } from '../ports/executor-contract.js';
import { aDeployment, aTarget, clientOf, kubectl, manifest, newKey, openExecutor, tell, type Told, toExecution, workspaceId } from './object-world.js';

let shop: TestNamespace;
let executor: Executor;
let folder: string;
const config = new KubeConfig();
beforeAll(async () => {
  shop = await openNamespace();
  executor = openExecutor(aTarget(shop));
  folder = await mkdtemp(join(tmpdir(), 'sluice-kubeconfig-'));
  config.loadFromFile(kubeconfig);
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(folder, { recursive: true, force: true });
});

const nameOf = () => `o${newKey().slice(0, 8)}`;
const textOf = (live: KubernetesObject | undefined) => live && canonicalize(toContent(live));
const here = () => `-n ${shop.namespace}`;

/** A Deployment that runs. */
async function open(options: Parameters<typeof aDeployment>[2] = {}): Promise<KubernetesObject> {
  const object = aDeployment(shop.namespace, nameOf(), options);
  await shop.apply(object, 'kubectl');
  return shop.untilRolledOut(object.metadata.name);
}

async function run(step: ValidStep, { told = tell(), by = executor }: { readonly told?: Told; readonly by?: Executor } = {}) {
  const change = await toExecution(by, await freezeStep(by, workspaceId, step));
  return { change, told, result: await by.run(workspaceId, change, told.options) };
}

async function rollBack({ change, told }: { readonly change: Change; readonly told: Told }): Promise<{ readonly result: ChangeResult; readonly lines: readonly string[] }> {
  const taken = tell();
  const rollback: Change = { kind: 'rollback', step: change.step, key: newKey(), snapshot: change.snapshot ?? '', left: told.handles.at(-1) ?? '' };
  return { result: await executor.run(workspaceId, rollback, taken.options), lines: taken.lines };
}

const generationOf = async (object: KubernetesObject) => (await shop.read(toRef(object)))?.metadata['generation'];
const annotate = (key: string, value: string) => ({ spec: { template: { metadata: { annotations: { [key]: value } } } } });

describe('a rollout that is undone', () => {
  it('has the template of the revision again, says what changes before, and is rolled back to the byte', async () => {
    const web = await open();
    const { name } = web.metadata;
    await shop.merge(toRef(web), { spec: { replicas: 2, ...annotate('version', 'v2').spec } }, 'pipeline');
    const broken = await shop.untilRolledOut(name);
    const undo = kubectl(`kubectl rollout undo deployment/${name} --to-revision=1 ${here()}`);

    const rehearsal = await executor.rehearse(workspaceId, undo);
    expect(rehearsal.lines[0]).toBe(`deployment/${name} in namespace ${shop.namespace} will be taken back to the pod template of revision 1: 0 lines added, 2 taken away`);
    expect(rehearsal.lines).toEqual(expect.arrayContaining([expect.stringMatching(/^- +annotations:$/), expect.stringMatching(/^- +version: v2$/)]));

    const made = await run(undo);
    expect(made.result).toEqual({ kind: 'done', summary: `deployment/${name} in namespace ${shop.namespace} was taken back to the pod template of revision 1` });
    expect(made.told.lines).toContainEqual(expect.stringMatching(/2 of 2 pods are new, 2 available$/));
    const undone = await shop.untilRolledOut(name);
    expect([get(undone, ['spec', 'template']), get(undone, ['spec', 'replicas'])]).toEqual([get(web, ['spec', 'template']), 2]);

    expect((await rollBack(made)).result).toMatchObject({ kind: 'done' });
    expect(textOf(await shop.untilRolledOut(name))).toBe(textOf(broken));
  }, 120_000);

  it('of a revision that is not kept is not found, and says which are', async () => {
    const { metadata } = await open({ replicas: 0 });
    expect(await executor.rehearse(workspaceId, kubectl(`kubectl rollout undo deployment/${metadata.name} --to-revision=7 ${here()}`))).toEqual({
      found: false,
      lines: [`deployment/${metadata.name} in namespace ${shop.namespace} has no revision 7; it has 1`],
    });
  });

  it('is read from the ControllerRevision of a StatefulSet', async () => {
    const { spec, metadata, ...rest } = aDeployment(shop.namespace, nameOf(), { replicas: 1 });
    const db: KubernetesObject = { ...rest, kind: 'StatefulSet', metadata, spec: { ...(spec as object), serviceName: 'db' } };
    await shop.apply(db, 'kubectl');
    const isSettled = (live: KubernetesObject) => get(live, ['status', 'currentRevision']) === get(live, ['status', 'updateRevision']) && get(live, ['status', 'availableReplicas']) === 1;
    const first = await shop.untilIs('the StatefulSet to run', toRef(db), isSettled, 60_000);
    await shop.merge(toRef(db), annotate('version', 'v2'), 'pipeline');
    await shop.untilIs('its second revision', toRef(db), (live) => isSettled(live) && get(live, ['status', 'updateRevision']) !== get(first, ['status', 'updateRevision']), 60_000);
    expect((await run(kubectl(`kubectl rollout undo statefulset/${metadata.name} --to-revision=1 ${here()}`))).result).toMatchObject({ kind: 'done' });
    expect(get(await shop.read(toRef(db)), ['spec', 'template'])).toEqual(get(first, ['spec', 'template']));
  }, 180_000);
});

describe('a restart', () => {
  it('makes new pods, and is rolled back to the byte', async () => {
    const web = await open();
    const podsOf = async () => (await shop.list('v1', 'Pod')).filter(({ metadata }) => get(metadata, ['labels', 'app']) === web.metadata.name && metadata['deletionTimestamp'] === undefined).map(({ metadata }) => metadata['uid']);
    const before = await podsOf();
    const restart = kubectl(`kubectl rollout restart deployment/${web.metadata.name} ${here()}`);
    const made = await run(restart);
    expect(made.result).toMatchObject({ kind: 'done' });
    expect(await podsOf()).not.toEqual(before);
    expect((await rollBack(made)).result).toMatchObject({ kind: 'done' });
    expect(textOf(await shop.read(toRef(web)))).toBe(textOf(web));
  }, 120_000);
});

describe('a pod that is deleted', () => {
  it('is that very one: another of its name is not', async () => {
    const pod: KubernetesObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: nameOf(), namespace: shop.namespace }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command: ['sleep', '3600'] }] } };
    const first = await shop.apply(pod, 'kubectl');
    const made = await run(kubectl(`kubectl delete pod/${pod.metadata.name} ${here()}`, { reach: 'pod' }));
    expect(made.change.step.wayBack).toEqual({ kind: 'oneWay', because: 'a deleted pod is not brought back, and no controller makes another' });
    expect(made.result).toMatchObject({ kind: 'done' });
    const second = await shop.apply(pod, 'kubectl');
    expect(second.metadata['uid']).not.toBe(first.metadata['uid']);
    expect(await executor.run(workspaceId, made.change, tell().options)).toMatchObject({ kind: 'conflict' });
    expect(await executor.settle(workspaceId, made.change, made.told.handles[0] ?? '', tell().options)).toMatchObject({ kind: 'done' });
    expect((await rollBack(made)).result).toMatchObject({ kind: 'failed', changed: false });
    expect((await shop.read(toRef(pod)))?.metadata['uid']).toBe(second.metadata['uid']);
  }, 60_000);
});

describe('a node', () => {
  // One that no pod comes to, so that nobody else is in its way.
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: `sluice-${newKey().slice(0, 8)}` } };
  afterAll(async () => {
    const client = clientOf(aTarget(shop));
    const live = await client.read(toRef(node));
    if (live !== undefined) await client.remove(toRef(node), { uid: uidOf(live) });
  });

  it('is cordoned, and rolled back although its controllers write to it', async () => {
    const client = clientOf(aTarget(shop));
    await client.create(node, { fieldManager: 'test' });
    const unschedulable = async () => get(await client.read(toRef(node)), ['spec', 'unschedulable']);
    const made = await run(kubectl(`kubectl cordon ${node.metadata.name}`, { reach: 'cluster' }));
    expect(made.result).toMatchObject({ kind: 'done' });
    expect(await unschedulable()).toBe(true);
    expect(await executor.rehearse(workspaceId, kubectl(`kubectl cordon ${node.metadata.name}`))).toMatchObject({ found: false });
    expect((await rollBack(made)).result).toMatchObject({ kind: 'done' });
    expect(await unschedulable()).toBeUndefined();
    expect(await executor.rehearse(workspaceId, kubectl('kubectl cordon nowhere'))).toEqual({ found: false, lines: ['node/nowhere is not there'] });
  });
});

describe('a step on an object that moves', () => {
  it('is made once although its status changes all the while', async () => {
    const web = await open();
    const apps = config.makeApiClient(AppsV1Api);
    const target = aTarget(shop);
    const client = clientOf(target);
    let stirred = 0;
    const stir = async () => {
      const body = await apps.readNamespacedDeploymentStatus({ name: web.metadata.name, namespace: shop.namespace });
      if (body.status === undefined) throw new Error('a Deployment without a status');
      body.status.conditions = [...(body.status.conditions ?? []).filter(({ type }) => type !== 'Stirred'), { type: 'Stirred', status: 'True', message: `${(stirred += 1)}` }];
      await apps.replaceNamespacedDeploymentStatus({ name: web.metadata.name, namespace: shop.namespace, body });
    };
    const stirring = openExecutor(target, { clientOf: () => ({ ...client, replace: async (object, options) => (options.dryRun === true || stirred > 2 ? undefined : await stir(), client.replace(object, options)) }) });
    const { result } = await run(kubectl(`kubectl scale deployment/${web.metadata.name} --replicas=2 ${here()}`), { by: stirring });
    expect([result.kind, stirred, await generationOf(web)]).toEqual(['done', 3, Number(web.metadata['generation']) + 1]);
  }, 60_000);

  it('is made once by two that make it at the same moment', async () => {
    const web = await open();
    const change = await toExecution(executor, await freezeStep(executor, workspaceId, kubectl(`kubectl scale deployment/${web.metadata.name} --replicas=2 ${here()}`)));
    const waiting: (() => void)[] = [];
    const meet = () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 2) waiting.forEach((go) => go());
      });
    const results = await Promise.all([1, 2].map(() => executor.run(workspaceId, change, tell(meet).options)));
    expect(results.map(({ kind }) => kind).toSorted()).toEqual(['conflict', 'done']);
    expect(await generationOf(web)).toBe(Number(web.metadata['generation']) + 1);
  }, 60_000);

  it('is not rolled back over what somebody else changed since, and shows that', async () => {
    const web = await open({ replicas: 0 });
    const made = await run(kubectl(`kubectl set image deployment/${web.metadata.name} main=localhost/shop:2 ${here()}`));
    await shop.merge(toRef(web), annotate('team', 'cart'), 'somebody');
    const { result, lines } = await rollBack(made);
    expect(result).toMatchObject({ kind: 'conflict', summary: expect.stringMatching(/was changed since the step: 2 lines added, 0 taken away$/) });
    expect(lines.filter((line) => /^[+-] /.test(line))).toEqual([expect.stringMatching(/annotations:$/), expect.stringMatching(/team: cart$/)]);
  });

  it('that was made and then changed by somebody is settled as made', async () => {
    const web = await open({ replicas: 0 });
    const made = await run(kubectl(`kubectl set image deployment/${web.metadata.name} main=localhost/shop:2 ${here()}`));
    await shop.merge(toRef(web), annotate('team', 'cart'), 'somebody');
    expect(await executor.settle(workspaceId, made.change, made.told.handles[0] ?? '', tell().options)).toMatchObject({ kind: 'failed', changed: true });
  });
});

describe('a rollout that does not come', () => {
  it('fails with why its pods do not run, and is rolled back', async () => {
    const web = await open();
    const made = await run(kubectl(`kubectl set image deployment/${web.metadata.name} main=localhost/nobody-pushed:1 ${here()}`, { timeoutMs: 8_000 }));
    expect(made.result).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringMatching(/its pods did not follow: .*1 pod: (ErrImagePull|ImagePullBackOff|ErrImageNeverPull)/) });
    expect((await rollBack(made)).result).toMatchObject({ kind: 'done' });
    expect(textOf(await shop.read(toRef(web)))).toBe(textOf(web));
  }, 120_000);

  it('is not waited for when what is put back did not run before either', async () => {
    const broken = aDeployment(shop.namespace, nameOf(), { command: ['sh', '-c', 'exit 3'] });
    await shop.apply(broken, 'kubectl');
    const seen = await shop.untilIs('its controller to see it', toRef(broken), (live) => get(live, ['status', 'unavailableReplicas']) === 1);
    const repaired = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: broken.metadata.name, namespace: shop.namespace }, spec: { template: { spec: { containers: [{ name: 'main', command: ['sleep', '3600'] }] } } } };
    const made = await run(manifest(repaired));
    expect(made.result).toMatchObject({ kind: 'done' });
    expect((await rollBack(made)).result).toMatchObject({ kind: 'done', summary: expect.stringMatching(/is back as it was, when its pods were not all there either$/) });
    expect(textOf(await shop.read(toRef(broken)))).toBe(textOf(seen));
  }, 120_000);
});

describe('a rehearsal', () => {
  it('names who owns the object with the patch for the repository, and what scales it', async () => {
    const object = aDeployment(shop.namespace, nameOf());
    const { name } = object.metadata;
    await shop.apply({ ...object, metadata: { ...object.metadata, annotations: { 'argocd.argoproj.io/tracking-id': `shop:apps/Deployment:${shop.namespace}/${name}` } } }, 'argocd-controller');
    await shop.untilRolledOut(name);
    await shop.apply({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name, namespace: shop.namespace }, spec: { minReplicas: 1, maxReplicas: 4, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }] } }, 'kubectl');
    const { lines } = await executor.rehearse(workspaceId, kubectl(`kubectl scale deployment/${name} --replicas=3 ${here()}`));
    expect(lines.slice(-2)).toEqual([
      'Argo CD owns this object (application shop) and will revert it; change it in the repository: [{"op":"replace","path":"/spec/replicas","value":3}]',
      `horizontalpodautoscaler/${name} scales deployment/${name} between 1 and 4 replicas, and will do so again`,
    ]);
  });

  it('of what is so already finds nothing to do', async () => {
    const { metadata } = await open();
    expect(await executor.rehearse(workspaceId, kubectl(`kubectl scale deployment/${metadata.name} --replicas=1 ${here()}`))).toEqual({
      found: false,
      lines: [`deployment/${metadata.name} in namespace ${shop.namespace} is already as it would be once scaled to 1 replica`],
    });
  });

  it('of an object that is not there, or in another namespace, says so', async () => {
    expect(await executor.rehearse(workspaceId, kubectl(`kubectl scale deployment/nobody --replicas=2 ${here()}`))).toEqual({ found: false, lines: [`deployment/nobody in namespace ${shop.namespace} is not there`] });
    expect(await executor.rehearse(workspaceId, kubectl('kubectl scale deployment/web --replicas=2 -n other'))).toEqual({ found: false, lines: [`deployment/web in namespace other is not in namespace ${shop.namespace}, which target shop is`] });
  });

  it('of a patch that does not fit says so', async () => {
    const { metadata } = await open({ replicas: 0 });
    const operations = [{ op: 'test', path: '/spec/replicas', value: 5 }, { op: 'replace', path: '/spec/replicas', value: 2 }];
    const { found, lines } = await executor.rehearse(workspaceId, kubectl(`kubectl patch deployment/${metadata.name} ${here()} --type=json -p '${JSON.stringify(operations)}'`));
    expect([found, lines[0]]).toEqual([false, expect.stringMatching(/the patch does not fit what is there/)]);
  });

  it('of a manifest that the server refuses says what is wrong with it', async () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: nameOf(), namespace: shop.namespace }, spec: { ports: [{ name: 'http', port: 70_000 }] } };
    expect(await executor.rehearse(workspaceId, manifest(service))).toMatchObject({ found: false, lines: [expect.stringMatching(/between 1 and 65535/)] });
  });
});

describe('a Service that is made', () => {
  it('gets its address from the cluster, and is taken away again', async () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: nameOf(), namespace: shop.namespace }, spec: { selector: { app: 'shop' }, ports: [{ name: 'http', port: 80 }] } };
    const made = await run(manifest(service));
    expect(made.result).toMatchObject({ kind: 'done' });
    expect((await rollBack(made)).result).toMatchObject({ kind: 'done' });
    expect(await shop.read(toRef(service))).toBeUndefined();
  });
});

describe('a cluster', () => {
  /** A kubeconfig with another user or server in it. */
  async function write(change: { readonly token?: string; readonly server?: string }): Promise<string> {
    const path = join(folder, newKey());
    const cluster = config.getCurrentCluster();
    const user = change.token === undefined ? config.getCurrentUser() : { name: 'u', token: change.token };
    const other = new KubeConfig();
    other.loadFromClusterAndUser({ skipTLSVerify: false, ...cluster, name: 'c', server: change.server ?? cluster?.server ?? '' }, { ...user, name: 'u' });
    await writeFile(path, other.exportConfig());
    return path;
  }

  it('whose credentials may not do it says which right they lack', async () => {
    const { metadata } = await open();
    const rbac = config.makeApiClient(RbacAuthorizationV1Api);
    const core = config.makeApiClient(CoreV1Api);
    const { namespace } = shop;
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'reader' } } });
    await rbac.createNamespacedRole({ namespace, body: { metadata: { name: 'reader' }, rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }] } });
    await rbac.createNamespacedRoleBinding({ namespace, body: { metadata: { name: 'reader' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }, subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }] } });
    const { status } = await core.createNamespacedServiceAccountToken({ name: 'reader', namespace, body: { spec: { audiences: [] } } });
    const reader = openExecutor(aTarget(shop, { kubeconfig: await write({ token: status?.token ?? '' }) }));
    expect(await reader.rehearse(workspaceId, kubectl(`kubectl scale deployment/${metadata.name} --replicas=2 ${here()}`))).toEqual({
      found: false,
      lines: [expect.stringMatching(new RegExp(`the credentials of target shop may not update deployments in namespace ${namespace}; give them that right`))],
    });
    expect(await reader.rehearse(workspaceId, kubectl(`kubectl rollout undo deployment/${metadata.name} --to-revision=1 ${here()}`))).toMatchObject({ found: false, lines: [expect.stringMatching(/may not list replicasets/)] });
  });

  it('that cannot be reached is named, and may be tried again', async () => {
    const away = openExecutor(aTarget(shop, { kubeconfig: await write({ server: 'https://127.0.0.1:1' }) }));
    const rehearsing = away.rehearse(workspaceId, kubectl(`kubectl scale deployment/web --replicas=2 ${here()}`));
    await expect(rehearsing).rejects.toMatchObject({ name: 'Error', message: expect.stringMatching(/^target shop: its cluster cannot be reached: .*ECONNREFUSED/) });
  });

  it.each([
    ['that is not there', () => join(folder, 'none'), {}, /its kubeconfig cannot be read/],
    ['without the context', () => kubeconfig, { context: 'nowhere' }, /its kubeconfig has no context nowhere; it has \w+/],
  ])('of a kubeconfig %s is a fault in words', async (_what, path, over, message) => {
    const lost = openExecutor(aTarget(shop, { kubeconfig: path(), ...over }));
    await expect(lost.rehearse(workspaceId, kubectl(`kubectl scale deployment/web --replicas=2 ${here()}`))).rejects.toMatchObject({ name: 'Fault', kind: 'targetMissing', message: expect.stringMatching(message) });
  });
});
