import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Json } from '../../domain/canonical.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';
import type { DraftStep, Sandbox } from '../../domain/plan.js';
import type { Jobs } from '../../domain/watch.js';

const startProgram = readFileSync(new URL('job-start.py', import.meta.url), 'utf8');
/** Of its Secret, its NetworkPolicy and its pods, too. */
export const KEY_LABEL = 'sluice.dev/execution';
/** SHA-256 of the token that its pods claim with: whose Job it is. */
export const CLAIM_ANNOTATION = 'sluice.dev/claim';
/** How long a Job and its log are kept, for a result that was lost on the way. */
const KEPT_S = 86_400;
const CLAIM_WITHIN_S = 60;
const STOP_WITHIN_S = 2;
// A user that nothing else on a node is: the number of its processes is bounded.
const FIRST_UID = 200_000;
const UIDS = 1_000_000_000;
const SECRETS_FOLDER = '/run/secrets';
const ACCOUNT_FOLDER = 'kubernetes.io/serviceaccount';
const DNS_PORT = 53;
// Before the name of a secret, which may be that of a file, too.
export const GIVEN = 'given.';

export interface JobAim {
  readonly step: DraftStep & { readonly sandbox: Sandbox };
  readonly jobs: Jobs;
  readonly namespace: string;
  readonly key: string;
  /** How long it may take until a pod starts. */
  readonly startWithinMs: number;
  /** Ways to the cluster's own API, for a script that has rights in it. */
  readonly clusterApi: readonly Json[];
}

/** The secrets of a script as the namespace had them, base64 under their names. */
export type GivenSecrets = Readonly<Record<string, string>>;

export const toJobName = (key: string): string => `sluice-${key}`;

/** Who may run: nobody, until it is told to by `spec.suspend`. `claim` is noted on it. What of it can be read by others says nothing of the script. */
export function toJob({ step, jobs, namespace, key, startWithinMs }: JobAim, claim = ''): KubernetesObject {
  const name = toJobName(key);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...toMeta(name, namespace, key), annotations: { [CLAIM_ANNOTATION]: claim } },
    spec: {
      suspend: true,
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      podReplacementPolicy: 'Failed',
      // The script's own limit is kept in its container; this one holds where that fails.
      activeDeadlineSeconds: Math.ceil((startWithinMs + step.timeoutMs) / 1_000) + CLAIM_WITHIN_S,
      ttlSecondsAfterFinished: KEPT_S,
      template: { metadata: { labels: toLabels(key) }, spec: toPodSpec(step, jobs, key) },
    },
  };
}

/** A pod as the Job would make it, to ask the server whether it may be. */
export const toPod = (job: KubernetesObject, aim: JobAim): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: toMeta(job.metadata.name, aim.namespace, aim.key),
  spec: toPodSpec(aim.step, aim.jobs, aim.key),
});

function toPodSpec({ sandbox }: JobAim['step'], { image, serviceAccount }: Jobs, key: string): { readonly [field: string]: Json } {
  const uid = FIRST_UID + (Number.parseInt(createHash('sha256').update(key).digest('hex').slice(0, 12), 16) % UIDS);
  const folders = sandbox.secrets.length > 0 || serviceAccount !== null ? [SECRETS_FOLDER] : [];
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    ...(serviceAccount !== null && { serviceAccountName: serviceAccount }),
    enableServiceLinks: false,
    terminationGracePeriodSeconds: STOP_WITHIN_S,
    securityContext: { runAsNonRoot: true, runAsUser: uid, runAsGroup: uid, fsGroup: uid, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'script',
        image,
        command: ['python3', '-I', '/sluice/start.py'],
        workingDir: '/tmp',
        env: [{ name: 'HOME', value: '/tmp' }],
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, privileged: false, capabilities: { drop: ['ALL'] } },
        resources: {
          requests: { cpu: '100m', memory: `${Math.min(sandbox.memoryBytes, 67_108_864)}` },
          // What is written to /tmp is memory, too. What is printed lies on the node's disk.
          limits: { cpu: '1', memory: `${sandbox.memoryBytes}`, 'ephemeral-storage': `${sandbox.diskBytes + sandbox.outputBytes}` },
        },
        terminationMessagePolicy: 'File',
        volumeMounts: [
          { name: 'sluice', mountPath: '/sluice', readOnly: true },
          { name: 'tmp', mountPath: '/tmp' },
          ...folders.map((mountPath) => ({ name: 'secrets', mountPath, readOnly: true })),
        ],
      },
    ],
    volumes: [
      { name: 'sluice', secret: { secretName: toJobName(key), defaultMode: 0o440, items: ['start.py', 'script', 'spec.json'].map((path) => ({ key: path, path })) } },
      { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: `${sandbox.diskBytes}` } },
      ...folders.map(() => ({ name: 'secrets', projected: { defaultMode: 0o440, sources: [...sandbox.secrets.map((name) => toSource(key, name)), ...(serviceAccount === null ? [] : accountSources)] } })),
    ],
  };
}

