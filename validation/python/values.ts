import { ofMemberCall, ofMethodCall } from './answers.js';
import type { Bindings, Source } from './bindings.js';
import { builtins, modules } from './modules.js';
import { everyNode, many, one, type PythonNode, toText, word } from './python-tree.js';
import { ANY, argument, asText, isContainer, isTimeFormat, join, MAX_VALUES, NAME, pairs, text, toElements, toName, toParent, unknown, type Value } from './value.js';

const MAX_STEPS = 200_000;

export interface Values {
  readonly of: (node: PythonNode | undefined) => readonly Value[];
}

/** Follows names, constants and what is made of them. What it answers holds for every way the text may run. */
export function followValues(bindings: Bindings): Values {
  const known = new Map<PythonNode, readonly Value[]>();
  const isAsked = new Set<PythonNode>();
  let steps = 0;
  // A list within a list has a second name as soon as it is taken out.
  const areInnerKept = [...bindings.changing].every((name) => (bindings.names.get(name) ?? []).every((source) => source.kind === 'module' || source.kind === 'member' || source.kind === 'own' || (source.kind === 'value' && ['List', 'Dict', 'Set', 'Constant', 'JoinedStr'].includes(source.node.kind))));

  function of(node: PythonNode | undefined): readonly Value[] {
    if (node === undefined) return [unknown];
    const before = known.get(node);
    if (before !== undefined) return before;
    if (isAsked.has(node)) return [{ kind: 'again', node }];
    steps += 1;
    if (steps > MAX_STEPS) throw new RangeError('the names of the text lead too far');
    isAsked.add(node);
    // Where a name only stands for itself again, that adds nothing; where something was made of it, that is unknown already.
    const others = bound(evaluate(node)).filter((value) => value.kind !== 'again' || value.node !== node);
    const values = others.length === 0 ? [unknown] : others;
    isAsked.delete(node);
    if (values.every(({ kind }) => kind !== 'again')) known.set(node, values);
    return values;
  }

  function evaluate(node: PythonNode): readonly Value[] {
    const constant = toText(node);
    if (constant !== undefined) return [text(constant)];
    const value = one(node, 'value');
    switch (node.kind) {
      case 'Constant':
        return typeof node.fields['value'] === 'number' ? [{ kind: 'number', number: node.fields['value'] }] : [unknown];
      case 'JoinedStr':
        return many(node, 'values').reduce<readonly Value[]>((left, part) => pairs(left, of(part), (a, b) => text(asText(a) + asText(b))), [text('')]);
      case 'FormattedValue':
        if (node.fields['conversion'] !== -1) return [text(ANY)];
        return one(node, 'format_spec') === undefined ? of(value).map((part) => text(asText(part))) : of(one(node, 'format_spec')).map((spec) => text(isTimeFormat(asText(spec)) ? NAME : ANY));
      case 'Name':
        return ofName(word(node, 'id') ?? '', node);
      case 'Attribute':
        return of(value).flatMap((object) => ofAttribute(object, word(node, 'attr') ?? ''));
      case 'Subscript':
        return of(value).flatMap((container) => ofSubscript(container, one(node, 'slice')));
      case 'BinOp':
        return pairs(of(one(node, 'left')), of(one(node, 'right')), (left, right) => ofOperation(one(node, 'op')?.kind ?? '', left, right));
      case 'IfExp':
        return [...of(one(node, 'body')), ...of(one(node, 'orelse'))];
      case 'BoolOp':
        return many(node, 'values').flatMap(of);
      case 'NamedExpr':
        return of(value);
      case 'Starred':
        return [unknown];
      case 'List':
      case 'Tuple':
        return ofEntries(many(node, 'elts'), node.kind === 'List');
      case 'Set':
        return [{ kind: 'some', isOpen: true, of: many(node, 'elts').flatMap(of) }];
      case 'Dict': {
        const [keys, entries] = [many(node, 'keys'), many(node, 'values')];
        return keys.length === entries.length ? [{ kind: 'dict', isOpen: true, entries: keys.map((key, place) => [of(key), of(entries[place])] as const) }] : [unknown];
      }
      case 'ListComp':
      case 'SetComp':
      case 'GeneratorExp':
        return [{ kind: 'some', isOpen: true, of: of(one(node, 'elt')) }];
      case 'Lambda':
        return [{ kind: 'own', node }];
      case 'Call':
        return of(one(node, 'func')).flatMap((called) => ofCall(called, node));
      default:
        return [unknown];
    }
  }

  function ofEntries(nodes: readonly PythonNode[], isOpen: boolean): readonly Value[] {
    return nodes.reduce<readonly Value[]>((before, node) => pairs(before, node.kind === 'Starred' ? of(one(node, 'value')) : [{ kind: 'list', isOpen, entries: [of(node)] }], (left, right) => (left.kind === 'list' && right.kind === 'list' ? { kind: 'list', isOpen, entries: [...left.entries, ...right.entries] } : unknown)), [{ kind: 'list', isOpen, entries: [] }]);
  }

  function ofName(name: string, node: PythonNode): readonly Value[] {
    const key = bindings.keyOf(name, node);
    const own = (bindings.names.get(key) ?? []).flatMap(ofSource).map((value) => ((isContainer(value) && bindings.changing.has(key)) || (bindings.opened.has(key) && holdsOpen(value)) ? unknown : value));
    const builtin = builtins.get(name);
    // Where it is not set yet, or not in this scope, it is still what Python has under that name.
    return builtin !== undefined && (own.length === 0 || builtin.kind !== 'plus') ? [...own, { kind: 'member', module: 'builtins', name }] : own.length === 0 ? [unknown] : own;
  }

  function ofSource(source: Source): readonly Value[] {
    switch (source.kind) {
      case 'value':
        return of(source.node);
      case 'element':
        return ofSource(source.of).flatMap(toElements).map(inner);
      case 'place':
        return ofSource(source.of).flatMap((value) => (value.kind === 'list' ? (value.entries[source.place] ?? [unknown]) : toElements(value))).map(inner);
      case 'module':
        return [{ kind: 'module', name: source.name }];
      case 'member':
        return [toMember(source.module, source.name)];
      case 'own':
        return [{ kind: 'own', node: source.node }];
      case 'parameter': {
        const calls = bindings.calls.get(source.function);
        return (
          calls?.flatMap(({ node, by }) => {
            if (by === 'name') return of(argument(node, source.place, source.name) ?? source.fallback);
            const given = many(node, 'args')[source.place + 1] ?? source.fallback;
            return by === 'submit' ? of(given) : of(given).flatMap(toElements).map(inner);
          }) ?? [unknown]
        );
      }
      case 'rest': {
        const calls = bindings.calls.get(source.function);
        return calls?.map(({ node, by }) => (by === 'name' ? { kind: 'list', isOpen: false, entries: many(node, 'args').slice(source.place).map(of) } : unknown)) ?? [unknown];
      }
      case 'unknown':
        return [unknown];
    }
  }

  const inner = (value: Value): Value => ('isOpen' in value && value.isOpen && !areInnerKept ? unknown : value);

  function ofAttribute(object: Value, name: string): readonly Value[] {
    if (object.kind === 'module') return [toMember(object.name, name)];
    if (object.kind === 'handle' && name === 'name') return object.path;
    if (object.kind === 'text' && object.isPath) {
      // As the entries of a folder that is scanned have it.
      if (name === 'path') return [text(object.text)];
      if (name === 'parent') return [text(toParent(object.text), true)];
      if (name === 'name') return [text(toName(object.text))];
      if (name === 'stem') return [text(toName(object.text).replace(/(?<=.)\.[^.]*$/, ''))];
    }
    return [unknown];
  }

  function ofSubscript(container: Value, slice: PythonNode | undefined): readonly Value[] {
    if (slice?.kind === 'Slice') return container.kind === 'list' || container.kind === 'some' ? [{ kind: 'some', isOpen: true, of: toElements(container) }] : [unknown];
    const key = of(slice);
    if (container.kind === 'dict') {
      const wanted = key.length === 1 && key[0]?.kind === 'text' ? key[0].text : undefined;
      const found = container.entries.filter(([own]) => own.length === 1 && own[0]?.kind === 'text' && own[0].text === wanted);
      return (found.length > 0 ? found : container.entries).flatMap(([, value]) => value).map(inner);
    }
    return container.kind === 'list' || container.kind === 'some' ? toElements(container).map(inner) : [unknown];
  }

  function ofCall(called: Value, call: PythonNode): readonly Value[] {
    if (called.kind === 'own') return called.node.kind === 'FunctionDef' ? ofReturn(called.node) : [unknown];
    if (called.kind === 'member') return ofMemberCall(`${called.module}.${called.name}`, call, of, inner);
    const method = one(call, 'func');
    if (method?.kind !== 'Attribute') return [unknown];
    const isTime = word(method, 'attr') === 'strftime' && !bindings.attributes.has('strftime') && of(many(call, 'args')[0]).every((form) => isTimeFormat(asText(form)));
    if (isTime) return [text(NAME)];
    return of(one(method, 'value')).flatMap((object) => ofMethodCall(object, word(method, 'attr') ?? '', many(call, 'args'), of, inner));
  }

  /** Only what nobody can change afterwards. */
  function ofReturn(node: PythonNode): readonly Value[] {
    const parts = [...everyNode(node)];
    if (many(node, 'decorator_list').length > 0 || parts.some(({ kind }) => kind === 'Yield' || kind === 'YieldFrom')) return [unknown];
    const values = parts.filter(({ kind }) => kind === 'Return').flatMap((part) => of(one(part, 'value')));
    return values.length === 0 ? [unknown] : values.map((value) => (value.kind === 'text' || value.kind === 'number' ? value : unknown));
  }

  return { of };
}

