import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDetectors } from '../../activities/adapters/detectors.js';
import { openKubernetes } from '../../activities/adapters/kubernetes-client.js';
import { openTargetConnections } from '../../activities/adapters/target-connections.js';
import type { KubernetesTarget } from '../../activities/ports.js';
import { findAnomalies } from '../../domain/anomaly.js';
import type { Json } from '../../domain/canonical.js';
import { findRootCause } from '../../domain/find-root-cause.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';
import type { Fact, Measurement, ObjectChangeFact } from '../../domain/signal.js';
import { findUnwell, findVanished } from '../../domain/verification.js';
import { image, kubeconfig, openNamespace, type TestNamespace } from '../harness/kubernetes.js';
import { until } from '../harness/until.js';

const WITHIN_MS = 60_000;
const SECRET = 'correct-horse-battery';
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const service = { apiVersion: 'v1', kind: 'Service', name: 'web' };
const settings = { apiVersion: 'v1', kind: 'ConfigMap', name: 'web' };

const toTemplate = (name: string, over: { readonly [field: string]: Json } = {}): Json => ({
  metadata: { labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, command: ['sleep', '1000000'], resources: { requests: { cpu: '1m' } }, ...over }] },
});
const aDeployment = (name: string, over: { readonly [field: string]: Json } = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: toTemplate(name, over) },
});
const aService = (name: string): KubernetesObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] } });

/** One namespace as a target, with a record of its last known good that a test fills. */
async function openShop() {
  const shop = await openNamespace();
  let good: { readonly content: string; readonly wellAt: Date } | undefined;
  const connections = openTargetConnections(() => '');
  const records = { listActiveSevere: async () => [], readLastKnownGood: async () => good };
  const detectors = createDetectors(connections, openKubernetes(() => '').clientOf, () => '', records, () => new Date());
  const target: KubernetesTarget = {
    kind: 'kubernetes',
    name: 'shop',
    kubeconfig,
    context: null,
    namespace: shop.namespace,
    executor: null,
    serves: ['door'],
    jobs: null,
    detectors: [{ kind: 'kubernetes', thresholds: { waitingPods: 1, restarts: 3, oomKills: 1, pendingPods: 1, unavailableReplicas: 1, emptyServices: 1 }, windowMs: 600_000 }],
  };
  const measure = (over: Partial<KubernetesTarget> = {}) => detectors.measure([{ ...target, ...over }], { workspaceId: 'w', incidentId: null });
  return {
    shop,
    measure,
    read: () => detectors.readConfiguration(target),
    /** Notes what is there as good, once it has settled. */
    async noteGood(): Promise<string> {
      const content = await until('a settled namespace', async () => {
        const reading = await detectors.readConfiguration(target);
        return reading.kind === 'read' ? reading.content : undefined;
      }, WITHIN_MS);
      good = { content, wellAt: new Date() };
      return content;
    },
    measureUntil: (what: string, is: (values: Readonly<Record<string, number | null>>, measurement: Measurement) => boolean) =>
      until(what, async () => {
        const measurement = await measure();
        return is(toValues(measurement), measurement) && measurement;
      }, WITHIN_MS),
  };
}

const toValues = ({ signals }: Measurement): Readonly<Record<string, number | null>> => Object.fromEntries(signals.map(({ name, value }) => [name, value]));
const isChange = (fact: Fact): fact is ObjectChangeFact => fact.kind === 'objectChange';
const changesOf = ({ facts }: Measurement) => facts.filter(isChange);
const causeOf = ({ signals, facts }: Measurement) => findRootCause(findAnomalies(signals), facts);
const merge = (shop: TestNamespace, object: typeof deployment, change: object, by = 'ana') => shop.merge(object, change, by);

const well = { 'kubernetes-availability': 100, waitingPods: 0, restarts: 0, oomKills: 0, pendingPods: 0, unavailableReplicas: 0, emptyServices: 0 };

