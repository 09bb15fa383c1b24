import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../domain/canonical.js';
import { findRevision, judgeNamespace, listUnsettled, type NamespaceObjects } from '../../domain/kubernetes-health.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';

const NOW_MS = Date.parse('2026-11-22T09:00:00Z');
const WINDOW_MS = 600_000;
const ago = (seconds: number): string => new Date(NOW_MS - seconds * 1_000).toISOString();
type Fields = { readonly [field: string]: Json };
const owner = (kind: string, uid: string) => [{ kind, name: uid, uid, controller: true }];
const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'web:2' }] } };

const aDeployment = (status: Fields, spec: Fields = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', uid: 'd', generation: 1, creationTimestamp: ago(86_400) },
  spec: { replicas: 2, template, ...spec },
  status: { observedGeneration: 1, ...status },
});
const aReplicaSet = (revision: number, image: string): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: `web-${revision}`, uid: `r${revision}`, ownerReferences: owner('Deployment', 'd'), annotations: { 'deployment.kubernetes.io/revision': `${revision}` } },
  spec: { template: { metadata: { labels: { ...labels, 'pod-template-hash': `${revision}` } }, spec: { containers: [{ name: 'main', image }] } } },
});
const aPod = (container: Fields, over: { readonly ageSeconds?: number; readonly of?: string; readonly conditions?: Json; readonly going?: number } = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `web-${over.of ?? 'r2'}`, labels, creationTimestamp: ago(over.ageSeconds ?? 3_600), ownerReferences: owner('ReplicaSet', over.of ?? 'r2'), ...(over.going === undefined ? {} : { deletionTimestamp: ago(over.going) }) },
  status: { conditions: over.conditions ?? [], containerStatuses: [{ name: 'main', ...container }] },
});
const aService = (spec: Fields = {}, ageSeconds = 3_600): KubernetesObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', creationTimestamp: ago(ageSeconds) }, spec: { selector: labels, ...spec } });
const aSlice = (ready: boolean): KubernetesObject => ({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'web-x', labels: { 'kubernetes.io/service-name': 'web' } }, endpoints: [{ conditions: { ready } }] });

