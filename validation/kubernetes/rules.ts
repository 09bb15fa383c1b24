import type { Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';

/** Why something in an object is not plainly allowed. */
export interface Remark {
  readonly result: 'denied' | 'review_plus';
  readonly rule: string;
  readonly keys: readonly string[];
  readonly reason: string;
  readonly remedy: string;
}

/** What is not plainly allowed at the places that a path leads to; `*` stands for every element or member. */
export interface Rule {
  readonly result: Remark['result'];
  readonly rule: string;
  readonly path: readonly string[];
  readonly isBad: (value: Json, key: string) => boolean;
  readonly reason: string;
  readonly remedy: string;
}

export interface Place {
  readonly keys: readonly string[];
  readonly value: Json;
}

/** All places that a path leads to. A null is as good as nothing there: the API server takes it so. */
export function findPlaces(json: Json | undefined, [step, ...path]: readonly string[], keys: readonly string[] = []): readonly Place[] {
  if (json === undefined || json === null) return [];
  if (step === undefined) return [{ keys, value: json }];
  const members: readonly (readonly [string, Json])[] = isList(json) ? [...json.entries()].map(([index, element]) => [`${index}`, element]) : isObject(json) ? Object.entries(json) : [];
  return members.filter(([key]) => step === '*' || step === key).flatMap(([key, member]) => findPlaces(member, path, [...keys, key]));
}

/** The one value at a path without `*`. */
export const at = (json: Json | undefined, ...path: readonly string[]): Json | undefined => findPlaces(json, path)[0]?.value;

/** A plain value as text; anything else as JSON, which no name is. */
export const textOf = (json: Json | undefined): string => (typeof json === 'string' ? json : json === undefined ? '' : JSON.stringify(json));

export const judgeBy = (rules: readonly Rule[], json: Json | undefined, keys: readonly string[] = []): readonly Remark[] =>
  rules.flatMap(({ result, rule, path, isBad, reason, remedy }) =>
    findPlaces(json, path, keys)
      .filter((place) => isBad(place.value, place.keys.at(-1) ?? ''))
      .map((place): Remark => ({ result, rule, keys: place.keys, reason, remedy })),
  );

export const deny = (rule: string, path: readonly string[], isBad: Rule['isBad'], reason: string, remedy = 'Leave it out.'): Rule => ({ result: 'denied', rule: `k8s.${rule}`, path, isBad, reason, remedy });
export const doubt = (rule: string, path: readonly string[], isBad: Rule['isBad'], reason: string, remedy = 'Leave it out, or let two people look at it.'): Rule => ({ result: 'review_plus', rule: `k8s.${rule}`, path, isBad, reason, remedy });

/** Whatever it is, it is not plainly allowed to be there. */
export const isThere = (): boolean => true;
export const isNot = (...allowed: readonly Json[]) => (value: Json): boolean => !allowed.includes(value);
/** For fields that later versions may bring: what no rule has looked at is not plainly allowed. */
export const onlyFields = (path: readonly string[], known: readonly string[]): Rule => doubt('field', [...path, '*'], (_value, key) => !known.includes(key), 'no rule knows what this field does');