describe('a namespace that is unwell', () => {
  let world: Awaited<ReturnType<typeof openShop>>;
  beforeAll(async () => {
    world = await openShop();
  }, 60_000);
  afterAll(() => world.shop.close());

  it.each<{ what: string; object: KubernetesObject; values: Readonly<Record<string, number>>; reason: string; message: RegExp }>([
    { what: 'a pod whose image nobody can pull', object: aDeployment('noimage', { image: `${image}-v9` }), values: { waitingPods: 1 }, reason: '(ErrImagePull|ImagePullBackOff)', message: /v9/ },
    { what: 'a pod that crashes again and again', object: aDeployment('crash', { command: ['sh', '-c', 'exit 3'] }), values: { waitingPods: 1, restarts: 1 }, reason: 'CrashLoopBackOff', message: /exit code 3/ },
    { what: 'a pod whose settings are not there', object: aDeployment('nosettings', { envFrom: [{ configMapRef: { name: 'none' } }] }), values: { waitingPods: 1 }, reason: 'CreateContainerConfigError', message: /"none" not found/ },
    { what: 'a pod that takes more memory than it may', object: aDeployment('oom', { command: ['sh', '-c', 'tail /dev/zero'], resources: { limits: { memory: '16Mi' } } }), values: { oomKills: 1 }, reason: 'OOMKilled', message: /more memory/ },
    { what: 'a pod that no node has room for', object: aDeployment('large', { resources: { requests: { memory: '900Gi' } } }), values: { pendingPods: 1 }, reason: 'Unschedulable', message: /memory/i },
  ])('says so of $what, and why', async ({ object, values, reason, message }) => {
    await world.shop.applyAll([object]);
    const name = `deployment/${object.metadata.name}`;
    const measurement = await world.measureUntil(
      name,
      (now, { facts }) => Object.entries(values).every(([signal, least]) => (now[signal] ?? 0) >= least) && facts.some((fact) => fact.kind === 'podTrouble' && fact.workload === name && new RegExp(`^${reason}$`).test(fact.reason)),
    );
    expect(measurement.facts).toContainEqual(expect.objectContaining({ kind: 'podTrouble', workload: name, message: expect.stringMatching(message), isOfNewTemplate: true }));
    // Nothing ever worked here, so nothing is said to have changed.
    expect(causeOf(measurement)).toMatchObject({ category: 'podFailure', confidence: 50, aims: [{ kind: 'values', target: 'shop', values: { namespace: world.shop.namespace } }] });
    expect(await world.read()).toMatchObject({ kind: 'unreadable', because: expect.stringContaining(name) });
    await world.shop.remove({ ...deployment, name: object.metadata.name });
  }, 90_000);

  it('is not one that cannot be asked, or is not there', async () => {
    for (const over of [{ namespace: 'nowhere-at-all' }, { kubeconfig: '/nowhere' }]) {
      const { signals, facts } = await world.measure(over);
      expect(signals).toMatchObject([{ name: 'kubernetes-availability', value: 0 }]);
      expect(facts).toMatchObject([{ kind: 'unreachable', because: expect.stringMatching(/nowhere/) }]);
    }
  });
});

