import { describe, expect, it } from '@jest/globals';
import { readObject, toContent, toObjectName, toRef } from '../../domain/kubernetes.js';

const spec = { replicas: 2, template: { metadata: { annotations: { 'deployment.kubernetes.io/revision': 'inside' } } } };
const live = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    labels: { app: 'web' },
    uid: '1',
    resourceVersion: '2',
    generation: 3,
    creationTimestamp: 'x',
    managedFields: [],
    selfLink: '/x',
    annotations: { team: 'shop', 'deployment.kubernetes.io/revision': '4', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  },
  spec,
  status: { replicas: 2 },
};

describe('what is read from a cluster', () => {
  it('is an object once it says what it is and how it is named', () => {
    const object = readObject(live);
    expect(object).toEqual(live);
    expect(object && toRef(object)).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'shop' });
    expect(toObjectName({ kind: 'NetworkPolicy', name: 'deny' })).toBe('networkpolicy/deny');
    const node = readObject({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } });
    expect(node && toRef(node).namespace).toBe(null);
  });

  it.each([[undefined], [null], [[]], [{}], [{ apiVersion: 'v1', kind: 'Pod' }], [{ apiVersion: 'v1', kind: 'Pod', metadata: {} }], [{ kind: 'Pod', metadata: { name: 'a' } }], [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 1 } }]])(
    'is none otherwise: %j',
    (value) => expect(readObject(value)).toBeUndefined(),
  );

  it('has as its content only what people ask for', () => {
    const content = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, annotations: { team: 'shop' } }, spec };
    expect(toContent(live)).toEqual(content);
    expect(toContent(content)).toEqual(content);
    const { annotations: _, ...bare } = content.metadata;
    expect(toContent({ ...live, metadata: { ...live.metadata, annotations: { 'deployment.kubernetes.io/revision': '4' } } })).toEqual({ ...content, metadata: bare });
  });
});
