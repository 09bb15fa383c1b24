import type { Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';
import { judgePart } from './pod-rules.js';
import { judgeSecurityOfPart } from './pod-security.js';
import { deny, doubt, isThere, judgeBy, type Remark, type Rule } from './rules.js';

const anywhere: readonly Rule[] = [
  deny('traffic', ['externalIPs', '*'], isThere, 'it takes traffic that was meant for that address'),
  doubt('traffic', ['externalName'], isThere, 'it sends the traffic somewhere else'),
  deny('rights', ['roleRef'], isThere, 'it says who may do what in the cluster'),
  deny('rights', ['subjects'], isThere, 'it says who may do what in the cluster'),
  deny('namespace', ['labels', 'pod-security.kubernetes.io/enforce'], (value) => value !== 'baseline' && value !== 'restricted', 'its pods may do to their nodes whatever they like'),
  doubt('code', ['command'], isThere, 'it decides what runs in the pod'),
  doubt('code', ['args'], isThere, 'it decides what runs in the pod'),
];

/**
 * Judges a fragment of an object, such as the body of a patch, by what it says: it may begin and end anywhere, and so each of its parts
 * is taken for all that it could be. `path` is where it goes, as keys or as the steps of a JSON Pointer.
 */
export function judgeObjectPart(path: readonly string[], value: Json): readonly Remark[] {
  const whole = path.reduceRight<Json>((below, step) => (/^(-|\d+)$/.test(step) ? [below] : { [step]: below }), value);
  return judgeParts(whole, []);
}

function judgeParts(json: Json, keys: readonly string[]): readonly Remark[] {
  if (isList(json)) return json.flatMap((element, index) => judgeParts(element, [...keys, `${index}`]));
  if (!isObject(json)) return [];
  const own = [...judgeSecurityOfPart(json, keys), ...judgePart(json, keys), ...judgeBy(anywhere, json, keys)];
  return [...own, ...Object.entries(json).flatMap(([key, member]) => judgeParts(member, [...keys, key]))];
}
