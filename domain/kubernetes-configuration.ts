import { canonicalize, type Json } from './canonical.js';
import { isObject } from './json-diff.js';
import { textAt, membersAt } from './kubernetes-fields.js';
import { isGoing } from './kubernetes-pods.js';
import { type KubernetesObject, readObject, toContent } from './kubernetes.js';

/** The kinds whose objects are the configuration of a namespace. */
export const configuredKinds = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['v1', 'ResourceQuota'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
] as const;

/** The contents of a namespace's objects, by `apps/v1/Deployment/web`. */
export type NamespaceContents = ReadonlyMap<string, KubernetesObject>;

// What the cluster, a service mesh or Helm puts into each namespace for itself.
const foreignConfigMaps = /^(kube-root-ca\.crt|openshift-service-ca\.crt|istio-ca-root-cert)$/;
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const HELM_RELEASE = 'helm.sh/release.v1';

/** What people asked for in a namespace: nothing that changes by itself, and of Secrets only what `digest` makes of each value. */
export function toContents(objects: readonly KubernetesObject[], digest: (secret: KubernetesObject, value: string) => string): NamespaceContents {
  const scaled = new Set(objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler').map((object) => `${textAt(object, 'spec', 'scaleTargetRef', 'kind')}/${textAt(object, 'spec', 'scaleTargetRef', 'name')}`));
  const asked = objects.filter((object) => !isGoing(object) && !isForeign(object));
  return new Map(
    asked.map((object): [string, KubernetesObject] => {
      const content = toContent(object);
      return [toKey(object), scaled.has(`${object.kind}/${object.metadata.name}`) ? without(content, ['replicas']) : toStable(content, (value) => digest(object, value))];
    }),
  );
}

/** As text, to be kept. */
export const writeContents = (contents: NamespaceContents): string => canonicalize(Object.fromEntries(contents));

/** As it was kept. */
export function readContents(text: string): NamespaceContents {
  const kept: Json = JSON.parse(text);
  return new Map(
    Object.entries(isObject(kept) ? kept : {}).flatMap(([key, value]): [string, KubernetesObject][] => {
      const object = readObject(value);
      return object === undefined ? [] : [[key, object]];
    }),
  );
}

export const toKey = ({ apiVersion, kind, metadata }: KubernetesObject): string => `${apiVersion}/${kind}/${metadata.name}`;

function isForeign({ kind, metadata, type }: KubernetesObject): boolean {
  if (kind === 'Secret') return type === HELM_RELEASE;
  return kind === 'ConfigMap' && (foreignConfigMaps.test(metadata.name) || LEADER in membersAt(metadata, 'annotations'));
}

function toStable(content: KubernetesObject, digest: (value: string) => string): KubernetesObject {
  switch (content.kind) {
    case 'Secret':
      return { ...content, data: Object.fromEntries(Object.entries(membersAt(content, 'data')).map(([key, value]) => [key, digest(typeof value === 'string' ? value : canonicalize(value))])) };
    case 'Service':
      // Each Service gets others when it is made; that it has none is asked for.
      return textAt(content, 'spec', 'clusterIP') === 'None' ? content : without(content, ['clusterIP', 'clusterIPs']);
    default:
      return content;
  }
}

const without = (content: KubernetesObject, fields: readonly string[]): KubernetesObject => ({
  ...content,
  spec: Object.fromEntries(Object.entries(membersAt(content, 'spec')).filter(([field]) => !fields.includes(field))),
});
