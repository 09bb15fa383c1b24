import type { Json } from './canonical.js';
import { isObject } from './json-diff.js';

/** Names one object; `namespace` is null for one that is the whole cluster's. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | null;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly [field: string]: Json;
}

/** An object as the API server has it, or as it is to be. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: Json;
}

/** A JSON value as an object of Kubernetes; undefined where it does not say what it is and how it is named. */
export function readObject(value: Json | undefined): KubernetesObject | undefined {
  if (!isObject(value) || !isObject(value['metadata'])) return undefined;
  const { apiVersion, kind, metadata } = value;
  const { name, namespace } = metadata;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return undefined;
  if (namespace === undefined) return { ...value, apiVersion, kind, metadata: { ...metadata, name } };
  return typeof namespace === 'string' ? { ...value, apiVersion, kind, metadata: { ...metadata, name, namespace } } : undefined;
}

export const toRef = ({ apiVersion, kind, metadata }: KubernetesObject): ObjectRef => ({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? null });

/** `deployment/web`, as kubectl says it. */
export const toObjectName = ({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string => `${kind.toLowerCase()}/${name}`;

/** Annotations that the server or kubectl writes beside what people ask for. */
export const managedAnnotations: readonly string[] = ['deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation', 'kubectl.kubernetes.io/last-applied-configuration'];
const managedMetadata: readonly string[] = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink'];

/** The object without what the server manages: its canonical JSON is what is hashed, shown, kept and compared. */
export function toContent(object: KubernetesObject): KubernetesObject {
  const { annotations, ...others } = omit(object.metadata, managedMetadata);
  const asked = isObject(annotations) ? omit(annotations, managedAnnotations) : {};
  // Whether an object without annotations has an empty list of them says nothing.
  const metadata = Object.keys(asked).length === 0 ? others : { ...others, annotations: asked };
  return { ...omit(object, ['status']), apiVersion: object.apiVersion, kind: object.kind, metadata: { ...metadata, name: object.metadata.name } };
}

const omit = (value: { readonly [field: string]: Json }, fields: readonly string[]): { readonly [field: string]: Json } =>
  Object.fromEntries(Object.entries(value).filter(([field]) => !fields.includes(field)));
