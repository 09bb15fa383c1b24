import type { Json } from '../../domain/canonical.js';
import { isList, isObject, toPointer } from '../../domain/json-diff.js';

/** What may stand somewhere in an object. */
export type FieldRule =
  | { readonly is: 'value'; readonly expected: string; readonly passes: (value: Json) => boolean }
  | { readonly is: 'list'; readonly of: FieldRule }
  | { readonly is: 'map'; readonly of: FieldRule; readonly mayName: (key: string) => boolean; readonly isWhole: boolean }
  /** `isWhole`: there is nothing else in it, so that it may be replaced as a whole. */
  | { readonly is: 'fields'; readonly fields: Readonly<Record<string, FieldRule>>; readonly isWhole: boolean };

/** What is wrong at one place of an object. */
export interface WrongField {
  readonly keys: readonly string[];
  readonly reason: string;
  readonly remedy: string;
}

export const value = (expected: string, passes: (value: Json) => boolean): FieldRule => ({ is: 'value', expected, passes });
export const listOf = (of: FieldRule): FieldRule => ({ is: 'list', of });
export const mapOf = (of: FieldRule): FieldRule => ({ is: 'map', of, mayName: () => true, isWhole: true });
/** Some of its members are not for us to name, and so it cannot be replaced as a whole. */
export const mapOfSome = (of: FieldRule, mayName: (key: string) => boolean): FieldRule => ({ is: 'map', of, mayName, isWhole: false });
/** These, of more that there may be. */
export const someOf = (fields: Readonly<Record<string, FieldRule>>): FieldRule => ({ is: 'fields', fields, isWhole: false });
/** These, and there are no others. */
export const allOf = (fields: Readonly<Record<string, FieldRule>>): FieldRule => ({ is: 'fields', fields, isWhole: true });

const remedy = 'Leave it out; a person changes it with kubectl.';
const node = 'it decides where its pods run';
const hostOf = 'it opens the node to its pods';
const rights = 'it decides which rights its pods have';
const files = 'it decides which files its pods see';
const because: Readonly<Record<string, string>> = {
  status: 'it is what the cluster itself writes',
  securityContext: 'it decides what its pods may do to the node',
  hostNetwork: hostOf,
  hostPID: hostOf,
  hostIPC: hostOf,
  hostUsers: hostOf,
  hostPort: hostOf,
  hostIP: hostOf,
  hostAliases: 'it decides what names mean in its pods',
  host: 'it makes the node call somewhere else',
  serviceAccountName: rights,
  serviceAccount: rights,
  automountServiceAccountToken: rights,
  volumes: files,
  volumeMounts: files,
  volumeDevices: files,
  volumeClaimTemplates: files,
  nodeName: node,
  nodeSelector: node,
  affinity: node,
  tolerations: node,
  runtimeClassName: node,
  priorityClassName: node,
  initContainers: 'it runs before the container that is repaired',
  ephemeralContainers: 'it runs beside the container that is repaired',
  lifecycle: 'it runs at a moment that nobody watches',
  envFrom: 'it does not say what the container gets',
  externalName: 'it sends the traffic somewhere else',
  externalIPs: 'it takes traffic that was not for it',
};

/** All that no rule allows in a value. */
export function findWrongFields(json: Json, rule: FieldRule, keys: readonly string[] = []): readonly WrongField[] {
  switch (rule.is) {
    case 'value':
      return rule.passes(json) ? [] : [expect(keys, rule.expected)];
    case 'list':
      return isList(json) ? json.flatMap((element, index) => findWrongFields(element, rule.of, [...keys, `${index}`])) : [expect(keys, 'a list')];
    case 'map':
    case 'fields':
      if (!isObject(json)) return [expect(keys, 'an object')];
      return Object.entries(json).flatMap(([key, member]) => {
        const below = ruleBelow(rule, key);
        return below === undefined ? [refuse([...keys, key])] : findWrongFields(member, below, [...keys, key]);
      });
  }
}

/** What no rule allows in putting a value at a place, or, where it is undefined, in taking away what is there. */
export function findWrongChange(keys: readonly string[], json: Json | undefined, rule: FieldRule): readonly WrongField[] {
  let at = rule;
  for (const [index, key] of keys.entries()) {
    const below = ruleBelow(at, key);
    if (below === undefined) return [refuse(keys.slice(0, index + 1))];
    at = below;
  }
  if (!isWhole(at)) return [{ keys, reason: 'more would change than what is named', remedy: 'Name each field below it that is to change.' }];
  return json === undefined ? [] : findWrongFields(json, at, keys);
}

export const showKeys = (keys: readonly string[]): string => toPointer(keys) || 'the whole';

const expect = (keys: readonly string[], expected: string): WrongField => ({ keys, reason: `it is not ${expected}`, remedy: `Write ${expected}.` });

function refuse(keys: readonly string[]): WrongField {
  const key = keys.at(-1) ?? '';
  return { keys, reason: (Object.hasOwn(because, key) ? because[key] : undefined) ?? 'no rule allows it to change', remedy };
}

function ruleBelow(rule: FieldRule, key: string): FieldRule | undefined {
  switch (rule.is) {
    case 'value':
      return undefined;
    case 'list':
      return /^(-|0|[1-9]\d{0,5})$/.test(key) ? rule.of : undefined;
    case 'map':
      return rule.mayName(key) ? rule.of : undefined;
    case 'fields':
      return Object.hasOwn(rule.fields, key) ? rule.fields[key] : undefined;
  }
}

function isWhole(rule: FieldRule): boolean {
  switch (rule.is) {
    case 'value':
      return true;
    case 'list':
      return isWhole(rule.of);
    case 'map':
      return rule.isWhole;
    case 'fields':
      return rule.isWhole;
  }
}