const replicaSets = [aReplicaSet(1, 'web:1'), aReplicaSet(2, 'web:2')];
const judge = (objects: Partial<NamespaceObjects>) => judgeNamespace({ pods: [], replicaSets, endpointSlices: [], configured: [], ...objects }, NOW_MS, WINDOW_MS);
const running = { ready: true, restartCount: 0, state: { running: {} } };
const waiting = (reason: string): Fields => ({ restartCount: 4, state: { waiting: { reason, message: 'because' } }, lastState: { terminated: { reason: 'Error', exitCode: 3, finishedAt: ago(20) } } });
const ended = (reason: string, seconds: number, restartCount = 5): Fields => ({ restartCount, state: { running: {} }, lastState: { terminated: { reason, exitCode: 137, finishedAt: ago(seconds) } } });
const unscheduled = (seconds: number): Json => [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no room', lastTransitionTime: ago(seconds) }];

describe('a pod', () => {
  it.each<{ what: string; pod: KubernetesObject; values: Fields; trouble?: string }>([
    { what: 'that runs', pod: aPod(running), values: {} },
    { what: 'that is only created', pod: aPod({ state: { waiting: { reason: 'ContainerCreating' } } }), values: {} },
    { what: 'that waits for its image', pod: aPod({ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }), values: { waitingPods: 1 }, trouble: 'ImagePullBackOff: no such image' },
    { what: 'that crashes', pod: aPod(waiting('CrashLoopBackOff'), { ageSeconds: 60 }), values: { waitingPods: 1, restarts: 4 }, trouble: 'CrashLoopBackOff: because, ended with Error, exit code 3' },
    { what: 'that leaves while it crashes', pod: aPod(waiting('CrashLoopBackOff'), { going: 1 }), values: {} },
    { what: 'that is old and was restarted once more', pod: aPod(ended('Error', 60)), values: { restarts: 1 }, trouble: 'Restarted: container main, ended with Error, exit code 137' },
    { what: 'that was restarted long ago', pod: aPod(ended('OOMKilled', 700)), values: {} },
    { what: 'that was killed for its memory', pod: aPod(ended('OOMKilled', 60)), values: { restarts: 1, oomKills: 1 }, trouble: 'OOMKilled: container main took more memory than its limit' },
    { what: 'that no node takes', pod: aPod({}, { conditions: unscheduled(10) }), values: { pendingPods: 1 }, trouble: 'Unschedulable: no room' },
    { what: 'that no node has taken yet', pod: aPod({}, { conditions: unscheduled(2) }), values: {} },
  ])('$what', ({ pod, values, trouble }) => {
    const health = judge({ pods: [pod] });
    expect(health.values).toEqual({ waitingPods: 0, restarts: 0, oomKills: 0, pendingPods: 0, unavailableReplicas: 0, emptyServices: 0, ...values });
    expect(health.troubles.map(({ reason, message }) => `${reason}: ${message}`)).toEqual(trouble === undefined ? [] : [trouble]);
  });

  it('is told by its workload, and whether that would make it the same way today', () => {
    const pods = [aPod(waiting('CrashLoopBackOff'), { of: 'r1' }), aPod(waiting('CrashLoopBackOff'), { of: 'r2' }), aPod(waiting('CrashLoopBackOff'), { of: 'other' })];
    expect(judge({ pods, configured: [aDeployment({})] }).troubles).toMatchObject([
      { workload: 'deployment/web', isOfNewTemplate: false },
      { workload: 'deployment/web', isOfNewTemplate: true },
      { workload: 'replicaset/other', isOfNewTemplate: false },
    ]);
  });

  it('says no more than people read', () => {
    const [trouble] = judge({ pods: [aPod({ state: { waiting: { reason: 'ErrImagePull', message: 'x'.repeat(5_000) } } })] }).troubles;
    expect(trouble?.message).toBe(`${'x'.repeat(299)}…`);
  });
});

const progressing = (reason: string, seconds: number, status = 'True') => ({ type: 'Progressing', status, reason, lastUpdateTime: ago(seconds) });
const available = (status: string) => ({ type: 'Available', status });

describe('a replica that is missing', () => {
  it.each<{ what: string; conditions: Json; pods?: readonly KubernetesObject[]; count: number; availableReplicas?: number }>([
    { what: 'and nothing is done about it', conditions: [progressing('NewReplicaSetAvailable', 3_600)], count: 1 },
    { what: 'while a rollout goes on as it should', conditions: [progressing('ReplicaSetUpdated', 120), available('True')], count: 0 },
    { what: 'while a rollout has too few pods for a moment', conditions: [progressing('ReplicaSetUpdated', 10), available('False')], count: 0 },
    { what: 'while a rollout has too few pods for long', conditions: [progressing('ReplicaSetUpdated', 60), available('False')], count: 1 },
    { what: 'of a rollout that gave up', conditions: [progressing('ProgressDeadlineExceeded', 10, 'False'), available('True')], count: 1 },
    { what: 'of a rollout whose pods crash', conditions: [progressing('ReplicaSetUpdated', 1), available('True')], pods: [aPod(waiting('CrashLoopBackOff'), { ageSeconds: 2 })], count: 1 },
    { what: 'and starts', conditions: [progressing('NewReplicaSetAvailable', 3_600)], pods: [aPod(running, { ageSeconds: 5 })], count: 0 },
    { what: 'and has been starting for long', conditions: [progressing('NewReplicaSetAvailable', 3_600)], pods: [aPod(running, { ageSeconds: 45 })], count: 1 },
    { what: 'and leaves, to be replaced', conditions: [progressing('NewReplicaSetAvailable', 3_600)], pods: [aPod(running, { going: 1 })], count: 0 },
    { what: 'and does not come to leave', conditions: [progressing('NewReplicaSetAvailable', 3_600)], pods: [aPod(running, { going: 45 })], count: 1 },
    { what: 'beside another, of which one starts', conditions: [progressing('NewReplicaSetAvailable', 3_600)], pods: [aPod(running, { ageSeconds: 5 })], availableReplicas: 0, count: 2 },
  ])('$what', ({ conditions, pods = [], count, availableReplicas = 1 }) => {
    expect(judge({ pods, configured: [aDeployment({ availableReplicas, conditions })] }).values.unavailableReplicas).toBe(count);
  });

  it('is none where more are there than asked for', () => {
    expect(judge({ configured: [aDeployment({ availableReplicas: 3 })] }).values.unavailableReplicas).toBe(0);
  });

  it('keeps what is in place from being called good', () => {
    const counts = { updatedReplicas: 2, replicas: 2, availableReplicas: 2 };
    const list = (configured: readonly KubernetesObject[], endpointSlices: readonly KubernetesObject[] = []) => listUnsettled({ configured, endpointSlices }, NOW_MS);
    expect(list([aDeployment(counts), aService()])).toEqual([]);
    expect(list([aDeployment({ ...counts, updatedReplicas: 1 })])).toEqual(['deployment/web']);
    expect(list([aService({}, 5)])).toEqual(['service/web']);
    expect(list([aService({}, 5)], [aSlice(true)])).toEqual([]);
    expect(list([aService({ selector: {} }, 5)])).toEqual([]);
  });
});

describe('a Service', () => {
  const scaled = aDeployment({}, { replicas: 0 });
  it.each<{ what: string; objects: Partial<NamespaceObjects>; count: number; standing: readonly string[] }>([
    { what: 'with a pod that is ready', objects: { configured: [aService()], endpointSlices: [aSlice(true)] }, count: 0, standing: ['endpoints of service/web'] },
    { what: 'that finds no pods', objects: { configured: [aService()], endpointSlices: [aSlice(false)] }, count: 1, standing: [] },
    { what: 'whose workload is scaled to nothing', objects: { configured: [scaled, aService()] }, count: 1, standing: [] },
    { what: 'whose pods come', objects: { configured: [aDeployment({ availableReplicas: 2 }), aService()] }, count: 0, standing: ['deployment/web'] },
    { what: 'whose pods start', objects: { configured: [aService()], pods: [aPod(running, { ageSeconds: 5 })] }, count: 0, standing: [] },
    { what: 'whose pods are not ready for long', objects: { configured: [aService()], pods: [aPod(running, { ageSeconds: 45 })] }, count: 1, standing: [] },
    { what: 'whose pods crash', objects: { configured: [aService()], pods: [aPod(waiting('CrashLoopBackOff'), { ageSeconds: 5 })] }, count: 1, standing: [] },
    { what: 'that is new', objects: { configured: [aService({}, 5)] }, count: 0, standing: [] },
    { what: 'without a selector', objects: { configured: [aService({ selector: {} })] }, count: 0, standing: [] },
    { what: 'that is only a name', objects: { configured: [aService({ type: 'ExternalName' })] }, count: 0, standing: [] },
  ])('$what', ({ objects, count, standing }) => {
    const health = judge(objects);
    expect({ count: health.values.emptyServices, standing: health.standing }).toEqual({ count, standing });
  });
});

describe('the revision that has a template', () => {
  it('is the newest of those that are kept, whatever the controller adds to it', () => {
    const again = { ...aReplicaSet(7, 'web:1'), metadata: { ...aReplicaSet(7, 'web:1').metadata } };
    expect(findRevision(aDeployment({}), template, replicaSets)).toBe(2);
    expect(findRevision(aDeployment({}), (aReplicaSet(1, 'web:1')['spec'] as Fields)['template'], [...replicaSets, again])).toBe(null);
    const first = { ...template, spec: { containers: [{ name: 'main', image: 'web:1' }] } };
    expect(findRevision(aDeployment({}), first, [...replicaSets, again])).toBe(7);
    expect(findRevision(aDeployment({}), first, replicaSets.slice(1))).toBe(null);
    expect(findRevision({ ...aDeployment({}), metadata: { name: 'web', uid: 'another' } }, template, replicaSets)).toBe(null);
  });
});
