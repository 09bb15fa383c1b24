import type { Json } from '../../domain/canonical.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';
import { explainShort, MIN_SECRET_LENGTH, type Secret } from '../../domain/redaction.js';
import { GIVEN, type GivenSecrets, type JobAim, toJob, toJobName, toNetworkPolicy, toPod, toScriptSecret, toWayOut } from './kubernetes-job.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';

const MiB = 1_048_576;

export type JobSecrets =
  | { readonly ok: true; readonly values: readonly Secret[]; readonly given: GivenSecrets }
  | { readonly ok: false; readonly because: readonly string[] };

/** The values of the secrets that a script is given, so that they can be kept out of its output; or what is wrong with them, a line each. */
export async function readJobSecrets(client: KubernetesClient, { step, jobs, namespace }: JobAim): Promise<JobSecrets> {
  const values: Secret[] = [];
  const given: Record<string, string> = {};
  const because: string[] = [];
  for (const name of step.sandbox.secrets) {
    const place = jobs.secrets[name];
    if (place === undefined) {
      because.push(`the target gives scripts no secret ${name}; name it under jobs.secrets in sluice.yaml`);
      continue;
    }
    const found = await refusable(() => client.read({ apiVersion: 'v1', kind: 'Secret', name: place.secret, namespace }));
    const encoded = found.ok ? (found.value?.['data'] as Readonly<Record<string, string>> | undefined)?.[place.key] : undefined;
    const value = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
    if (!found.ok) because.push(`secret ${name}: ${found.because}`);
    else if (encoded === undefined || value === undefined) because.push(`secret ${name}: namespace ${namespace} has no secret/${place.secret} with the key ${place.key}`);
    else if (value.trim().length < MIN_SECRET_LENGTH) because.push(explainShort(name));
    else {
      values.push({ name, value });
      given[name] = encoded;
    }
  }
  return because.length > 0 ? { ok: false, because } : { ok: true, values, given };
}

/** The secrets that a Job was given, as its own Secret has them; undefined once that is gone. */
export async function readGiven(client: KubernetesClient, { step, namespace, key }: JobAim): Promise<readonly Secret[] | undefined> {
  if (step.sandbox.secrets.length === 0) return [];
  const own = await client.read({ apiVersion: 'v1', kind: 'Secret', name: toJobName(key), namespace });
  const held = (own?.['data'] ?? {}) as Readonly<Record<string, string>>;
  const values = step.sandbox.secrets.flatMap((name) => {
    const value = held[`${GIVEN}${name}`];
    return value === undefined ? [] : [{ name, value: Buffer.from(value, 'base64').toString('utf8') }];
  });
  return values.length === step.sandbox.secrets.length ? values : undefined;
}

/** What the cluster refuses of all that would be made, asked without making it. */
export async function whyRefused(client: KubernetesClient, aim: JobAim, given: GivenSecrets): Promise<readonly string[]> {
  const job = toJob(aim);
  const because: string[] = [];
  for (const object of [job, toPod(job, aim), toScriptSecret(aim, '', given), toNetworkPolicy(aim)]) {
    const asked = await refusable(() => client.create(object, { fieldManager: 'sluice', dryRun: true }));
    if (!asked.ok) because.push(`the cluster refuses its ${object.kind}: ${asked.because}`);
  }
  return because;
}

/** Where pods reach the cluster's own API, for a script that has rights in it; or which right is missing to find out. */
export const findClusterApi = (client: KubernetesClient) => refusable(() => readClusterApi(client));

async function readClusterApi(client: KubernetesClient): Promise<readonly Json[]> {
  const service = await client.read({ apiVersion: 'v1', kind: 'Service', name: 'kubernetes', namespace: 'default' });
  const slices = await client.list('discovery.k8s.io/v1', 'EndpointSlice', 'default', 'kubernetes.io/service-name=kubernetes');
  const { clusterIP, ports = [] } = (service?.['spec'] ?? {}) as { readonly clusterIP?: string; readonly ports?: readonly Port[] };
  const behind = slices.flatMap((slice) => {
    const { endpoints, ports: targetPorts } = slice as KubernetesObject & Slice;
    return endpoints.flatMap(({ addresses }) => addresses.map((address) => toRule(address, targetPorts ?? [])));
  });
  return clusterIP === undefined ? behind : [toRule(clusterIP, ports), ...behind];
}

interface Port {
  readonly port?: number;
}
interface Slice {
  readonly endpoints: readonly { readonly addresses: readonly string[] }[];
  readonly ports?: readonly Port[] | null;
}
const toRule = (address: string, ports: readonly Port[]): Json => ({
  to: [{ ipBlock: { cidr: `${address}/${address.includes(':') ? 128 : 32}` } }],
  ports: ports.flatMap(({ port }) => (port === undefined ? [] : [{ protocol: 'TCP', port }])),
});

/** What people should know of a Job before they approve it. */
export function describeJob({ step, jobs, namespace }: JobAim): readonly string[] {
  const { sandbox } = step;
  const network = jobs.serviceAccount === null ? '' : ', and to the API of the cluster';
  return [
    `${step.type} as a Job in namespace ${namespace}, in image ${jobs.image}; the cluster accepts it (server-side dry run)`,
    `at most ${step.timeoutMs / 1_000} s, 1 CPU, ${mebibytes(sandbox.memoryBytes)} of memory, of it up to ${mebibytes(sandbox.diskBytes)} for files in /tmp, ${sandbox.processes} processes, ${mebibytes(sandbox.outputBytes)} of output`,
    jobs.serviceAccount === null ? 'no rights in the cluster' : `has the rights of service account ${jobs.serviceAccount} in the cluster`,
    ...(sandbox.secrets.length === 0 ? [] : [`finds these secrets below /run/secrets: ${sandbox.secrets.join(', ')}`]),
    `network: ${toWayOut(jobs).words}${network} (where the cluster enforces network policies)`,
    'the Job stays for a day with its log, for a result that is lost on the way',
  ];
}

const mebibytes = (bytes: number): string => `${Math.round((bytes / MiB) * 10) / 10} MiB`;

async function refusable<Value>(ask: () => Promise<Value>): Promise<{ readonly ok: true; readonly value: Value } | { readonly ok: false; readonly because: string }> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    if (error instanceof KubernetesRefusal) return { ok: false, because: error.message };
    throw error;
  }
}
