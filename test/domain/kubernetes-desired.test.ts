import { describe, expect, it } from '@jest/globals';
import { get, isOwnedBy, type ObjectEdit, readRevision, toDesired } from '../../domain/kubernetes-desired.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';

const containers = [{ name: 'web', image: 'shop:1' }, { name: 'proxy', image: 'proxy:1' }];
const template = { metadata: { labels: { app: 'web' } }, spec: { containers } };
const web: KubernetesObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop', resourceVersion: '7' }, spec: { replicas: 2, paused: false, template } };
const node: KubernetesObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.0.0.0/24', unschedulable: true } };

describe('an edit of an object', () => {
  it.each<[string, KubernetesObject, ObjectEdit, readonly string[], unknown]>([
    ['scales', web, { verb: 'scale', replicas: 5 }, ['spec', 'replicas'], 5],
    ['sets the images of the containers that it names', web, { verb: 'setImage', images: { web: 'shop:2' } }, ['spec', 'template', 'spec', 'containers'], [{ name: 'web', image: 'shop:2' }, { name: 'proxy', image: 'proxy:1' }]],
    ['marks the template for new pods', web, { verb: 'restart', mark: 'abc' }, ['spec', 'template', 'metadata', 'annotations'], { 'sluice/restart': 'abc' }],
    ['cordons', { ...node, spec: {} }, { verb: 'cordon' }, ['spec'], { unschedulable: true }],
    ['uncordons', node, { verb: 'uncordon' }, ['spec'], { podCIDR: '10.0.0.0/24' }],
    [
      'takes a template without what controllers put on it',
      web,
      { verb: 'useTemplate', template: { metadata: { labels: { app: 'web', 'pod-template-hash': 'x' } }, spec: { containers: [] } } },
      ['spec', 'template'],
      { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
    ],
  ])('%s', (_what, live, edit, place, expected) => {
    const desired = toDesired(edit, live);
    expect(desired.ok && get(desired.object, place)).toEqual(expected);
  });

  it('changes nothing else', () => {
    expect(toDesired({ verb: 'scale', replicas: 5 }, web)).toEqual({ ok: true, object: { ...web, spec: { replicas: 5, paused: false, template } } });
  });

  it('of a container that is not there is refused, and says which there are', () => {
    expect(toDesired({ verb: 'setImage', images: { wep: 'shop:2' } }, web)).toEqual({ ok: false, because: 'deployment/web has no container wep; it has web, proxy' });
  });
});

describe('a revision', () => {
  const owned = { ownerReferences: [{ uid: 'u', controller: true }] };
  const set: KubernetesObject = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web-1', ...owned, annotations: { 'deployment.kubernetes.io/revision': '3' } }, spec: { template } };

  it('is read from a ReplicaSet', () => expect(readRevision(set)).toEqual({ revision: 3, template }));
  it('is read from a ControllerRevision', () =>
    expect(readRevision({ apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name: 'db-1' }, revision: 4, data: { spec: { template } } })).toEqual({ revision: 4, template }));
  it('belongs to the controller that owns it', () => expect([isOwnedBy(set, 'u'), isOwnedBy(set, 'other'), isOwnedBy(web, 'u')]).toEqual([true, false, false]));
});
