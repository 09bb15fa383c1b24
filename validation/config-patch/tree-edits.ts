import { isEqual, isList, isMembers, type Tree } from './json-tree.js';

export type Path = readonly (string | number)[];

/** One place of a text to change: `set` what is there, `add` a member, `insert` elements before the one of that index, `remove` either. */
export type Edit =
  | { readonly kind: 'set' | 'add'; readonly path: Path; readonly value: Tree }
  | { readonly kind: 'insert'; readonly path: Path; readonly values: readonly Tree[] }
  | { readonly kind: 'remove'; readonly path: Path };

/** What an edit writes. */
export const toWritten = (edit: Edit): readonly Tree[] => (edit.kind === 'insert' ? edit.values : edit.kind === 'remove' ? [] : [edit.value]);

/**
 * The edits that make one tree of another, as few and small as their places allow. Each path is where it was in the first,
 * and also when its turn comes, where the edits are made in this order.
 */
export function toEdits(before: Tree, after: Tree, path: Path = []): readonly Edit[] {
  if (isEqual(before, after)) return [];
  if (isMembers(before) && isMembers(after)) return toMemberEdits(before, after, path);
  if (isList(before) && isList(after)) return toElementEdits(before, after, path);
  return [{ kind: 'set', path, value: after }];
}

function toMemberEdits(before: ReadonlyMap<string, Tree>, after: ReadonlyMap<string, Tree>, path: Path): readonly Edit[] {
  const changed = [...before].flatMap(([name, member]): readonly Edit[] => {
    const counterpart = after.get(name);
    return counterpart === undefined ? [{ kind: 'remove', path: [...path, name] }] : toEdits(member, counterpart, [...path, name]);
  });
  const added = [...after].filter(([name]) => !before.has(name)).map(([name, value]): Edit => ({ kind: 'add', path: [...path, name], value }));
  return [...changed, ...added];
}

function toElementEdits(before: readonly Tree[], after: readonly Tree[], path: Path): readonly Edit[] {
  const shorter = Math.min(before.length, after.length);
  const isSame = (index: number, other: number) => isEqual(before.at(index) ?? null, after.at(other) ?? null);
  let head = 0;
  while (head < shorter && isSame(head, head)) head += 1;
  let tail = 0;
  while (tail < shorter - head && isSame(-1 - tail, -1 - tail)) tail += 1;
  const edits: Edit[] = [];
  for (let index = head; index < shorter - tail; index += 1) edits.push(...toEdits(before[index] ?? null, after[index] ?? null, [...path, index]));
  for (let index = before.length - tail - 1; index >= shorter - tail; index -= 1) edits.push({ kind: 'remove', path: [...path, index] });
  const values = after.slice(shorter - tail, after.length - tail);
  if (values.length > 0) edits.push({ kind: 'insert', path: [...path, shorter - tail], values });
  return edits;
}
