import type { Json } from './canonical.js';
import { isList, isObject } from './json-diff.js';
import { get } from './kubernetes-desired.js';

/** The text at a place of a document; none where there is something else. */
export function textAt(json: Json, ...keys: readonly string[]): string {
  const value = get(json, keys);
  return typeof value === 'string' ? value : '';
}

/** The number at a place of a document. */
export function countAt(json: Json, keys: readonly string[], none = 0): number {
  const value = get(json, keys);
  return typeof value === 'number' ? value : none;
}

/** The objects of the list at a place of a document. */
export function listAt(json: Json, ...keys: readonly string[]): readonly { readonly [key: string]: Json }[] {
  const value = get(json, keys);
  return isList(value) ? value.filter(isObject) : [];
}

/** The members of the object at a place of a document. */
export function membersAt(json: Json, ...keys: readonly string[]): { readonly [key: string]: Json } {
  const value = get(json, keys);
  return isObject(value) ? value : {};
}

/** How long ago the moment at a place of a document was; infinitely long where there is none. */
export function ageAt(nowMs: number, json: Json, ...keys: readonly string[]): number {
  const atMs = Date.parse(textAt(json, ...keys));
  return Number.isNaN(atMs) ? Infinity : nowMs - atMs;
}

/** The condition of this type, as a controller noted it in the status; undefined where it did not. */
export const conditionOf = (json: Json, type: string): { readonly [key: string]: Json } | undefined => listAt(json, 'status', 'conditions').find((condition) => condition['type'] === type);
