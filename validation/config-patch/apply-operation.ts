import { isAtOrBelow, type Operation, type Pointer, writePointer } from './json-patch.js';
import { isEqual, isList, isMembers, type Reading, toPlain, type Tree } from './json-tree.js';

const MAX_SHOWN = 80;

/** Makes one operation on a tree as RFC 6902 says; or says why it cannot be made. */
export function applyOperation(tree: Tree, operation: Operation): Reading {
  const place = `"${writePointer(operation.path)}"`;
  switch (operation.op) {
    case 'test': {
      const found = find(tree, operation.path);
      if (found === undefined) return refuse(`test: there is nothing at ${place}`);
      return isEqual(found, operation.value) ? { ok: true, tree } : refuse(`test: ${place} is ${show(found)}, not ${show(operation.value)}`);
    }
    case 'add':
      return add(tree, operation.path, operation.value);
    case 'replace':
      return toReading(changeAt(tree, operation.path, () => operation.value, replaceChild), `replace: there is nothing at ${place}`);
    case 'remove':
      return remove(tree, operation.path);
    case 'copy':
    case 'move': {
      const { op, from, path } = operation;
      const source = find(tree, from);
      if (source === undefined) return refuse(`${op}: there is nothing at "${writePointer(from)}"`);
      if (op === 'copy') return add(tree, path, source);
      if (!isAtOrBelow(path, from)) {
        const without = remove(tree, from);
        return without.ok ? add(without.tree, path, source) : without;
      }
      return path.length === from.length ? { ok: true, tree } : refuse(`move: "${writePointer(from)}" cannot be moved into itself`);
    }
  }
}

/** What is there; undefined where nothing is. */
export function find(tree: Tree, path: Pointer): Tree | undefined {
  let at: Tree | undefined = tree;
  for (const token of path) at = at === undefined ? undefined : childOf(at, token);
  return at;
}

const refuse = (because: string): Reading => ({ ok: false, because });
const toReading = (tree: Tree | undefined, otherwise: string): Reading => (tree === undefined ? refuse(otherwise) : { ok: true, tree });
const show = (tree: Tree): string => {
  const text = JSON.stringify(toPlain(tree));
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};

const add = (tree: Tree, path: Pointer, value: Tree): Reading =>
  toReading(changeAt(tree, path, () => value, addChild), `add: nothing can be added at "${writePointer(path)}": what it would be part of is not there or has no such place`);
const remove = (tree: Tree, path: Pointer): Reading =>
  path.length === 0 ? refuse('remove: the whole document cannot be removed') : toReading(changeAt(tree, path, () => null, removeChild), `remove: there is nothing at "${writePointer(path)}"`);

type ChangeChild = (parent: Tree, token: string, value: Tree) => Tree | undefined;

/** A copy that differs at one place; undefined where there is no such place. */
function changeAt(tree: Tree, path: Pointer, toValue: () => Tree, changeChild: ChangeChild): Tree | undefined {
  const [token, ...rest] = path;
  if (token === undefined) return toValue();
  if (rest.length === 0) return changeChild(tree, token, toValue());
  const child = childOf(tree, token);
  const changed = child === undefined ? undefined : changeAt(child, rest, toValue, changeChild);
  return changed === undefined ? undefined : replaceChild(tree, token, changed);
}

function childOf(tree: Tree, token: string): Tree | undefined {
  if (isMembers(tree)) return tree.get(token);
  const index = isList(tree) ? readIndex(token) : undefined;
  return index === undefined || !isList(tree) ? undefined : tree[index];
}

const readIndex = (token: string): number | undefined => (/^(0|[1-9]\d{0,9})$/.test(token) ? Number(token) : undefined);

function replaceChild(parent: Tree, token: string, value: Tree): Tree | undefined {
  if (childOf(parent, token) === undefined) return undefined;
  if (isMembers(parent)) return new Map([...parent, [token, value]]);
  return isList(parent) ? parent.with(Number(token), value) : undefined;
}

function addChild(parent: Tree, token: string, value: Tree): Tree | undefined {
  if (isMembers(parent)) return new Map([...parent, [token, value]]);
  if (!isList(parent)) return undefined;
  const index = token === '-' ? parent.length : readIndex(token);
  return index === undefined || index > parent.length ? undefined : parent.toSpliced(index, 0, value);
}

function removeChild(parent: Tree, token: string): Tree | undefined {
  if (childOf(parent, token) === undefined) return undefined;
  if (isMembers(parent)) return new Map([...parent].filter(([name]) => name !== token));
  return isList(parent) ? parent.toSpliced(Number(token), 1) : undefined;
}
