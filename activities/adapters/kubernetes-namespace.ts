import { createHmac } from 'node:crypto';
import { configuredKinds, type NamespaceContents, toContents, writeContents } from '../../domain/kubernetes-configuration.js';
import { textAt } from '../../domain/kubernetes-fields.js';
import { listUnsettled } from '../../domain/kubernetes-health.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';
import { sha256 } from '../digest.js';
import type { ConfigurationReading } from '../ports.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { KEY_LABEL } from './kubernetes-job.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';

// It is kept whole, several times.
const MAX_BYTES = 4 * 1_048_576;

/** The objects that make up the configuration of a namespace, as they are stored. */
export interface Configuration {
  readonly objects: readonly KubernetesObject[];
  /** Whether its Secrets may be seen; where not, `objects` has none. */
  readonly showsSecrets: boolean;
}

/** Reads the configuration of a namespace. Throws where there is no such namespace. */
export async function readConfigured(client: KubernetesClient, namespace: string): Promise<Configuration> {
  const [lists] = await Promise.all([Promise.all(configuredKinds.map(([apiVersion, kind]) => list(client, apiVersion, kind, namespace))), insistOn(client, namespace)]);
  // What runs a script of ours is no part of it.
  const objects = lists.flatMap((one) => one ?? []).filter((object) => textAt(object, 'metadata', 'labels', KEY_LABEL) === '');
  return { objects, showsSecrets: !lists.includes(undefined) };
}

/** Undefined where they may not be seen. */
async function list(client: KubernetesClient, apiVersion: string, kind: string, namespace: string): Promise<readonly KubernetesObject[] | undefined> {
  try {
    return await client.list(apiVersion, kind, namespace);
  } catch (error) {
    // Who may not read Secrets does without them.
    if (kind === 'Secret' && error instanceof KubernetesRefusal && error.status === 403) return undefined;
    throw error;
  }
}

/** In a namespace that is not there, nothing is wrong. */
async function insistOn(client: KubernetesClient, name: string): Promise<void> {
  const namespace = await client.read({ apiVersion: 'v1', kind: 'Namespace', name, namespace: null });
  if (namespace === undefined) throw new Error(`the cluster has no namespace ${name}`);
  if (namespace.metadata['deletionTimestamp'] !== undefined) throw new Error(`namespace ${name} is being deleted`);
}

/** What people asked for in a namespace. */
export const toNamespaceContents = (objects: readonly KubernetesObject[]): NamespaceContents => toContents(objects, digest);

// Without the Secret's own identity, which is kept nowhere here, nobody can try out what it may be.
const digest = (secret: KubernetesObject, value: string): string => `digest ${createHmac('sha256', textAt(secret, 'metadata', 'uid')).update(value).digest('hex').slice(0, 32)}`;

/** The configuration of a namespace as it is now, once every workload is as it asks for and every Service had the time to find its pods. What goes wrong is an answer, not an error. */
export async function readNamespace(client: KubernetesClient, namespace: string): Promise<ConfigurationReading> {
  try {
    const [{ objects }, endpointSlices] = await Promise.all([readConfigured(client, namespace), client.list('discovery.k8s.io/v1', 'EndpointSlice', namespace)]);
    const unsettled = listUnsettled({ configured: objects, endpointSlices }, Date.now());
    if (unsettled.length > 0) return { kind: 'unreadable', because: `not all pods of ${unsettled.join(', ')} are there as they should be` };
    const content = writeContents(toNamespaceContents(objects));
    if (Buffer.byteLength(content) > MAX_BYTES) return { kind: 'unreadable', because: `the configuration of namespace ${namespace} is larger than ${MAX_BYTES} bytes` };
    return { kind: 'read', content, hash: sha256(content) };
  } catch (error) {
    return { kind: 'unreadable', because: (error instanceof Error ? error.message : String(error)).slice(0, 300) };
  }
}
