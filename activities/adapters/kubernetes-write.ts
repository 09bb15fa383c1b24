import type { Json } from '../../domain/canonical.js';
import type { PatchOperation } from '../../domain/json-diff.js';
import { isObject } from '../../domain/json-diff.js';
import { get, isOwnedBy, type ObjectEdit, readRevision, toDesired } from '../../domain/kubernetes-desired.js';
import { type KubernetesObject, managedAnnotations, type ObjectRef, readObject } from '../../domain/kubernetes.js';
import type { ValidStep } from '../../domain/plan.js';
import { readKubectl } from '../../validation/kubectl/kubectl-command.js';
import { readManifest } from '../../validation/kubernetes/manifest.js';
import type { KubernetesClient, WriteOptions } from './kubernetes-client.js';
import { type Live, placeOf, toHash, uidOf, versionOf } from './kubernetes-state.js';

/** The one write of one object that a step is. */
export interface Request {
  readonly ref: ObjectRef;
  /** What will become of the object: `scaled to 3 replicas`. */
  readonly phrase: string;
  readonly asks:
    | { readonly kind: 'apply'; readonly object: KubernetesObject }
    | { readonly kind: 'patch'; readonly operations: readonly PatchOperation[] }
    | { readonly kind: 'delete' }
    | { readonly kind: 'undo'; readonly revision: number }
    | { readonly kind: 'restart' }
    | { readonly kind: 'edit'; readonly edit: ObjectEdit };
}

/** A write that fits what is there now, and only that; undefined comes back where nothing is left. */
export type Prepared = { readonly ok: true; readonly write: (options: WriteOptions) => Promise<Live> } | { readonly ok: false; readonly because: string };

/** Reads what a step asks for. */
export function readRequest({ type, script }: Pick<ValidStep, 'type' | 'script'>): { readonly ok: true; readonly request: Request } | { readonly ok: false; readonly lines: readonly string[] } {
  if (type === 'kubernetes') {
    const reading = readManifest(script);
    if (!reading.ok) return { ok: false, lines: reading.findings.map(({ rule, reason }) => `${rule}: ${reason}`) };
    return { ok: true, request: { ref: reading.ref, phrase: 'applied as the manifest has it', asks: { kind: 'apply', object: reading.object } } };
  }
  const reading = readKubectl(script);
  if (!reading.ok) return { ok: false, lines: reading.findings.map(({ rule, reason }) => `${rule}: ${reason}`) };
  const { command } = reading;
  const request = (phrase: string, asks: Request['asks']) => ({ ok: true, request: { ref: command.ref, phrase, asks } }) as const;
  switch (command.verb) {
    case 'rolloutUndo':
      return request(`taken back to the pod template of revision ${command.revision}`, { kind: 'undo', revision: command.revision });
    case 'restart':
      return request('restarted, pod after pod', { kind: 'restart' });
    case 'scale':
      return request(`scaled to ${command.replicas} ${command.replicas === 1 ? 'replica' : 'replicas'}`, { kind: 'edit', edit: command });
    case 'setImage':
      return request(`given the image ${Object.entries(command.images).map(([container, image]) => `${image} for ${container}`).join(', ')}`, { kind: 'edit', edit: command });
    case 'cordon':
      return request('cordoned: no new pod comes to it, in no namespace', { kind: 'edit', edit: { verb: 'cordon' } });
    case 'uncordon':
      return request('uncordoned: pods come to it again', { kind: 'edit', edit: { verb: 'uncordon' } });
    case 'delete':
      return request('deleted', { kind: 'delete' });
    case 'patch':
      return request('patched', { kind: 'patch', operations: command.operations });
  }
}

