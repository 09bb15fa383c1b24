import type { Json } from './canonical.js';
import { readDifferences } from './config-change.js';
import { type Difference, isList, isObject, toRestoringPatch } from './json-diff.js';
import { membersAt } from './kubernetes-fields.js';
import { type KubernetesObject, toObjectName, toRef } from './kubernetes.js';
import { toYaml } from './kubernetes-yaml.js';
import { holdsSecret } from './looks-secret.js';
import type { ObjectChangeFact } from './signal.js';

/** Says whether a step may put a value at a place of an object of this kind; undefined takes away what is there. */
export type MayRestore = (kind: string, keys: readonly string[], value: Json | undefined) => boolean;

export type ObjectChange = Pick<ObjectChangeFact, 'object' | 'what' | 'changes' | 'changeCount' | 'restore' | 'restoresAll' | 'templateChanged'> & {
  /** Whether nothing else of what it is to be has changed. */
  readonly onlyTemplateChanged: boolean;
  /** The places that differ. */
  readonly places: readonly (readonly string[])[];
};

/** How an object differs from what it was, and the one step that puts it back. Undefined where it is the same. */
export function toObjectChange(good: KubernetesObject | undefined, now: KubernetesObject | undefined, mayRestore: MayRestore): ObjectChange | undefined {
  const one = now ?? good;
  if (one === undefined) return undefined;
  const object = toObjectName(toRef(one));
  const whole = { object, changes: [], changeCount: 0, templateChanged: false, onlyTemplateChanged: false, places: [] };
  if (good === undefined) {
    const restore = one.kind === 'NetworkPolicy' ? ({ type: 'kubectl', script: `kubectl delete ${object} -n ${one.metadata.namespace ?? ''}` } as const) : null;
    return { ...whole, what: 'added', restore, restoresAll: restore !== null };
  }
  if (now === undefined) {
    const restore = good.kind === 'Secret' || holdsSecret(good) ? null : ({ type: 'kubernetes', script: toYaml(withoutDefaults(good)) } as const);
    return { ...whole, what: 'removed', restore, restoresAll: restore !== null };
  }
  const read = readDifferences(good, now, (difference) => good.kind !== 'Secret' && isAskedFor(difference) && mayRestore(good.kind, difference.keys, difference.good));
  const differences = read.differences.filter(isAskedFor);
  if (differences.length === 0) return undefined;
  const isOfTemplate = ({ keys }: Difference): boolean => keys[0] === 'spec' && keys[1] === 'template';
  return {
    object,
    what: 'changed',
    changes: read.toChanges(differences),
    changeCount: differences.length,
    restore: read.restorable.length === 0 ? null : toRestore(good, read.restorable),
    restoresAll: read.restorable.length === differences.length,
    templateChanged: differences.some(isOfTemplate),
    onlyTemplateChanged: differences.every((difference) => isOfTemplate(difference) || difference.keys[0] === 'metadata'),
    places: differences.map(({ keys }) => keys),
  };
}

/** An autoscaler that came or went takes the number of replicas out of the configuration, or into it; nobody changed it. */
const isAskedFor = ({ keys, good, now }: Difference): boolean => keys.join('/') !== 'spec/replicas' || (good !== undefined && now !== undefined);

/** A manifest, where fields are only to be set; a JSON Patch where some must go, or where a list would be merged and not replaced. */
function toRestore({ apiVersion, kind, metadata: { name, namespace = '' } }: KubernetesObject, differences: readonly Difference[]): NonNullable<ObjectChangeFact['restore']> {
  const areSet = differences.every(({ keys, good, now }) => good !== undefined && !holdsList(good) && !isList(now) && keys.every((key) => !/^\d+$/.test(key)));
  if (!areSet) {
    // Within single quotes no shell and no reader of ours changes anything but their end.
    const patch = JSON.stringify(toRestoringPatch(differences)).replaceAll("'", '\\u0027');
    return { type: 'kubectl', script: `kubectl patch ${toObjectName({ kind, name })} -n ${namespace} --type=json -p '${patch}'` };
  }
  const start: Json = { apiVersion, kind, metadata: { name, namespace } };
  return { type: 'kubernetes', script: toYaml(differences.reduce<Json>((manifest, { keys, good }) => put(manifest, keys, good ?? null), start)) };
}

const holdsList = (value: Json): boolean => isList(value) || (isObject(value) && Object.values(value).some(holdsList));

function put(json: Json, [key, ...rest]: readonly string[], value: Json): Json {
  if (key === undefined) return value;
  const members = isObject(json) ? json : {};
  return { ...members, [key]: put(members[key] ?? {}, rest, value) };
}

const defaults: Readonly<Record<string, Json>> = { sessionAffinity: 'None', internalTrafficPolicy: 'Cluster', ipFamilyPolicy: 'SingleStack' };

/** What the server would add to it again. */
function withoutDefaults(content: KubernetesObject): KubernetesObject {
  if (content.kind !== 'Service') return content;
  const spec = Object.entries(membersAt(content, 'spec')).filter(([field, value]) => field !== 'ipFamilies' && (!Object.hasOwn(defaults, field) || defaults[field] !== value));
  return { ...content, spec: Object.fromEntries(spec) };
}
