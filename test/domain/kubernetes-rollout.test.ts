import { describe, expect, it } from '@jest/globals';
import { explainPods, readRollout } from '../../domain/kubernetes-rollout.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';

const object = (kind: string, spec: object, status: object, generation = 2): KubernetesObject => ({ apiVersion: 'apps/v1', kind, metadata: { name: 'web', generation }, spec: { ...spec }, status: { observedGeneration: 2, ...status } });
const whole = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

describe('a rollout', () => {
  it.each<[string, boolean, KubernetesObject]>([
    ['of a Deployment, all pods new and available', true, object('Deployment', { replicas: 2 }, whole)],
    ['that its controller has not seen yet', false, object('Deployment', { replicas: 2 }, whole, 3)],
    ['with pods that are not new', false, object('Deployment', { replicas: 2 }, { ...whole, updatedReplicas: 1 })],
    ['with old pods left', false, object('Deployment', { replicas: 2 }, { ...whole, replicas: 3 })],
    ['with a pod that is not available', false, object('Deployment', { replicas: 2 }, { ...whole, availableReplicas: 1 })],
    ['to no pods', true, object('Deployment', { replicas: 0 }, {})],
    ['of a StatefulSet on the way', false, object('StatefulSet', { replicas: 2 }, { ...whole, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' })],
    ['of a StatefulSet that counts its pods as current again', true, object('StatefulSet', { replicas: 2 }, { ...whole, updatedReplicas: 0, currentRevision: 'b', updateRevision: 'b' })],
    ['of a StatefulSet down to its partition', true, object('StatefulSet', { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } }, { ...whole, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' })],
    ['of a DaemonSet', true, object('DaemonSet', {}, { desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 })],
    ['of a DaemonSet with an old pod', false, object('DaemonSet', {}, { desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 0, numberAvailable: 1 })],
    ['whose old pods go only by hand', true, object('DaemonSet', { updateStrategy: { type: 'OnDelete' } }, { desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 0, numberAvailable: 1 })],
  ])('%s: over is %s', (_what, isDone, live) => expect(readRollout(live)?.isDone).toBe(isDone));

  it('says how far it is', () => expect(readRollout(object('Deployment', { replicas: 2 }, { replicas: 3, updatedReplicas: 1, availableReplicas: 2 }))?.line).toBe('deployment/web: 1 of 2 pods are new, 2 available, 1 more to go'));
  it('says when it is paused', () => expect(readRollout(object('Deployment', { paused: true }, {}))?.trouble).toBe('its rollout is paused'));
  it('says what keeps pods from being made', () => expect(readRollout(object('Deployment', {}, { conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] }))?.trouble).toBe('exceeded quota'));
  it('is none of an object without pods', () => expect(readRollout(object('Service', {}, {}))).toBeUndefined());
});

describe('why pods do not run', () => {
  const pod = (status: object, metadata: object = {}): KubernetesObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1', ...metadata }, status: { ...status } });
  const waiting = pod({ containerStatuses: [{ name: 'web', ready: false, state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }] });
  const ready = pod({ conditions: [{ type: 'Ready', status: 'True' }] });

  it('is told once for all that say the same, and not of those that run or go', () => {
    expect(explainPods([waiting, waiting, ready, pod({}), pod({}, { deletionTimestamp: '2026-11-22T08:00:00Z' })], 0)).toEqual(['2 pods: ImagePullBackOff: not found', '1 pod: not ready']);
  });
});
