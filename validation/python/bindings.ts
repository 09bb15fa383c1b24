import { many, one, type PythonNode, word } from './python-tree.js';
import { findScopes, type Scopes } from './scopes.js';

/** From where a name gets what it stands for. */
export type Source =
  | { readonly kind: 'value'; readonly node: PythonNode }
  /** What `for` takes out of it, one after the other. */
  | { readonly kind: 'element'; readonly of: Source }
  /** One place of what is unpacked. */
  | { readonly kind: 'place'; readonly of: Source; readonly place: number }
  | { readonly kind: 'module'; readonly name: string }
  | { readonly kind: 'member'; readonly module: string; readonly name: string }
  | { readonly kind: 'own'; readonly node: PythonNode }
  | { readonly kind: 'parameter'; readonly function: string; readonly name: string; readonly place: number; readonly fallback: PythonNode | undefined }
  /** All that a call gives from a place on. */
  | { readonly kind: 'rest'; readonly function: string; readonly place: number }
  | { readonly kind: 'unknown' };

/** One way in which a function of the text is called: by its name, by `map` with each of something, or by `submit`. */
export interface OwnCall {
  readonly node: PythonNode;
  readonly by: 'name' | 'map' | 'submit';
}

/** What the text says about its names, each by its key. */
export interface Bindings extends Scopes {
  readonly names: ReadonlyMap<string, readonly Source[]>;
  /** The functions that are only ever called by their name, with every call of them. */
  readonly calls: ReadonlyMap<string, readonly OwnCall[]>;
  /** What may be changed after it was written down, or be known by a second name. */
  readonly changing: ReadonlySet<string>;
  /** What a part may be taken out of, and changed. */
  readonly opened: ReadonlySet<string>;
  /** Attributes and methods that the text itself gives to its objects. */
  readonly attributes: ReadonlySet<string>;
}

const unknown: Source = { kind: 'unknown' };
/** All methods by which lists, dictionaries and sets are changed, and those by which they give away their parts. */
const MUTATES = new Set(['append', 'extend', 'insert', 'pop', 'popitem', 'remove', 'clear', 'sort', 'reverse', 'update', 'setdefault', 'add', 'discard', 'intersection_update', 'difference_update', 'symmetric_difference_update']);
const GIVES = new Set(['items', 'values', 'get', 'copy', 'union', 'difference', 'intersection', 'symmetric_difference']);
/** Built in, and answering with nothing of what they are given. */
const TELLS = new Set(['print', 'len', 'str', 'repr', 'sum', 'any', 'all', 'bool', 'isinstance']);
/** The few functions of modules that change the list that they are given. */
const CHANGES = new Set(['heappush', 'heappop', 'heapify', 'shuffle', 'insort']);
type Known = Pick<Bindings, 'names' | 'parents' | 'keyOf' | 'attributes'>;

const FUNCTIONS = ['FunctionDef', 'AsyncFunctionDef', 'Lambda'];

