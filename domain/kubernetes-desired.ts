import type { Json } from './canonical.js';
import { isList, isObject } from './json-diff.js';
import { type KubernetesObject, toObjectName, toRef } from './kubernetes.js';

/** What is changed in an object that is there. */
export type ObjectEdit =
  | { readonly verb: 'scale'; readonly replicas: number }
  /** Images by the names of their containers. */
  | { readonly verb: 'setImage'; readonly images: Readonly<Record<string, string>> }
  /** New pods of the same template. `mark` makes it another one, and is the same for the same plan. */
  | { readonly verb: 'restart'; readonly mark: string }
  /** The pod template of an earlier revision, and nothing else of it. */
  | { readonly verb: 'useTemplate'; readonly template: Json }
  | { readonly verb: 'cordon' | 'uncordon' };

export type Desired = { readonly ok: true; readonly object: KubernetesObject } | { readonly ok: false; readonly because: string };

const RESTART = 'sluice/restart';
// These the controllers put on the templates of what they make.
const controllerLabels: readonly string[] = ['pod-template-hash', 'controller-revision-hash'];

/** The object as it is to be after an edit. */
export function toDesired(edit: ObjectEdit, live: KubernetesObject): Desired {
  switch (edit.verb) {
    case 'scale':
      return done(put(live, ['spec', 'replicas'], edit.replicas));
    case 'setImage':
      return setImages(edit.images, live);
    case 'restart':
      return done(put(live, ['spec', 'template', 'metadata', 'annotations', RESTART], edit.mark));
    case 'useTemplate':
      return done(put(live, ['spec', 'template'], withoutControllerLabels(edit.template)));
    case 'cordon':
      return done(put(live, ['spec', 'unschedulable'], true));
    case 'uncordon':
      return done(put(live, ['spec', 'unschedulable'], undefined));
  }
}

/** The revision of a ReplicaSet or ControllerRevision, with the pod template that it stands for. */
export function readRevision(object: KubernetesObject): { readonly revision: number; readonly template: Json | undefined } {
  if (object.kind === 'ControllerRevision') return { revision: Number(object['revision']), template: get(object, ['data', 'spec', 'template']) };
  return { revision: Number(get(object, ['metadata', 'annotations', 'deployment.kubernetes.io/revision'])), template: get(object, ['spec', 'template']) };
}

/** Whether an object was made by the controller of this other. */
export const isOwnedBy = (object: KubernetesObject, uid: Json | undefined): boolean => {
  const owners = object.metadata['ownerReferences'];
  return isList(owners) && owners.some((owner) => isObject(owner) && owner['controller'] === true && owner['uid'] === uid);
};

/** What stands at a place of a document. */
export function get(json: Json | undefined, keys: readonly string[]): Json | undefined {
  return keys.reduce<Json | undefined>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), json);
}

function setImages(images: Readonly<Record<string, string>>, live: KubernetesObject): Desired {
  const place = ['spec', 'template', 'spec', 'containers'];
  const containers = get(live, place);
  const listed = isList(containers) ? containers.filter(isObject) : [];
  const nameOf = ({ name }: { readonly [field: string]: Json }): string => (typeof name === 'string' ? name : '');
  const names = listed.map(nameOf);
  const unknown = Object.keys(images).filter((name) => !names.includes(name));
  if (unknown.length > 0) return { ok: false, because: `${toObjectName(toRef(live))} has no container ${unknown.join(', ')}; it has ${names.join(', ')}` };
  return done(put(live, place, listed.map((container) => ({ ...container, image: images[nameOf(container)] ?? container['image'] ?? '' }))));
}

/** A pod template without the labels by which controllers know theirs. */
export function withoutControllerLabels(template: Json): Json {
  const labels = get(template, ['metadata', 'labels']);
  if (!isObject(template) || !isObject(template['metadata']) || !isObject(labels)) return template;
  const kept = Object.fromEntries(Object.entries(labels).filter(([name]) => !controllerLabels.includes(name)));
  return { ...template, metadata: { ...template['metadata'], labels: kept } };
}

const done = (object: KubernetesObject): Desired => ({ ok: true, object });

/** The document with a value at a place; with undefined nothing is there. */
function put<Whole extends Json>(json: Whole, [key, ...rest]: readonly string[], value: Json | undefined): Whole {
  if (key === undefined) return json;
  const members: { readonly [field: string]: Json } = isObject(json) ? json : {};
  const others = Object.fromEntries(Object.entries(members).filter(([name]) => name !== key));
  const next = rest.length === 0 ? value : put(members[key] ?? {}, rest, value);
  return (next === undefined ? others : { ...others, [key]: next }) as Whole;
}