describe('a namespace that was well', () => {
  let world: Awaited<ReturnType<typeof openShop>>;
  let before: Measurement;
  let good: string;
  beforeAll(async () => {
    world = await openShop();
    await world.shop.applyAll([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { GREETING: 'welcome', 'app.ini': 'greeting = hello\npassword = opensesame\n' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, stringData: { word: SECRET } },
      aDeployment('web'),
      aService('web'),
    ]);
    good = await world.noteGood();
    before = await world.measureUntil('health', (values) => JSON.stringify(values) === JSON.stringify(well));
  }, 120_000);
  afterAll(() => world.shop.close());

  it('has as its content what people asked for, and of Secrets only that they are there', () => {
    expect(Object.keys(JSON.parse(good) as object)).toEqual(['apps/v1/Deployment/web', 'v1/ConfigMap/web', 'v1/Secret/web', 'v1/Service/web']);
    for (const text of [SECRET, Buffer.from(SECRET).toString('base64')]) expect(good).not.toContain(text);
  });

  it('differs in nothing, however often its pods are new', async () => {
    expect(changesOf(before)).toEqual([]);
    const [pod] = await world.shop.list('v1', 'Pod');
    await world.shop.remove({ apiVersion: 'v1', kind: 'Pod', name: pod?.metadata.name ?? '' });
    // What is only being started is no incident.
    const measured: Measurement[] = [];
    await until('another pod', async () => {
      measured.push(await world.measure());
      const pods = await world.shop.list('v1', 'Pod');
      return pods.length === 1 && pods[0]?.metadata.name !== pod?.metadata.name && (await world.read()).kind === 'read';
    }, WITHIN_MS);
    for (const one of measured) expect(toValues(one)).toEqual(well);
    expect(changesOf(await world.measure())).toEqual([]);
  }, 90_000);

  it('has a rollout that fails: who changed which image, and the revision that has the good template', async () => {
    await merge(world.shop, deployment, { spec: { template: toTemplate('web', { image: `${image}-v9` }) } }, 'pipeline');
    const measurement = await world.measureUntil('the failure', (values) => (values['waitingPods'] ?? 0) > 0);
    const cause = causeOf(measurement);
    expect(cause).toMatchObject({ category: 'deployment', confidence: 92, aims: [{ kind: 'values', target: 'shop', values: { namespace: world.shop.namespace, name: 'web', revision: '1' } }] });
    expect(cause?.details).toMatch(new RegExp(`^deployment/web: image ${image} → ${image}-v9, was changed .* before by pipeline; 1 pod of deployment/web (ErrImagePull|ImagePullBackOff): `));

    await merge(world.shop, deployment, { spec: { template: toTemplate('web') } });
    await world.shop.untilRolledOut('web');
    expect(changesOf(await world.measureUntil('health', (values) => values['waitingPods'] === 0))).toEqual([]);
  }, 90_000);

  it('has a Service that finds no pods: the field, and the manifest that sets it', async () => {
    await merge(world.shop, service, { spec: { selector: { app: 'webb' } } });
    const measurement = await world.measureUntil('an empty service', (values) => values['emptyServices'] === 1);
    const cause = causeOf(measurement);
    expect(cause).toMatchObject({ category: 'configuration', confidence: 92 });
    expect(cause?.details).toMatch(/^service\/web was changed .* before by ana: \/spec\/selector\/app "webb" \(was "web"\)$/);
    const { namespace } = world.shop;
    expect(cause?.aims).toEqual([
      { kind: 'restore', target: 'shop', type: 'kubernetes', script: `apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: ${namespace}\nspec:\n  selector:\n    app: web\n` },
    ]);
    // What was gone at detection need not be there afterwards; what was there must.
    expect(measurement.facts).toContainEqual(expect.objectContaining({ kind: 'objects', of: 'workloads', names: ['deployment/web'] }));
    expect(findUnwell([], [], findVanished(before.facts, measurement.facts))).toEqual(['endpoints of service/web (vanished)']);
    await merge(world.shop, service, { spec: { selector: { app: 'web' } } });
  }, 90_000);

  it('has objects that came, changed and went, each with its way back', async () => {
    await world.shop.applyAll([{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } }]);
    await merge(world.shop, settings, { data: { GREETING: 'go away', EXTRA: "it's", 'app.ini': 'greeting = hello\npassword = swordfish\n' } });
    await merge(world.shop, { apiVersion: 'v1', kind: 'Secret', name: 'web' }, { stringData: { word: `other-${SECRET}` } });
    await merge(world.shop, service, { spec: { ports: [{ port: 80, targetPort: 8081 }] } });
    const measurement = await world.measure();
    const { namespace } = world.shop;
    expect(Object.fromEntries(changesOf(measurement).map(({ object, what, restore, restoresAll, changedBy }) => [object, { what, script: restore?.script, restoresAll, changedBy }]))).toEqual({
      'networkpolicy/deny': { what: 'added', script: `kubectl delete networkpolicy/deny -n ${namespace}`, restoresAll: true, changedBy: 'kubectl' },
      'service/web': {
        what: 'changed',
        script: `kubectl patch service/web -n ${namespace} --type=json -p '[{"op":"test","path":"/spec/ports/0/targetPort","value":8081},{"op":"replace","path":"/spec/ports/0/targetPort","value":8080}]'`,
        restoresAll: true,
        changedBy: 'ana',
      },
      'configmap/web': {
        what: 'changed',
        script: `kubectl patch configmap/web -n ${namespace} --type=json -p '[{"op":"test","path":"/data/GREETING","value":"go away"},{"op":"replace","path":"/data/GREETING","value":"welcome"},{"op":"test","path":"/data/EXTRA","value":"it\\u0027s"},{"op":"remove","path":"/data/EXTRA"}]'`,
        // One of its values looks secret.
        restoresAll: false,
        changedBy: 'ana',
      },
      'secret/web': { what: 'changed', script: undefined, restoresAll: false, changedBy: 'ana' },
    });
    const told = JSON.stringify(measurement);
    for (const text of [SECRET, Buffer.from(`other-${SECRET}`).toString('base64'), 'swordfish', 'opensesame']) expect(told).not.toContain(text);

    await world.shop.remove(settings);
    // The only Secret that there was.
    await world.shop.remove({ apiVersion: 'v1', kind: 'Secret', name: 'web' });
    const gone = changesOf(await world.measure());
    for (const object of ['configmap/web', 'secret/web']) expect(gone).toContainEqual(expect.objectContaining({ object, what: 'removed', changedBy: null }));
  }, 60_000);

  it('has lost what is scaled to nothing or deleted, however well the rest looks', async () => {
    const vanished = async () => findUnwell([], [], findVanished(before.facts, (await world.measure()).facts));
    await merge(world.shop, deployment, { spec: { replicas: 0 } });
    const scaled = await world.measureUntil('the end of its pods', (values) => values['emptyServices'] === 1);
    expect(await vanished()).toEqual(['deployment/web (vanished)', 'endpoints of service/web (vanished)']);
    expect(changesOf(scaled)).toContainEqual(expect.objectContaining({ object: 'deployment/web', changes: [{ pointer: '/spec/replicas', good: '1', now: '0', isRestored: true }], templateChanged: false, restoresAll: true }));
    await world.shop.remove(deployment);
    expect(await vanished()).toContain('deployment/web (vanished)');
  }, 90_000);
});