/** Collects them from a whole text. */
export function collectBindings(all: readonly PythonNode[]): Bindings {
  const names = new Map<string, Source[]>();
  const attributes = new Set<string>();
  const scopes = findScopes(all);
  const { parents } = scopes;

  const bind = (name: string | undefined, at: PythonNode, source: Source, isOwn = false): void => {
    if (name === undefined) return;
    const key = isOwn ? scopes.keyIn(name, at) : scopes.keyOf(name, at);
    names.set(key, [...(names.get(key) ?? []), source]);
  };
  const bindTarget = (target: PythonNode | undefined, source: Source): void => {
    if (target === undefined) return;
    if (target.kind === 'Name') bind(word(target, 'id'), target, source);
    else if (target.kind === 'Starred') bindTarget(one(target, 'value'), unknown);
    else if (target.kind === 'Attribute') attributes.add(word(target, 'attr') ?? '');
    else many(target, 'elts').forEach((entry, place, entries) => bindTarget(entry, entries.some(({ kind }) => kind === 'Starred') ? unknown : { kind: 'place', of: source, place }));
  };
  const valueOf = (node: PythonNode, field = 'value'): Source => {
    const value = one(node, field);
    return value === undefined ? unknown : { kind: 'value', node: value };
  };

  for (const node of all) {
    switch (node.kind) {
      case 'Assign':
        for (const target of many(node, 'targets')) bindTarget(target, valueOf(node));
        break;
      case 'AnnAssign':
        bindTarget(one(node, 'target'), valueOf(node));
        if (parents.get(node)?.kind === 'ClassDef') attributes.add(word(one(node, 'target'), 'id') ?? '');
        break;
      case 'NamedExpr':
        bindTarget(one(node, 'target'), valueOf(node));
        break;
      case 'AugAssign':
        bindTarget(one(node, 'target'), unknown);
        break;
      case 'For':
      case 'AsyncFor':
      case 'comprehension':
        bindTarget(one(node, 'target'), { kind: 'element', of: valueOf(node, 'iter') });
        break;
      case 'withitem':
        bindTarget(one(node, 'optional_vars'), valueOf(node, 'context_expr'));
        break;
      case 'ExceptHandler':
      case 'MatchAs':
      case 'MatchStar':
        bind(word(node, 'name'), node, unknown);
        break;
      case 'MatchMapping':
        bind(word(node, 'rest'), node, unknown);
        break;
      case 'Import':
        for (const alias of many(node, 'names')) {
          const name = word(alias, 'name') ?? '';
          const own = word(alias, 'asname');
          bind(own ?? name.split('.')[0], node, { kind: 'module', name: own === undefined ? (name.split('.')[0] ?? name) : name });
        }
        break;
      case 'ImportFrom':
        for (const alias of many(node, 'names')) {
          const name = word(alias, 'name') ?? '';
          bind(word(alias, 'asname') ?? name, node, { kind: 'member', module: word(node, 'module') ?? '', name });
        }
        break;
      case 'ClassDef':
        bind(word(node, 'name'), node, { kind: 'own', node });
        break;
      default:
    }
    if (!FUNCTIONS.includes(node.kind)) continue;
    const name = word(node, 'name');
    bind(name, node, { kind: 'own', node });
    const isMethod = parents.get(node)?.kind === 'ClassDef';
    if (isMethod && name !== undefined) attributes.add(name);
    const given = one(node, 'args');
    const positional = [...many(given, 'posonlyargs'), ...many(given, 'args')];
    const defaults = many(given, 'defaults');
    const isFollowed = name !== undefined && !isMethod && many(node, 'decorator_list').length === 0;
    positional.forEach((argument, place) => {
      const own = word(argument, 'arg') ?? '';
      const fallback = defaults[place - (positional.length - defaults.length)];
      bind(own, node, isFollowed ? { kind: 'parameter', function: scopes.keyOf(name, node), name: own, place, fallback } : unknown, true);
    });
    bind(word(one(given, 'vararg'), 'arg'), node, isFollowed ? { kind: 'rest', function: scopes.keyOf(name, node), place: positional.length } : unknown, true);
    for (const argument of [...many(given, 'kwonlyargs'), one(given, 'kwarg')]) bind(word(argument, 'arg'), node, unknown, true);
  }
  const known = { ...scopes, names, attributes };
  return { ...known, calls: collectCalls(all, known), changing: collectUses(all, 'changed', known), opened: collectUses(all, 'opened', known) };
}

function collectCalls(all: readonly PythonNode[], known: Known): Bindings['calls'] {
  const calls = new Map<string, OwnCall[]>();
  const lost = new Set<string>();
  for (const node of all) {
    const name = toKey(node, known);
    const sources = name === undefined ? undefined : known.names.get(name);
    if (name === undefined || sources?.some(({ kind }) => kind === 'own') !== true) continue;
    const call = known.parents.get(node);
    const by = call?.kind === 'Call' ? toWay(node, call) : undefined;
    const isPlain = call !== undefined && !many(call, 'args').some(({ kind }) => kind === 'Starred') && many(call, 'keywords').every((keyword) => word(keyword, 'arg') !== undefined);
    if (by !== undefined && isPlain && sources.length === 1) calls.set(name, [...(calls.get(name) ?? []), { node: call, by }]);
    else lost.add(name);
  }
  for (const name of lost) calls.delete(name);
  return calls;
}