/** From the Job's own Secret: a node goes on reading one that may change, and then nobody knows what has to be kept out of the output. */
const toSource = (key: string, name: string): Json => ({ secret: { name: toJobName(key), items: [{ key: `${GIVEN}${name}`, path: name }] } });
// Where clients in a pod look for it; a mount of its own cannot lie within a folder that is read-only.
const accountSources: readonly Json[] = [
  { serviceAccountToken: { path: `${ACCOUNT_FOLDER}/token`, expirationSeconds: 3_600 } },
  { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: `${ACCOUNT_FOLDER}/ca.crt` }] } },
  { downwardAPI: { items: [{ path: `${ACCOUNT_FOLDER}/namespace`, fieldRef: { fieldPath: 'metadata.namespace' } }] } },
];

/** What the container reads: its start, the script and its arguments, the token to claim with, and the secrets that it is given. Nobody else reads it. */
export const toScriptSecret = ({ step, jobs, namespace, key }: JobAim, token: string, given: GivenSecrets): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: toMeta(toJobName(key), namespace, key),
  type: 'Opaque',
  immutable: true,
  data: Object.fromEntries(Object.entries(given).map(([name, value]) => [`${GIVEN}${name}`, value])),
  stringData: {
    'start.py': startProgram,
    script: step.script,
    'spec.json': JSON.stringify({
      key,
      url: `${jobs.apiUrl.replace(/\/$/, '')}/api/executions/${key}/claim`,
      token,
      type: step.type,
      arguments: step.parameters,
      timeoutMs: step.timeoutMs,
      processes: step.sandbox.processes,
      outputBytes: step.sandbox.outputBytes,
    }),
  },
});

/** Nothing in, and nothing out but to claim and, with rights in the cluster, to its API. */
export const toNetworkPolicy = ({ jobs, namespace, key, clusterApi }: JobAim): KubernetesObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: toMeta(toJobName(key), namespace, key),
  spec: { podSelector: { matchLabels: { [KEY_LABEL]: key } }, policyTypes: ['Ingress', 'Egress'], egress: [...toWayOut(jobs).egress, ...clusterApi] },
});

/** How the pods reach the API of Sluice, and what of the network that opens. */
export function toWayOut({ apiUrl }: Pick<Jobs, 'apiUrl'>): { readonly egress: readonly Json[]; readonly words: string } {
  const { hostname, port, protocol } = new URL(apiUrl);
  const ports = [{ protocol: 'TCP', port: Number(port) || (protocol === 'https:' ? 443 : 80) }];
  const host = hostname.replaceAll(/[[\]]/g, '');
  if (isIP(host) !== 0) {
    return { egress: [{ to: [{ ipBlock: { cidr: `${host}/${isIP(host) === 4 ? 32 : 128}` } }], ports }], words: `only to ${host} port ${ports[0]?.port}, to claim` };
  }
  const names = { ports: ['UDP', 'TCP'].map((transport) => ({ protocol: transport, port: DNS_PORT })) };
  const [, service, namespace] = /^([^.]+)\.([^.]+)\.svc(\.|$)/.exec(host) ?? [];
  if (service !== undefined && namespace !== undefined) {
    // A policy sees the port of the pod behind a service, which need not be the service's.
    const to = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }];
    return { egress: [{ to }, names], words: `only to namespace ${namespace}, to claim from ${host}, and to name servers` };
  }
  return { egress: [{ ports }, names], words: `only to port ${ports[0]?.port} of any host, to claim from ${host}, whose addresses a policy cannot name, and to name servers` };
}

const toLabels = (key: string): { readonly [label: string]: string } => ({ 'app.kubernetes.io/managed-by': 'sluice', [KEY_LABEL]: key });
const toMeta = (name: string, namespace: string, key: string) => ({ name, namespace, labels: toLabels(key) });

/** Goes with the Job. */
export const toOwned = (object: KubernetesObject, job: KubernetesObject): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, ownerReferences: [{ apiVersion: job.apiVersion, kind: job.kind, name: job.metadata.name, uid: uidOf(job), controller: true, blockOwnerDeletion: true }] },
});

/** Empty for one that the server has not made yet. */
export const uidOf = ({ metadata: { uid } }: KubernetesObject): string => (typeof uid === 'string' ? uid : '');
