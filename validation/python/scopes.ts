import { below, many, one, type PythonNode, word, words } from './python-tree.js';

/** Which names are the same one: a name under which two places of a text mean the same. */
export interface Scopes {
  readonly parents: ReadonlyMap<PythonNode, PythonNode>;
  /** The key of a name that is used, or bound, at this node. */
  readonly keyOf: (name: string, node: PythonNode) => string;
  /** The key of a name that a function has of its own. */
  readonly keyIn: (name: string, owner: PythonNode) => string;
}

const functions = ['FunctionDef', 'AsyncFunctionDef', 'Lambda'];
const isArgument = (kind: string): boolean => kind === 'arg' || kind === 'arguments';

/** As Python does: what is bound anywhere in a function is that function's own. Classes and comprehensions are taken with what is around them, so that a name may be more than it is, and never less. */
export function findScopes(all: readonly PythonNode[]): Scopes {
  const parents = new Map<PythonNode, PythonNode>();
  for (const node of all) for (const [, child] of below(node)) parents.set(child, node);
  const shared = new Set(all.flatMap((node) => (node.kind === 'Global' || node.kind === 'Nonlocal' ? words(node, 'names') : [])));
  const own = new Map<PythonNode, Set<string>>();

  /** The function whose names hold at a node. What stands before its body, such as a default, is evaluated outside of it. */
  function ownerOf(node: PythonNode): PythonNode | undefined {
    const parent = parents.get(node);
    if (parent === undefined) return undefined;
    const isInside = functions.includes(parent.kind) && (one(parent, 'body') === node || many(parent, 'body').includes(node));
    return isInside ? parent : ownerOf(parent);
  }

  const add = (owner: PythonNode | undefined, name: string | undefined): void => {
    if (owner !== undefined && name !== undefined && !shared.has(name)) own.set(owner, (own.get(owner) ?? new Set()).add(name));
  };
  for (const node of all) {
    for (const name of boundBy(node)) add(ownerOf(node), name);
    if (!functions.includes(node.kind)) continue;
    const given = one(node, 'args');
    for (const [, argument] of given === undefined ? [] : below(given)) if (isArgument(argument.kind)) add(node, word(argument, 'arg'));
  }

  const keyIn = (name: string, owner: PythonNode | undefined): string => {
    if (owner === undefined) return name;
    return own.get(owner)?.has(name) === true ? `${name} ${owner.at}` : keyIn(name, ownerOf(owner));
  };
  return { parents, keyIn, keyOf: (name, node) => keyIn(name, ownerOf(node)) };
}

/** The names that a node by itself binds. */
function boundBy(node: PythonNode): readonly (string | undefined)[] {
  switch (node.kind) {
    case 'Name':
      return one(node, 'ctx')?.kind === 'Load' ? [] : [word(node, 'id')];
    case 'FunctionDef':
    case 'AsyncFunctionDef':
    case 'ClassDef':
    case 'ExceptHandler':
    case 'MatchAs':
    case 'MatchStar':
      return [word(node, 'name')];
    case 'MatchMapping':
      return [word(node, 'rest')];
    case 'alias':
      return [word(node, 'asname') ?? word(node, 'name')?.split('.')[0]];
    default:
      return [];
  }
}
