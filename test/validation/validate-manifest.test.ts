import { describe, expect, it } from '@jest/globals';
import { readManifest } from '../../validation/kubernetes/manifest.js';
import { aStep } from '../builders.js';
import { inspector } from '../harness/inspector.js';

const validate = (script: string) => inspector.judgeStep({ ...aStep(), type: 'kubernetes', script, parameters: [] });
const manifestOf = (apiVersion: string, kind: string, fields: object, metadata: object = {}) => ({ apiVersion, kind, metadata: { name: 'web', namespace: 'shop', ...metadata }, ...fields });
const deployment = (spec: object, metadata?: object) => manifestOf('apps/v1', 'Deployment', { spec }, metadata);
const withContainer = (container: object, podSpec: object = {}) => deployment({ template: { spec: { containers: [{ name: 'web', ...container }], ...podSpec } } });
const service = (spec: object) => manifestOf('v1', 'Service', { spec });
const configMap = (fields: object, metadata?: object) => manifestOf('v1', 'ConfigMap', fields, metadata);
const quota = (spec: object) => manifestOf('v1', 'ResourceQuota', { spec });
const scaler = (spec: object) => manifestOf('autoscaling/v2', 'HorizontalPodAutoscaler', { spec });

const everyField = withContainer({
  image: 'registry.example/shop/web:v2.4.0',
  command: ['web'],
  args: ['--port=80'],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', valueFrom: { secretKeyRef: { name: 'web', key: 'token' } } },
    { name: 'C', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
  ],
  ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
  resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: 1 } },
  readinessProbe: { httpGet: { path: '/', port: 'http', scheme: 'HTTP' }, periodSeconds: 1 },
  livenessProbe: { exec: { command: ['true'] }, failureThreshold: 3 },
  startupProbe: { tcpSocket: { port: 80 } },
});

describe('a manifest that only names what repairs are made of', () => {
  it.each<readonly [kind: string, manifest: object, reach: string]>([
    ['Deployment', everyField, 'workload'],
    ['Deployment', deployment({ replicas: 3, template: { metadata: { labels: { app: 'web' }, annotations: { 'kubectl.kubernetes.io/restartedAt': 'x', 'prometheus.io/scrape': 'true' } } } }), 'workload'],
    ['StatefulSet', manifestOf('apps/v1', 'StatefulSet', { spec: { replicas: 1 } }), 'workload'],
    ['DaemonSet', manifestOf('apps/v1', 'DaemonSet', { spec: { template: { spec: { containers: [{ name: 'web', image: 'localhost/busybox:1' }] } } } }), 'workload'],
    ['Service', service({ selector: { app: 'web' }, type: 'ClusterIP', ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }] }), 'namespace'],
    ['ConfigMap', configMap({ data: { 'app.ini': 'a = 1\n\tb = Zürich\n', __proto__: 'x' }, binaryData: { key: 'AAA=' } }), 'namespace'],
    ['NetworkPolicy', manifestOf('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { a: 'b' } } }] }] } }), 'namespace'],
    ['HorizontalPodAutoscaler', scaler({ minReplicas: 1, maxReplicas: 5, metrics: [{ type: 'Resource' }] }), 'namespace'],
    ['ResourceQuota', quota({ hard: { pods: '10', 'requests.cpu': 4 } }), 'namespace'],
  ])('is for people to review: %s', async (kind, manifest, reach) => {
    const text = JSON.stringify(manifest);
    expect(await validate(text)).toEqual({ result: 'review', findings: [], reach });
    expect(readManifest(text)).toMatchObject({ ok: true, ref: { kind, name: 'web', namespace: 'shop' }, object: JSON.parse(text) });
    expect(await validate(JSON.stringify(manifest, null, '\t'))).toMatchObject({ result: 'review' });
  });

  it('may be YAML as people write it', () => {
    const text = `---
# The port that the pods listen on.
apiVersion: v1
kind: Service
metadata: {name: web, namespace: "shop"}
spec:
  ports:
    - port: 80
      targetPort: 8080
  selector:
    app: web
    note: |
      %5 of it
`;
    expect(readManifest(text)).toMatchObject({ ok: true, object: { spec: { ports: [{ port: 80, targetPort: 8_080 }], selector: { app: 'web', note: '%5 of it\n' } } } });
  });
});