function toWay(name: PythonNode, call: PythonNode): OwnCall['by'] | undefined {
  const called = one(call, 'func');
  if (called === name) return 'name';
  if (many(call, 'args')[0] !== name) return undefined;
  const by = word(called, 'attr') ?? word(called, 'id');
  return by === 'map' || (by === 'submit' && called?.kind === 'Attribute') ? by : undefined;
}

/** What a use of a name lets happen to the list that it stands for: nothing; to lists within it; to itself, or it gets a second name. */
type Use = 'read' | 'opened' | 'changed';

function collectUses(all: readonly PythonNode[], wanted: Use, known: Known): ReadonlySet<string> {
  const used = new Set<string>();
  for (const node of all) {
    const name = toKey(node, known);
    if (name !== undefined && toUse(node, known) === wanted) used.add(name);
  }
  return used;
}

function toUse(node: PythonNode, known: Known): Use {
  const parent = known.parents.get(node);
  if (one(node, 'ctx')?.kind === 'Store' && node.kind === 'Name') {
    const isOneOfSeveral = parent?.kind === 'NamedExpr' || (parent?.kind === 'Assign' && many(parent, 'targets').length > 1);
    return isOneOfSeveral || parent?.kind === 'AugAssign' ? 'changed' : 'read';
  }
  const goesOn = (next: PythonNode): Use => (toUse(next, known) === 'read' ? 'read' : 'opened');
  if (parent === undefined) return 'changed';
  switch (parent.kind) {
    case 'For':
    case 'comprehension':
    case 'Compare':
    case 'FormattedValue':
    case 'If':
    case 'While':
    case 'UnaryOp':
    case 'Expr':
      return 'read';
    case 'BinOp':
    case 'Starred':
      return goesOn(parent);
    case 'List':
    case 'Tuple':
      // Only what was spread into it.
      return node.kind === 'Starred' ? goesOn(parent) : 'changed';
    case 'Attribute':
      if (MUTATES.has(word(parent, 'attr') ?? '')) return 'changed';
      return GIVES.has(word(parent, 'attr') ?? '') ? goesOn(known.parents.get(parent) ?? parent) : 'read';
    case 'Subscript':
      if (one(parent, 'value') !== node) return 'read';
      return one(parent, 'ctx')?.kind === 'Load' ? goesOn(parent) : 'changed';
    case 'Call': {
      // Neither built-in functions nor those of modules change the words that they are given. What they answer may have parts in common with them.
      const called = one(parent, 'func');
      if (called === node) return 'read';
      if (called?.kind === 'Attribute') {
        if (one(called, 'value')?.kind === 'Constant') return 'read';
        // Of an executor; where the text has a method of that name, it may be any.
        if (word(called, 'attr') === 'map' && !known.attributes.has('map')) return goesOn(parent);
        if (CHANGES.has(word(called, 'attr') ?? '') || !isImported(one(called, 'value'), known)) return 'changed';
        return word(one(called, 'value'), 'id') === 'subprocess' ? 'read' : goesOn(parent);
      }
      const name = word(called, 'id');
      const isOutside = name !== undefined && (known.names.get(known.keyOf(name, parent))?.every((source) => source.kind === 'member' && !CHANGES.has(source.name)) ?? true);
      return isOutside ? (TELLS.has(name) ? 'read' : goesOn(parent)) : 'changed';
    }
    default:
      return 'changed';
  }
}

function isImported(node: PythonNode | undefined, known: Known): boolean {
  if (node?.kind === 'Attribute') return isImported(one(node, 'value'), known);
  const key = node === undefined ? undefined : toKey(node, known);
  return key !== undefined && (known.names.get(key)?.every(({ kind }) => kind === 'module') ?? false);
}

function toKey(node: PythonNode, known: Known): string | undefined {
  const name = node.kind === 'Name' ? word(node, 'id') : undefined;
  return name === undefined ? undefined : known.keyOf(name, node);
}
