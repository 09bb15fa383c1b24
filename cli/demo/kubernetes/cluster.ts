import { request } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { toRef, type KubernetesObject, type ObjectRef } from '../../../domain/kubernetes.js';
import { Trouble } from '../../local/trouble.js';

const ANSWERS_WITHIN_MS = 10_000;

/** What is needed to find an object of the namespace. */
export type Named = Omit<ObjectRef, 'namespace'>;

/** How people change things in a cluster, beside Sluice and never through it. */
export interface Cluster {
  /** Fails in words where the cluster cannot be reached. */
  reach(): Promise<void>;
  /** What the pods behind a Service answer; undefined where none does. */
  askService(name: string): Promise<string | undefined>;
  /** Server-side apply by a field manager of this name. */
  apply(object: KubernetesObject, fieldManager: string): Promise<KubernetesObject>;
  /** Merges fields into an object; what is null is taken away, lists are replaced. */
  merge(object: Named, change: object, fieldManager: string): Promise<KubernetesObject>;
  read(object: Named): Promise<KubernetesObject | undefined>;
  list(apiVersion: string, kind: string): Promise<readonly KubernetesObject[]>;
  remove(object: Named): Promise<void>;
  /** Makes the namespace that all of the above is about. */
  makeNamespace(): Promise<void>;
  hasNamespace(): Promise<boolean>;
  /** Begins to take it away with all that is in it. */
  removeNamespace(): Promise<void>;
}

/** One namespace of the cluster that a kubeconfig file names. */
export function openCluster(kubeconfig: string, namespace: string): Cluster {
  const config = new KubeConfig();
  try {
    config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new Trouble(`KUBECONFIG=${kubeconfig} cannot be read: ${error instanceof Error ? error.message : String(error)}`, 'set KUBECONFIG to the path of one kubeconfig file');
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Trouble(`KUBECONFIG=${kubeconfig} has no current context`, 'choose one: kubectl config use-context NAME');

  async function ask(method: string, path: string, body?: { readonly type: string; readonly content: object }): Promise<{ readonly status: number; readonly text: string }> {
    const options = { method, timeout: ANSWERS_WITHIN_MS, headers: body === undefined ? {} : { 'content-type': body.type } };
    await config.applyToHTTPSOptions(options);
    return new Promise((resolve, reject) => {
      const asking = request(`${server}${path}`, options, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.once('error', reject);
      });
      asking.once('timeout', () => asking.destroy(new Error(`${server} did not answer within ${ANSWERS_WITHIN_MS / 1_000} s`)));
      asking.once('error', (error) => reject(new Trouble(`The cluster of ${kubeconfig} cannot be reached: ${error.message}`, 'see whether it runs: kubectl get nodes', { cause: error })));
      asking.end(body === undefined ? undefined : JSON.stringify(body.content));
    });
  }
  async function send(method: string, path: string, body?: { readonly type: string; readonly content: object }): Promise<string | undefined> {
    const { status, text } = await ask(method, path, body);
    if (status === 404) return undefined;
    if (status >= 300) throw new Error(`${method} ${path} was answered with ${status}: ${text.slice(0, 1_000)}`);
    return text;
  }
  const pathOf = ({ apiVersion, kind }: Omit<Named, 'name'>): string => {
    const plural = kind.toLowerCase().replace(/y$/, 'ie').replace(/s$/, 'se');
    return `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}/namespaces/${namespace}/${plural}s`;
  };
  const placeOf = (object: Named): string => `${pathOf(object)}/${object.name}`;
  const here = `/api/v1/namespaces/${namespace}`;
  const toObject = (text: string | undefined, place: string): KubernetesObject => {
    if (text === undefined) throw new Error(`${place} is not there`);
    return JSON.parse(text) as KubernetesObject;
  };

  return {
    reach: async () => void (await send('GET', '/readyz')),
    async askService(name) {
      const { status, text } = await ask('GET', `${here}/services/${name}:http/proxy/`);
      return status === 200 ? text : undefined;
    },
    async apply(object, fieldManager) {
      const place = placeOf(toRef(object));
      return toObject(await send('PATCH', `${place}?fieldManager=${fieldManager}&force=true`, { type: 'application/apply-patch+yaml', content: object }), place);
    },
    async merge(object, change, fieldManager) {
      const place = placeOf(object);
      return toObject(await send('PATCH', `${place}?fieldManager=${fieldManager}`, { type: 'application/merge-patch+json', content: change }), place);
    },
    async read(object) {
      const text = await send('GET', placeOf(object));
      return text === undefined ? undefined : toObject(text, '');
    },
    async list(apiVersion, kind) {
      const { items } = JSON.parse((await send('GET', pathOf({ apiVersion, kind }))) ?? '{"items":[]}') as { readonly items: readonly KubernetesObject[] };
      // A list leaves out what all in it have in common.
      return items.map((item) => ({ ...item, apiVersion, kind }));
    },
    remove: async (object) => void (await send('DELETE', placeOf(object))),
    async makeNamespace() {
      await send('POST', '/api/v1/namespaces', { type: 'application/json', content: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'app.kubernetes.io/part-of': 'sluice' } } } });
    },
    hasNamespace: async () => (await send('GET', here)) !== undefined,
    removeNamespace: async () => void (await send('DELETE', here)),
  };
}