const yaml = (lines: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: shop\n${lines}`;

describe('any other manifest', () => {
  it.each<readonly [rule: string, script: string | object]>([
    // What is not one document that all readers take for the same.
    ['manifest.syntax', ''],
    ['manifest.syntax', 'web'],
    ['manifest.syntax', '[]'],
    ['manifest.syntax', '{'],
    ['manifest.syntax', [configMap({ data: {} })]],
    ['manifest.syntax', yaml('data: {}\n---\nkind: Secret\n')],
    ['manifest.syntax', yaml('data: {}\n...\n---\nkind: Secret\n')],
    ['manifest.syntax', yaml('data: {a: "1", a: "2"}')],
    ['manifest.syntax', '{"apiVersion":"v1","kind":"ConfigMap","kind":"Secret","metadata":{"name":"web","namespace":"shop"}}'],
    ['manifest.syntax', '{"apiVersion":"v1","kind":"ConfigMap","ki\\u006ed":"Secret","metadata":{"name":"web","namespace":"shop"}}'],
    ['manifest.syntax', yaml('data: &all {a: "1"}')],
    ['manifest.syntax', yaml('data:\n  a: &x "1"\n  b: *x')],
    ['manifest.syntax', yaml('data:\n  a: &x [*x]')],
    ['manifest.syntax', yaml('data: !!map {a: "1"}')],
    ['manifest.syntax', yaml('data: {a: !!binary aGk=}')],
    ['manifest.syntax', yaml('data: {a: !other x}')],
    ['manifest.syntax', yaml('data: {a: no}')],
    ['manifest.syntax', yaml('data: {on: "1"}')],
    ['manifest.syntax', yaml('data: {a: 012}')],
    ['manifest.syntax', yaml('data: {a: 12:30:45}')],
    ['manifest.syntax', yaml('data: {a: 1_000}')],
    ['manifest.syntax', yaml('data: {a: 2026-11-22}')],
    ['manifest.syntax', yaml('data: {? [a] : b}')],
    ['manifest.syntax', `%YAML 1.1\n---\n${yaml('data: {}')}`],
    ['manifest.syntax', `%TAG ! tag:x,2000:\n---\n${yaml('data: {}')}`],
    ['manifest.syntax', `${'['.repeat(30_000)}`],
    ['manifest.syntax', '? '.repeat(32_000)],
    ['manifest.syntax', yaml(`data: ${'{a: '.repeat(15_000)}`)],
    ['manifest.number', yaml('data: {a: 12345678901234567890}')],
    ['manifest.number', yaml('data: {a: .inf}')],
    ['manifest.characters', yaml('data: {a: "x\u202ey"}')],
    ['manifest.characters', `\ufeff${yaml('data: {}')}`],
    ['manifest.syntax', yaml('data: {a: "x\\u202ey"}')],
    ['manifest.syntax', yaml('data: {"a\\u200b": "x"}')],
    ['manifest.syntax', yaml('data: {a: "\\e[2J"}')],
    ['manifest.size', yaml(`data: {a: "${'x'.repeat(70_000)}"}`)],
    // What it is, and where.
    ...['Secret', 'Role', 'ClusterRoleBinding', 'ServiceAccount', 'CustomResourceDefinition', 'ValidatingWebhookConfiguration', 'Namespace', 'Pod', 'Job', 'Node', 'List', 'Ingress', 'deployment', 'constructor', '__proto__', ''].map(
      (kind) => ['manifest.kind', manifestOf('v1', kind, {})] as const,
    ),
    ['manifest.kind', { apiVersion: 'v1', metadata: { name: 'a', namespace: 'b' } }],
    ['manifest.kind', { apiVersion: 'v1', kind: ['ConfigMap'], metadata: { name: 'a', namespace: 'b' } }],
    ['manifest.apiVersion', manifestOf('extensions/v1beta1', 'Deployment', {})],
    ['manifest.apiVersion', manifestOf('autoscaling/v1', 'HorizontalPodAutoscaler', {})],
    ['manifest.apiVersion', { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'b' } }],
    ['manifest.name', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop' } }],
    ['manifest.name', configMap({}, { name: '../web' })],
    ['manifest.name', configMap({}, { name: 7 })],
    ['manifest.namespace', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' } }],
    ['manifest.namespace', configMap({}, { namespace: '' })],
    ['manifest.namespace', configMap({}, { namespace: 'a/b' })],
    // What needs a person.
    ['manifest.field', configMap({}, { generateName: 'web-' })],
    ['manifest.field', configMap({}, { finalizers: [] })],
    ['manifest.field', configMap({}, { ownerReferences: [] })],
    ['manifest.field', configMap({}, { resourceVersion: '1' })],
    ['manifest.field', configMap({}, { labels: { a: 1 } })],
    ['manifest.field', configMap({}, { labels: ['a'] })],
    ['manifest.field', configMap({}, { annotations: { 'deployment.kubernetes.io/revision': '3' } })],
    ['manifest.field', configMap({}, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } })],
    ['manifest.field', configMap({ data: { a: 1 } })],
    ['manifest.field', configMap({ data: { a: null } })],
    ['manifest.field', configMap({ data: null })],
    ['manifest.field', configMap({ immutable: true })],
    ['manifest.field', yaml('data:\n  <<: {a: b}')],
    ['manifest.field', JSON.stringify(configMap({})).replace('{', '{"__proto__":{"a":"b"},')],
    ['manifest.field', deployment({ status: {} })],
    ['manifest.field', { ...deployment({}), status: { replicas: 1 } }],
    ['manifest.field', deployment({ replicas: 0 })],
    ['manifest.field', deployment({ replicas: 1_001 })],
    ['manifest.field', deployment({ replicas: 1.5 })],
    ['manifest.field', deployment({ replicas: '3' })],
    ['manifest.field', deployment({ replicas: null })],
    ['manifest.field', deployment({ paused: true })],
    ['manifest.field', deployment({ selector: { matchLabels: { app: 'web' } } })],
    ['manifest.field', deployment({ strategy: { type: 'Recreate' } })],
    ['manifest.field', manifestOf('apps/v1', 'DaemonSet', { spec: { replicas: 2 } })],
    ['manifest.field', manifestOf('apps/v1', 'StatefulSet', { spec: { volumeClaimTemplates: [] } })],
    ['manifest.field', deployment({ template: { metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/web': 'unconfined' } } } })],
    ...['hostNetwork', 'hostPID', 'hostIPC', 'securityContext', 'volumes', 'serviceAccountName', 'serviceAccount', 'automountServiceAccountToken', 'nodeName', 'nodeSelector', 'tolerations', 'affinity', 'hostAliases', 'initContainers', 'ephemeralContainers', 'runtimeClassName', 'shareProcessNamespace', 'imagePullSecrets', 'dnsPolicy'].map(
      (field) => ['manifest.field', withContainer({}, { [field]: true })] as const,
    ),
    ...['securityContext', 'volumeMounts', 'volumeDevices', 'lifecycle', 'envFrom', 'stdin', 'tty', 'workingDir', 'imagePullPolicy', 'restartPolicy', 'SecurityContext'].map((field) => ['manifest.field', withContainer({ [field]: true })] as const),
    ['manifest.field', withContainer({ image: 'web:2 --privileged' })],
    ['manifest.field', withContainer({ ports: [{ containerPort: 80, hostPort: 80 }] })],
    ['manifest.field', withContainer({ resources: { claims: [] } })],
    ['manifest.field', withContainer({ resources: { limits: { cpu: 'much' } } })],
    // In fields that may be set, what no pod may have.
    ['k8s.environment', withContainer({ env: [{ name: 'LD_PRELOAD', value: '/tmp/x.so' }] })],
    ['k8s.environment', withContainer({ env: [{ name: 'NODE_OPTIONS', value: '--require /tmp/x.js' }] })],
    ['manifest.field', withContainer({ env: { A: '1' } })],
    ['manifest.field', withContainer({ env: [{ name: 'A', value: 1 }] })],
    ['manifest.field', withContainer({ readinessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } })],
    ['manifest.field', service({ type: 'ExternalName', externalName: 'evil.example' })],
    ['manifest.field', service({ externalIPs: ['10.0.0.1'] })],
    ['manifest.field', service({ clusterIP: 'None' })],
    ['manifest.field', service({ ports: [{ port: '80' }] })],
    ['manifest.field', manifestOf('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: null } })],
    ['manifest.field', manifestOf('networking.k8s.io/v1', 'NetworkPolicy', { spec: { policyTypes: ['ingress'] } })],
    ['manifest.field', scaler({ maxReplicas: 0 })],
    ['manifest.field', scaler({ scaleTargetRef: { kind: 'Deployment', name: 'other' } })],
    ['manifest.field', quota({ scopes: [] })],
  ])('is denied by %s: %j', async (rule, script) => {
    const { result, findings } = await validate(typeof script === 'string' ? script : JSON.stringify(script));
    expect(result).toBe('denied');
    expect([...new Set(findings.map((finding) => finding.rule))]).toEqual([rule]);
  });

  it('has no more findings than anybody reads', async () => {
    for (const value of [1, 'no']) expect((await validate(yaml(`data:\n${Array.from({ length: 1_000 }, (_, index) => `  k${index}: ${value}\n`).join('')}`))).findings).toHaveLength(20);
  });

  it('says where each thing is that is wrong, and why', () => {
    const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 0
  template:
    spec:
      hostPID: true
      containers:
        - name: web
          securityContext: {privileged: true}
`;
    const reading = readManifest(text);
    const lines = reading.ok ? [] : reading.findings.map(({ position, reason }) => [text.slice(position - 1).split('\n')[0], reason]);
    expect(lines).toEqual([
      ['replicas: 0', '/spec/replicas: it is not a whole number from 1 to 1000'],
      ['hostPID: true', '/spec/template/spec/hostPID: it opens the node to its pods'],
      ['securityContext: {privileged: true}', '/spec/template/spec/containers/0/securityContext: it decides what its pods may do to the node'],
    ]);
  });
});
