import type { Json } from '../../domain/canonical.js';
import { isObject } from '../../domain/json-diff.js';
import type { Reach } from '../../domain/reach.js';
import { harmlessAnnotation } from './kind-rules.js';
import { judgeObjectPart } from './judge-object-part.js';
import { type ContainerCommand, findCommands, judgePod } from './pod-rules.js';
import { containerLists, judgePodSecurity } from './pod-security.js';
import { at, deny, doubt, findPlaces, isThere, judgeBy, type Remark, type Rule, textOf } from './rules.js';
import { findMisfits, loadSchema } from './schema.js';
import { findServedKind, isForeign, type ServedKind } from './served-kinds.js';

export interface ObjectJudgement {
  readonly remarks: readonly Remark[];
  readonly commands: readonly ContainerCommand[];
  readonly reach: Reach;
}

/** Judges one object: whether Kubernetes has such a thing, what its pods may do, and what a change of its kind comes to. */
export async function judgeObject(json: Json): Promise<ObjectJudgement> {
  const apiVersion = at(json, 'apiVersion');
  const name = at(json, 'kind');
  if (!isObject(json) || typeof apiVersion !== 'string' || typeof name !== 'string') {
    return refuse([remark('denied', 'syntax', [], 'it is not an object of Kubernetes', 'Write apiVersion, kind, metadata and what is to change.')]);
  }
  const kind = findServedKind(apiVersion, name);
  if (kind === undefined) return refuse(judgeUnknown(json, apiVersion, name));
  if (kind.always?.result === 'denied') return refuse([{ ...kind.always, keys: ['kind'] }]);
  const schema = await loadSchema(kind.type);
  const misfits = findMisfits(json, kind.type, schema).map(({ keys, reason }) => remark('denied', 'schema', keys, reason, 'Write it as Kubernetes 1.34 has it.'));
  // What does not fit means nothing that could be judged.
  if (misfits.length > 0) return refuse(misfits);
  return {
    remarks: [...(kind.always === undefined ? [] : [{ ...kind.always, keys: ['kind'] }]), ...judgeBy(ofEveryObject, json), ...findRemovals(json), ...judgeName(json), ...judgeBy(kind.rules, json), ...judgeTemplate(json, kind)],
    commands: kind.template === undefined ? [] : findCommands(at(json, ...kind.template), kind.template),
    reach: !kind.isNamespaced ? 'cluster' : kind.template === undefined ? 'namespace' : kind.kind === 'Pod' ? 'pod' : 'workload',
  };
}

const remark = (result: Remark['result'], rule: string, keys: readonly string[], reason: string, remedy: string): Remark => ({ result, rule: `k8s.${rule}`, keys, reason, remedy });
const refuse = (remarks: readonly Remark[]): ObjectJudgement => ({ remarks, commands: [], reach: 'cluster' });

const annotation = (path: readonly string[]): Rule => doubt('annotation', [...path, 'annotations', '*'], (_value, key) => !harmlessAnnotation(key), 'no rule knows which controller obeys this annotation');
const ofEveryObject: readonly Rule[] = [
  annotation(['metadata']),
  doubt('namespace', ['metadata', 'namespace'], (value) => textOf(value).startsWith('kube-'), 'the whole cluster depends on what is in it', 'Let two people look at it.'),
  doubt('lifetime', ['metadata', 'finalizers'], isThere, 'it decides what is cleaned up before the object goes'),
  doubt('lifetime', ['metadata', 'ownerReferences'], isThere, 'it goes when another object goes'),
  doubt('status', ['status', '*'], isThere, 'only the cluster itself writes it'),
  deny('lifetime', ['metadata', 'deletionTimestamp'], isThere, 'only the cluster itself writes it'),
];

function judgeName(json: Json): readonly Remark[] {
  const isNamed = ['name', 'generateName'].some((field) => (at(json, 'metadata', field) ?? '') !== '');
  return isNamed ? [] : [remark('denied', 'name', ['metadata'], 'it does not name its object', 'Write the object’s name as metadata.name.')];
}

/** What is taken away from what is there. A time that was never set is how kubectl prints new objects. */
function findRemovals(json: Json, keys: readonly string[] = []): readonly Remark[] {
  if (json === null) return keys.at(-1) === 'creationTimestamp' ? [] : [remark('review_plus', 'removal', keys, 'it takes away what is there, which this does not show', 'Write what is to be there instead.')];
  return typeof json === 'object' ? Object.entries(json).flatMap(([key, member]) => findRemovals(member, [...keys, key])) : [];
}

function judgeTemplate(json: Json, { template: path, needs }: ServedKind): readonly Remark[] {
  if (path === undefined) return [];
  const template = at(json, ...path);
  const hasImage = containerLists.some((list) => findPlaces(template, ['spec', list, '*', 'image']).length > 0);
  const isWhole = hasImage && (needs.length === 0 || at(json, ...needs) !== undefined);
  const ofMetadata = path.length === 0 ? [] : judgeBy([annotation(['metadata'])], template, path);
  return [...judgePodSecurity(template, path, isWhole), ...judgePod(template, path), ...ofMetadata];
}

/** A kind that was added to a cluster: its fields are not known here, but what is a pod’s in it is. */
function judgeUnknown(json: Json, apiVersion: string, name: string): readonly Remark[] {
  if (!isForeign(apiVersion)) return [remark('denied', 'kind', ['apiVersion'], `Kubernetes 1.34 serves no ${name} of ${apiVersion}`, 'Write a version that is served.')];
  return [remark('review_plus', 'unknownKind', ['kind'], `${name} of ${apiVersion} is not a kind of Kubernetes itself, and cannot be inspected`, 'Let two people look at it.'), ...judgeName(json), ...judgeObjectPart([], json)];
}
