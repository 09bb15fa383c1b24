import type { Json } from '../../domain/canonical.js';

/** A JSON value whose objects are maps, so that no member's name means anything to JavaScript. */
export type Tree = string | number | boolean | null | readonly Tree[] | ReadonlyMap<string, Tree>;

/** What was read from a text; or, in words for people, why it could not be. */
export type Reading = { readonly ok: true; readonly tree: Tree } | { readonly ok: false; readonly because: string };

// Far above any configuration, far below what would exhaust the stack.
export const MAX_DEPTH = 200;

export const isList = (tree: Tree): tree is readonly Tree[] => Array.isArray(tree);
export const isMembers = (tree: Tree): tree is ReadonlyMap<string, Tree> => tree instanceof Map;

/** Equal as RFC 6902 has it: whatever the order of members. */
export function isEqual(one: Tree, other: Tree): boolean {
  if (Object.is(one, other) || one === other) return true;
  if (isList(one)) return isList(other) && one.length === other.length && one.every((element, index) => isEqual(element, other[index] ?? null));
  if (!isMembers(one)) return false;
  return isMembers(other) && one.size === other.size && [...one].every(([name, member]) => {
    const counterpart = other.get(name);
    return counterpart !== undefined && isEqual(member, counterpart);
  });
}

/** As a value that JSON.stringify and `yaml` write. `fromEntries` defines members, so not even `__proto__` is inherited from. */
export function toPlain(tree: Tree): Json {
  if (isList(tree)) return tree.map(toPlain);
  return isMembers(tree) ? Object.fromEntries([...tree].map(([name, member]) => [name, toPlain(member)])) : tree;
}

/** About how long its text is; stops counting above `limit`. */
export function weigh(tree: Tree, limit: number): number {
  if (typeof tree === 'string') return tree.length + 2;
  const members = isList(tree) ? tree : isMembers(tree) ? tree.values() : [];
  let weight = isMembers(tree) ? [...tree.keys()].reduce((sum, name) => sum + name.length + 3, 2) : 2;
  for (const member of members) {
    if (weight > limit) break;
    weight += weigh(member, limit - weight);
  }
  return weight;
}

/** Whether it holds a number that would be written otherwise than it was read. */
export function hasInexactNumber(tree: Tree): boolean {
  if (typeof tree === 'number') return !Number.isFinite(tree) || (Number.isInteger(tree) && !Number.isSafeInteger(tree));
  return (isList(tree) ? [...tree] : isMembers(tree) ? [...tree.values()] : []).some(hasInexactNumber);
}

/** What `read` returns, or `otherwise` where a text that nests too deep exhausted the stack. */
export function withinStack<Result, Otherwise>(read: () => Result, otherwise: Otherwise): Result | Otherwise {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return otherwise;
    throw error;
  }
}
