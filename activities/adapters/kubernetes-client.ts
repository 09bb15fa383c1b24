import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node';
import type { PatchOperation } from '../../domain/json-diff.js';
import { type KubernetesObject, type ObjectRef, toObjectName, toRef } from '../../domain/kubernetes.js';
import { Fault } from '../faults.js';
import type { KubernetesTarget } from '../ports.js';
import { askCluster, readWhole } from './kubernetes-request.js';
import { KubernetesRefusal, readRefusal } from './kubernetes-refusal.js';
import type { ReadSecret } from './target-connections.js';

// Measuring a cluster must not hang on it, nor must a change.
const ANSWERS_WITHIN_MS = 10_000;
const LIST_PAGE = 500;

export interface WriteOptions {
  readonly fieldManager: string;
  /** The server says what would come of it, and keeps nothing. */
  readonly dryRun?: boolean;
  /** Gives the request up; whether it had its effect is then not known. */
  readonly signal?: AbortSignal;
}

export interface RemoveOptions {
  /** Only the very object of this identity goes, and with a resourceVersion only as it was then. */
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly propagation?: 'Foreground' | 'Background';
  readonly dryRun?: boolean;
}

/**
 * The API server of one target. What it refuses is thrown as `KubernetesRefusal`; trouble on the way to it is a plain error.
 * Objects come as they are stored, with all that the server manages.
 */
export interface KubernetesClient {
  /** Undefined where there is no such object. */
  read(ref: ObjectRef): Promise<KubernetesObject | undefined>;
  /** All of a kind in a namespace; null: in all namespaces, or of the whole cluster. */
  list(apiVersion: string, kind: string, namespace: string | null, labelSelector?: string): Promise<readonly KubernetesObject[]>;
  create(object: KubernetesObject, options: WriteOptions): Promise<KubernetesObject>;
  /** Replaces the whole object; with `metadata.uid` and `metadata.resourceVersion` only as it was then. */
  replace(object: KubernetesObject, options: WriteOptions): Promise<KubernetesObject>;
  /** Server-side apply, which takes fields over from whoever has them. */
  apply(object: KubernetesObject, options: WriteOptions): Promise<KubernetesObject>;
  /** A JSON Patch (RFC 6902). */
  patch(ref: ObjectRef, operations: readonly PatchOperation[], options: WriteOptions): Promise<KubernetesObject>;
  remove(ref: ObjectRef, options: RemoveOptions): Promise<void>;
  /** What a pod prints, in pieces as they come, from its start until its end or until `signal`. */
  followLog(ref: ObjectRef, options: { readonly signal: AbortSignal; readonly container?: string }): AsyncIterable<string>;
  /** Whether objects of a kind belong to a namespace; undefined where the cluster has no such kind. */
  isNamespaced(apiVersion: string, kind: string): Promise<boolean | undefined>;
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface Connection {
  /** The kubeconfig as it was read: tokens and certificates in it are renewed. */
  readonly text: string;
  readonly config: KubeConfig;
  readonly resources: Map<string, Promise<readonly Resource[]>>;
}

export interface Kubernetes {
  readonly clientOf: (target: KubernetesTarget) => KubernetesClient;
}

/** Clients for the clusters that kubeconfig files name; `learn` is told what is in these. */
export function openKubernetes(readSecret: ReadSecret, learn: (text: string) => void = () => {}): Kubernetes {
  const connections = new Map<string, Connection>();

  async function connect(target: KubernetesTarget): Promise<Connection> {
    const path = typeof target.kubeconfig === 'string' ? target.kubeconfig : readSecret(target.kubeconfig, 'place');
    const key = JSON.stringify([path, target.context]);
    const text = readKubeconfig(target, path);
    const known = connections.get(key);
    if (known?.text === text) return known;
    learn(text);
    const connection = { text, config: await loadConfig(target, path), resources: new Map() };
    connections.set(key, connection);
    return connection;
  }

  return { clientOf: (target) => createClient(target, () => connect(target)) };
}

function readKubeconfig({ name }: KubernetesTarget, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Fault('targetMissing', `target ${name}: its kubeconfig cannot be read (${describe(error)}); see that the file is there and readable for the worker`, { cause: error });
  }
}

async function loadConfig({ name, context }: KubernetesTarget, path: string): Promise<KubeConfig> {
  // Its size is only for those who have a cluster.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (error) {
    throw new Fault('targetMissing', `target ${name}: its kubeconfig is not one (${describe(error)}); try it with kubectl --kubeconfig`, { cause: error });
  }
  if (context !== null) config.setCurrentContext(context);
  if (config.getCurrentCluster() === null) {
    const contexts = config.getContexts().map((one) => one.name);
    throw new Fault('targetMissing', `target ${name}: its kubeconfig has no ${context === null ? 'current context' : `context ${context}`}; it has ${contexts.join(', ') || 'none'}`);
  }
  return config;
}