/** Makes of a request the write for what is there now. */
export async function prepare(client: KubernetesClient, { ref, asks }: Request, live: Live): Promise<Prepared> {
  if (live === undefined) {
    return asks.kind === 'apply' ? { ok: true, write: (options) => client.create(asks.object, options) } : { ok: false, because: `${placeOf(ref)} is not there` };
  }
  if (live.metadata['deletionTimestamp'] !== undefined) return { ok: false, because: `${placeOf(ref)} is being deleted` };
  switch (asks.kind) {
    case 'apply': {
      const { object } = asks;
      return { ok: true, write: (options) => client.apply({ ...object, metadata: { ...object.metadata, uid: uidOf(live), resourceVersion: versionOf(live) } }, options) };
    }
    case 'patch': {
      // A version that is replaced by another than the current one is a conflict.
      const operations: readonly PatchOperation[] = [{ op: 'replace', path: '/metadata/resourceVersion', value: versionOf(live) }, ...asks.operations];
      return { ok: true, write: (options) => client.patch(ref, operations, options) };
    }
    case 'delete':
      return { ok: true, write: (options) => remove(client, ref, live, options) };
    case 'undo':
      return prepareUndo(client, ref, live, asks.revision);
    case 'restart':
      return prepareEdit(client, live, { verb: 'restart', mark: toHash(live).slice(0, 16) });
    case 'edit':
      return prepareEdit(client, live, asks.edit);
  }
}

/** Makes the write that puts back what a snapshot has. */
export function prepareRestore(client: KubernetesClient, ref: ObjectRef, snapshot: string, live: Live): (options: WriteOptions) => Promise<Live> {
  const parsed: Json = JSON.parse(snapshot);
  const state = readObject(parsed);
  if (state === undefined) return async (options) => (live === undefined ? undefined : remove(client, ref, live, options));
  if (live === undefined) return (options) => client.create(state, options);
  if (ref.kind === 'Node') {
    const spec = isObject(live['spec']) ? live['spec'] : {};
    return (options) => client.replace({ ...live, spec: { ...spec, unschedulable: get(state, ['spec', 'unschedulable']) === true } }, options);
  }
  const annotationsOf = (object: KubernetesObject) => {
    const annotations = object.metadata['annotations'];
    return isObject(annotations) ? annotations : {};
  };
  const managed = Object.entries(annotationsOf(live)).filter(([name]) => managedAnnotations.includes(name));
  const annotations = { ...annotationsOf(state), ...Object.fromEntries(managed) };
  return (options) => client.replace({ ...state, metadata: { ...state.metadata, annotations, uid: uidOf(live), resourceVersion: versionOf(live) } }, options);
}

function prepareEdit(client: KubernetesClient, live: KubernetesObject, edit: ObjectEdit): Prepared {
  const desired = toDesired(edit, live);
  return desired.ok ? { ok: true, write: (options) => client.replace(desired.object, options) } : desired;
}

async function prepareUndo(client: KubernetesClient, ref: ObjectRef, live: KubernetesObject, revision: number): Promise<Prepared> {
  const kept = await client.list('apps/v1', ref.kind === 'Deployment' ? 'ReplicaSet' : 'ControllerRevision', ref.namespace);
  const revisions = kept.filter((object) => isOwnedBy(object, live.metadata['uid'])).map(readRevision);
  const found = revisions.find((one) => one.revision === revision);
  if (found?.template !== undefined) return prepareEdit(client, live, { verb: 'useTemplate', template: found.template });
  const known = revisions.map((one) => one.revision).toSorted((one, other) => one - other);
  return { ok: false, because: `${placeOf(ref)} has no revision ${revision}; it has ${known.join(', ') || 'none'}` };
}

/** A pod may have moved on meanwhile: it is the same one for as long as its uid is. */
async function remove(client: KubernetesClient, ref: ObjectRef, live: KubernetesObject, { dryRun }: WriteOptions): Promise<undefined> {
  await client.remove(ref, { uid: uidOf(live), ...(ref.kind !== 'Pod' && { resourceVersion: versionOf(live) }), ...(dryRun === true && { dryRun }) });
  return undefined;
}