function bound(values: readonly Value[]): readonly Value[] {
  const different = [...new Map(values.map((value) => [isContainer(value) || value.kind === 'own' || value.kind === 'again' || value.kind === 'handle' ? value : JSON.stringify(value), value] as const)).values()];
  // What may be called is never forgotten.
  return different.length <= MAX_VALUES ? different : [unknown, ...different.filter(({ kind }) => kind === 'module' || kind === 'member')];
}

function ofOperation(operation: string, left: Value, right: Value): Value {
  if (operation === 'Add' && left.kind === 'list' && right.kind === 'list') return { kind: 'list', isOpen: left.isOpen, entries: [...left.entries, ...right.entries] };
  if (left.kind === 'number' && right.kind === 'number') return ofNumbers(operation, left.number, right.number);
  if (operation === 'Add' && (left.kind === 'text' || right.kind === 'text')) return text(asText(left) + asText(right));
  if (operation === 'Div' && ((left.kind === 'text' && left.isPath) || (right.kind === 'text' && right.isPath))) return join(left, right, true);
  if (operation === 'Mod' && left.kind === 'text') return text(left.text.replace(/%(?:\(\w*\))?[-+ #0-9.*]*[a-zA-Z]/g, ANY));
  return unknown;
}

function ofNumbers(operation: string, left: number, right: number): Value {
  const numbers: Readonly<Record<string, number>> = { Add: left + right, Sub: left - right, Mult: left * right, Pow: left ** right };
  const number = numbers[operation];
  return number === undefined ? unknown : { kind: 'number', number };
}

/** Whether parts of it can be changed without it. */
function holdsOpen(value: Value): boolean {
  const parts = value.kind === 'dict' ? value.entries.flatMap(([, entry]) => entry) : isContainer(value) ? toElements(value) : [];
  return parts.some((part) => ('isOpen' in part && part.isOpen) || holdsOpen(part));
}

const toMember = (module: string, name: string): Value => (modules.has(`${module}.${name}`) ? { kind: 'module', name: `${module}.${name}` } : { kind: 'member', module, name });