function createClient(target: KubernetesTarget, connect: () => Promise<Connection>): KubernetesClient {
  interface Question {
    readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    readonly path: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: { readonly type: string; readonly value: unknown };
    readonly signal: AbortSignal;
    /** What is asked, as a refusal says it: `patch deployments in namespace shop`. */
    readonly what: string;
  }

  async function ask({ method, path, query, body, signal, what }: Question): Promise<IncomingMessage> {
    const { config } = await connect();
    const text = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    const answer = await toWeather(() => askCluster(config, { method, path: `${path}${text}`, body, signal }), signal);
    const status = answer.statusCode ?? 0;
    if (status < 300) return answer;
    throw readRefusal(target.name, what, status, await toWeather(() => readWhole(answer), signal));
  }

  /** Names the target in trouble on the way to it; a request that was given up by its caller is no trouble. */
  async function toWeather<Answer>(act: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    try {
      return await act();
    } catch (error) {
      const why = signal.aborted ? `it did not answer in time (${describe(signal.reason)})` : describe(error);
      throw new Error(`target ${target.name}: its cluster cannot be reached: ${why}`, { cause: error });
    }
  }

  async function askWhole(question: Omit<Question, 'signal'> & { readonly signal?: AbortSignal | undefined }): Promise<unknown> {
    const late = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    const signal = question.signal === undefined ? late : AbortSignal.any([late, question.signal]);
    const answer = await ask({ ...question, signal });
    return JSON.parse(await toWeather(() => readWhole(answer), signal));
  }

  async function findResource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const { resources } = await connect();
    const known = (await resources.get(apiVersion))?.find((resource) => resource.kind === kind);
    if (known !== undefined) return known;
    // Asked again for what was not there: kinds are added while the cluster runs.
    const asked = discover(apiVersion);
    const found = (await asked).find((resource) => resource.kind === kind);
    if (found !== undefined) resources.set(apiVersion, asked);
    return found;
  }

  async function discover(apiVersion: string): Promise<readonly Resource[]> {
    try {
      const list = (await askWhole({ method: 'GET', path: rootOf(apiVersion), what: `ask for the kinds of ${apiVersion}` })) as { readonly resources?: readonly Resource[] };
      // Beside the kinds themselves there are their parts, such as deployments/status.
      return list.resources?.filter(({ name }) => !name.includes('/')) ?? [];
    } catch (error) {
      if (error instanceof KubernetesRefusal && error.status === 404) return [];
      throw error;
    }
  }

  async function placeOf(apiVersion: string, kind: string, namespace: string | null): Promise<{ readonly path: string; readonly plural: string; readonly where: string }> {
    const resource = await findResource(apiVersion, kind);
    if (resource === undefined) throw new KubernetesRefusal(404, 'NotFound', `the cluster of target ${target.name} has no kind ${kind} in ${apiVersion}`);
    const isWithin = resource.namespaced && namespace !== null;
    return {
      path: `${rootOf(apiVersion)}${isWithin ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${resource.name}`,
      plural: resource.name,
      where: isWithin ? `in namespace ${namespace}` : 'in the whole cluster',
    };
  }

  /** One request about one object, or with null about all of its kind. */
  async function about(
    { apiVersion, kind, namespace }: Omit<ObjectRef, 'name'>,
    name: string | null,
    verb: string,
    question: Pick<Question, 'method' | 'query' | 'body'> & { readonly signal?: AbortSignal | undefined },
  ): Promise<unknown> {
    const { path, plural, where } = await placeOf(apiVersion, kind, namespace);
    return askWhole({ ...question, path: name === null ? path : `${path}/${encodeURIComponent(name)}`, what: `${verb} ${plural} ${where}` });
  }

  const write = async (verb: string, method: 'POST' | 'PUT' | 'PATCH', ref: ObjectRef, body: Question['body'], { fieldManager, dryRun, signal }: WriteOptions, query: Readonly<Record<string, string>> = {}) =>
    (await about(ref, method === 'POST' ? null : ref.name, verb, {
      method,
      query: { fieldManager, ...(dryRun === true && { dryRun: 'All' }), ...query },
      ...(body !== undefined && { body }),
      signal,
    })) as KubernetesObject;

  return {
    async read(ref) {
      try {
        return (await about(ref, ref.name, 'get', { method: 'GET' })) as KubernetesObject;
      } catch (error) {
        if (error instanceof KubernetesRefusal && error.status === 404) return undefined;
        throw error;
      }
    },
    async list(apiVersion, kind, namespace, labelSelector) {
      const objects: KubernetesObject[] = [];
      let next: string | undefined;
      do {
        const query = { limit: `${LIST_PAGE}`, ...(labelSelector !== undefined && { labelSelector }), ...(next !== undefined && { continue: next }) };
        const page = (await about({ apiVersion, kind, namespace }, null, 'list', { method: 'GET', query })) as {
          readonly items: readonly KubernetesObject[];
          readonly metadata: { readonly continue?: string };
        };
        // A list says only once what its objects are.
        objects.push(...page.items.map((object) => ({ ...object, apiVersion, kind })));
        next = page.metadata.continue;
      } while (next !== undefined && next !== '');
      return objects;
    },
    create: (object, options) => write('create', 'POST', toRef(object), { type: 'application/json', value: object }, options),
    replace: (object, options) => write('update', 'PUT', toRef(object), { type: 'application/json', value: object }, options),
    apply: (object, options) => write('patch', 'PATCH', toRef(object), { type: 'application/apply-patch+yaml', value: object }, options, { force: 'true' }),
    patch: (ref, operations, options) => write('patch', 'PATCH', ref, { type: 'application/json-patch+json', value: operations }, options),
    async remove(ref, { uid, resourceVersion, propagation = 'Background', dryRun }) {
      const preconditions = { uid, ...(resourceVersion !== undefined && { resourceVersion }) };
      const value = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: propagation, ...(dryRun === true && { dryRun: ['All'] }) };
      await about(ref, ref.name, 'delete', { method: 'DELETE', body: { type: 'application/json', value } });
    },
    async *followLog(ref, { signal, container }) {
      const { path, where } = await placeOf('v1', 'Pod', ref.namespace);
      const query = { follow: 'true', ...(container !== undefined && { container }) };
      const answer = await ask({ method: 'GET', path: `${path}/${encodeURIComponent(ref.name)}/log`, query, signal, what: `get the log of ${toObjectName(ref)} ${where}` });
      yield* answer.setEncoding('utf8');
    },
    isNamespaced: async (apiVersion, kind) => (await findResource(apiVersion, kind))?.namespaced,
  };
}

const rootOf = (apiVersion: string): string => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);
const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
