import type { Json } from './canonical.js';

/** One place where two documents differ; undefined where one of them has nothing there. */
export interface Difference {
  readonly keys: readonly string[];
  readonly good: Json | undefined;
  readonly now: Json | undefined;
}

/** One operation of a JSON Patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

type JsonObject = { readonly [key: string]: Json };

/** The places where `now` is not what `good` was, as deep as they go. Lists of another length differ as a whole. */
export function diffJson(good: Json | undefined, now: Json | undefined, keys: readonly string[] = []): readonly Difference[] {
  if (isList(good) && isList(now) && good.length === now.length) return good.flatMap((value, index) => diffJson(value, now[index], [...keys, `${index}`]));
  if (isObject(good) && isObject(now)) {
    const all = new Set([...Object.keys(good), ...Object.keys(now)]);
    return [...all].flatMap((key) => diffJson(own(good, key), own(now, key), [...keys, key]));
  }
  return isSameJson(good, now) ? [] : [{ keys, good, now }];
}

/** What puts the differences back. What is there now is tested first, so that it is only put back where nobody changed it since. */
export const toRestoringPatch = (differences: readonly Difference[]): readonly PatchOperation[] =>
  differences.flatMap(({ keys, good, now }): readonly PatchOperation[] => {
    const path = toPointer(keys);
    const test = now === undefined ? [] : [{ op: 'test', path, value: now } as const];
    if (good === undefined) return [...test, { op: 'remove', path }];
    return [...test, { op: now === undefined ? 'add' : 'replace', path, value: good }];
  });

/** The JSON Pointer (RFC 6901) of a place. */
export const toPointer = (keys: readonly string[]): string => keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
export const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Only what the document itself has: every object has a constructor. */
const own = (object: JsonObject, key: string): Json | undefined => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Of two that cannot be taken apart any further: lists of different lengths, plain values, or one of each. */
const isSameJson = (one: Json | undefined, other: Json | undefined): boolean => Object.is(one, other);
