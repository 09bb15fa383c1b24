import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../domain/canonical.js';
import { type ObjectChange, toObjectChange } from '../../domain/kubernetes-change.js';
import { readContents, toContents, toKey, writeContents } from '../../domain/kubernetes-configuration.js';
import { findLastEdit } from '../../domain/kubernetes-edit.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';

type Fields = { readonly [field: string]: Json };
const anObject = (kind: string, fields: Fields, metadata: Fields = {}, name = 'web'): KubernetesObject => ({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1', kind, metadata: { name, namespace: 'shop', ...metadata }, ...fields });
const change = (good: KubernetesObject | undefined, now: KubernetesObject | undefined): ObjectChange | undefined => toObjectChange(good, now, (_kind, keys) => !keys.includes('forbidden'));
const scriptOf = (kind: string, good: Fields, now: Fields) => change(anObject(kind, good), anObject(kind, now))?.restore?.script;
const manifest = (kind: string, rest: string): string => `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: web\n  namespace: shop\n${rest}`;

describe('what restores an object', () => {
  it.each<{ what: string; script: string | undefined; is: string | undefined }>([
    { what: 'a manifest of the fields that are to be set', script: scriptOf('Service', { spec: { selector: { app: 'a', tier: 'b' }, type: 'ClusterIP' } }, { spec: { selector: { app: 'x' }, type: 'ClusterIP' } }), is: manifest('Service', 'spec:\n  selector:\n    app: a\n    tier: b\n') },
    { what: 'a patch where a field must go', script: scriptOf('ConfigMap', { data: {} }, { data: { a: "it's" } }), is: `kubectl patch configmap/web -n shop --type=json -p '[{"op":"test","path":"/data/a","value":"it\\u0027s"},{"op":"remove","path":"/data/a"}]'` },
    { what: 'a patch within a list', script: scriptOf('Service', { spec: { ports: [{ port: 80 }] } }, { spec: { ports: [{ port: 81 }] } }), is: `kubectl patch service/web -n shop --type=json -p '[{"op":"test","path":"/spec/ports/0/port","value":81},{"op":"replace","path":"/spec/ports/0/port","value":80}]'` },
    { what: 'a patch for a list, which a manifest would merge', script: scriptOf('Service', { spec: { ports: [{ port: 80 }] } }, { spec: { ports: [] } }), is: `kubectl patch service/web -n shop --type=json -p '[{"op":"test","path":"/spec/ports","value":[]},{"op":"replace","path":"/spec/ports","value":[{"port":80}]}]'` },
    { what: 'nothing where no rule lets it', script: scriptOf('Service', { spec: { forbidden: 1 } }, { spec: { forbidden: 2 } }), is: undefined },
    { what: 'nothing for a Secret', script: scriptOf('Secret', { data: { user: 'digest 1' } }, { data: { user: 'digest 2' } }), is: undefined },
    { what: 'nothing for what looks secret', script: scriptOf('ConfigMap', { data: { ini: 'a = 1\npassword = x\n' } }, { data: { ini: 'a = 1\npassword = y\n' } }), is: undefined },
    { what: 'a manifest of the whole where it is gone', script: change(anObject('ConfigMap', { data: { a: '1' } }), undefined)?.restore?.script, is: `apiVersion: v1\ndata:\n  a: "1"\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: shop\n` },
    { what: 'a manifest without what the server adds', script: change(anObject('Service', { spec: { type: 'ClusterIP', sessionAffinity: 'None', ipFamilies: ['IPv4'], selector: { app: 'a' } } }), undefined)?.restore?.script, is: manifest('Service', 'spec:\n  selector:\n    app: a\n  type: ClusterIP\n') },
    { what: 'deletion of a NetworkPolicy that came', script: change(undefined, anObject('NetworkPolicy', {}))?.restore?.script, is: 'kubectl delete networkpolicy/web -n shop' },
    { what: 'nothing for another object that came', script: change(undefined, anObject('ConfigMap', {}))?.restore?.script, is: undefined },
  ])('is $what', ({ script, is }) => expect(script).toBe(is));

  it('says whether that is all of it', () => {
    const both = change(anObject('Service', { spec: { type: 'a', forbidden: 1 } }), anObject('Service', { spec: { type: 'b', forbidden: 2 } }));
    expect(both).toMatchObject({ restoresAll: false, changeCount: 2, changes: [{ pointer: '/spec/type', isRestored: true }, { pointer: '/spec/forbidden', isRestored: false }] });
  });

  it('shows nothing that may be a secret', () => {
    const env = (value: string) => anObject('Deployment', { spec: { template: { spec: { containers: [{ env: [{ name: 'DB_PASSWORD', value }], args: ['--token=abcdef'] }] } } } });
    const withArgument = anObject('Deployment', { spec: { template: { spec: { containers: [{ env: [{ name: 'DB_PASSWORD', value: 'one' }], args: ['--token=ghijkl'] }] } } } });
    const shown = JSON.stringify([change(env('one'), env('two')), change(env('one'), withArgument), change(anObject('ConfigMap', { data: { a: 'x' } }), anObject('ConfigMap', { data: { a: 'token: abc' } }))]);
    for (const secret of ['"one"', '"two"', 'one\\"', 'two\\"', 'abcdef', 'ghijkl', 'token: abc']) expect(shown).not.toContain(secret);
  });
});

describe('a difference', () => {
  const template = (image: string, replicas = 2, labels: Fields = {}) => anObject('Deployment', { spec: { replicas, template: { spec: { containers: [{ image }] } } } }, { labels });
  it('tells whether only the pod template is another', () => {
    expect(change(template('a'), template('b'))).toMatchObject({ templateChanged: true, onlyTemplateChanged: true });
    expect(change(template('a'), template('b', 2, { version: 'b' }))).toMatchObject({ templateChanged: true, onlyTemplateChanged: true });
    expect(change(template('a'), template('b', 0))).toMatchObject({ templateChanged: true, onlyTemplateChanged: false });
    expect(change(template('a'), template('a', 0))).toMatchObject({ templateChanged: false, object: 'deployment/web' });
    expect(change(template('a'), template('a'))).toBeUndefined();
  });

  it('is none where an autoscaler took over', () => {
    const scaled = anObject('Deployment', { spec: { template: { spec: { containers: [{ image: 'a' }] } } } }, { labels: {} });
    expect(change(template('a'), scaled)).toBeUndefined();
    expect(change(scaled, template('a'))).toBeUndefined();
  });
});

describe('the configuration of a namespace', () => {
  const secret = anObject('Secret', { type: 'Opaque', data: { word: 'aHVzaA==' } }, { uid: 'u1' });
  const digest = ({ metadata }: KubernetesObject, value: string): string => `${JSON.stringify(metadata['uid'])}+${value.length}`;
  const contentsOf = (...objects: readonly KubernetesObject[]) => JSON.parse(writeContents(toContents(objects, digest)));

  it('has of Secrets only digests', () => {
    expect(contentsOf(secret)).toEqual({ 'v1/Secret/web': { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web', namespace: 'shop' }, type: 'Opaque', data: { word: '"u1"+8' } } });
  });

  it('has nothing that changes by itself or is the cluster’s own', () => {
    const scaler: KubernetesObject = { ...anObject('HorizontalPodAutoscaler', { spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' } } }), apiVersion: 'autoscaling/v2' };
    const deployment = anObject('Deployment', { spec: { replicas: 3, paused: false }, status: { replicas: 3 } }, { resourceVersion: '9', annotations: { 'deployment.kubernetes.io/revision': '4' } });
    expect(contentsOf(deployment)['apps/v1/Deployment/web']).toEqual(anObject('Deployment', { spec: { replicas: 3, paused: false } }));
    expect(contentsOf(deployment, scaler)['apps/v1/Deployment/web'].spec).toEqual({ paused: false });
    expect(contentsOf(anObject('Service', { spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], type: 'ClusterIP' } }))['v1/Service/web'].spec).toEqual({ type: 'ClusterIP' });
    expect(contentsOf(anObject('Service', { spec: { clusterIP: 'None' } }))['v1/Service/web'].spec).toEqual({ clusterIP: 'None' });
    expect(
      contentsOf(
        anObject('ConfigMap', {}, {}, 'kube-root-ca.crt'),
        anObject('ConfigMap', {}, { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
        anObject('Secret', { type: 'helm.sh/release.v1' }),
        anObject('Service', {}, { deletionTimestamp: '2026-11-22T09:00:00Z' }),
      ),
    ).toEqual({});
  });

  it('is read back as it was written', () => {
    const contents = toContents([secret, anObject('ConfigMap', { data: { a: '\u0000' } })], digest);
    const text = writeContents(contents);
    expect(text).not.toContain('\u0000');
    expect(writeContents(readContents(text))).toBe(text);
    expect(readContents(text).get('v1/Secret/web')).toEqual(contents.get('v1/Secret/web'));
    expect(toKey(secret)).toBe('v1/Secret/web');
  });
});

describe('who changed an object', () => {
  const entry = (manager: string, minute: number, fields: Json, subresource?: string): Json => ({ manager, time: `2026-11-22T09:0${minute}:00Z`, fieldsV1: fields, ...(subresource === undefined ? {} : { subresource }) });
  const selector = { 'f:spec': { 'f:selector': {} } };
  const edited = (...managedFields: readonly Json[]) => anObject('Service', {}, { managedFields });
  it.each([
    { what: 'who wrote the place', object: edited(entry('ana', 1, { 'f:spec': { 'f:selector': { 'f:app': {} } } }), entry('bob', 2, { 'f:spec': { 'f:type': {} } })), by: 'ana' },
    { what: 'who wrote all that is around it', object: edited(entry('ana', 1, selector), entry('bob', 2, { 'f:spec': { 'f:type': {} } })), by: 'ana' },
    { what: 'who wrote it last', object: edited(entry('bob', 2, selector), entry('ana', 1, selector)), by: 'bob' },
    { what: 'not who wrote the status', object: edited(entry('ana', 1, selector), entry('controller', 2, selector, 'status')), by: 'ana' },
    { what: 'who wrote last where the place is gone', object: edited(entry('ana', 1, { 'f:data': {} }), entry('bob', 2, { 'f:spec': { 'f:type': {} } })), by: 'bob' },
    { what: 'nobody where nobody is named', object: edited(), by: undefined },
  ])('is $what', ({ object, by }) => expect(findLastEdit(object, [['spec', 'selector', 'app']])?.by).toBe(by));
});
