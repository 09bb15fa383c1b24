import { type Document, isAlias, isMap, isNode, isScalar, isSeq, Lexer, type Node, type Pair, parseDocument, Parser, Scalar, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import { MAX_DEPTH, type Reading, toPlain, type Tree, withinStack } from './json-tree.js';
import type { Path } from './tree-edits.js';

// Aliases can make a small text mean a huge value.
const MAX_VALUES = 1_000_000;

/** Keys that are there twice are for `readYaml` to refuse: the package compares each with each. */
export const parseYaml = (text: string): Document => parseDocument(text, { uniqueKeys: false, logLevel: 'error' });

/** Reads one YAML document. Aliases are followed; merge keys (`<<`) are members like any other. */
export function readYaml(text: string): Reading {
  if (nestsTooDeep(text)) return refuse('it nests too deep');
  return withinStack((): Reading => {
    const document = parseYaml(text);
    const [error] = document.errors;
    if (error !== undefined) return refuse(`it is not one YAML document: ${error.message.split('\n', 1)[0]}`);
    return createReader()(document.contents, 0);
  }, refuse('it nests too deep'));
}

// The collections and the members that are open at once: a level of nesting may be both.
const MAX_OPEN = 3 * MAX_DEPTH;

/** Whether it nests so deep that the package, which recurses, would end the whole process: a pattern that is compiled at the end of the stack does. */
function nestsTooDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > MAX_OPEN) return true;
  }
  return false;
}

const refuse = (because: string): Reading => ({ ok: false, because });

function createReader() {
  const anchors = new Map<string, { readonly tree: Tree; readonly values: number }>();
  let values = 0;

  function read(node: unknown, depth: number): Reading {
    const valuesBefore = values;
    values += 1;
    if (depth > MAX_DEPTH) return refuse(`it nests deeper than ${MAX_DEPTH}`);
    const reading = readNode(node, depth);
    if (values > MAX_VALUES) return refuse('its aliases stand for too much');
    if (reading.ok && isNode(node) && !isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, { tree: reading.tree, values: values - valuesBefore });
    return reading;
  }

  function readNode(node: unknown, depth: number): Reading {
    if (node === null) return { ok: true, tree: null };
    if (isScalar(node)) return readScalar(node);
    if (isSeq(node)) return readSequence(node, depth);
    if (isMap(node)) return readMap(node, depth);
    const anchored = isAlias(node) ? anchors.get(node.source) : undefined;
    if (anchored === undefined) return refuse('it has an alias without an anchor before it');
    values += anchored.values;
    return { ok: true, tree: anchored.tree };
  }

  function readSequence(sequence: YAMLSeq, depth: number): Reading {
    const elements: Tree[] = [];
    for (const element of sequence.items) {
      const reading = read(element, depth + 1);
      if (!reading.ok) return reading;
      elements.push(reading.tree);
    }
    return { ok: true, tree: elements };
  }

  function readMap(map: YAMLMap, depth: number): Reading {
    const members = new Map<string, Tree>();
    for (const { key, value } of map.items) {
      const name = toName(key);
      if (name === undefined) return refuse('it has a key that is not plain text');
      if (members.has(name)) return refuse(`key ${JSON.stringify(name)} is there twice`);
      const reading = read(value, depth + 1);
      if (!reading.ok) return reading;
      members.set(name, reading.tree);
    }
    return { ok: true, tree: members };
  }

  return read;
}

function readScalar({ value, source }: Scalar): Reading {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { ok: true, tree: value };
  return source === undefined ? refuse('it has a value that JSON does not know') : { ok: true, tree: source };
}

/** A key as JSON Pointers name it: `8080` is written without quotes. */
export function toName(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  if (typeof key.value === 'string') return key.value;
  return typeof key.value === 'symbol' ? '<<' : key.source;
}

/** What a path leads to; undefined where the way goes through an alias. */
export function findNode(document: Document, path: Path): unknown {
  let node: unknown = document.contents;
  for (const segment of path) node = isMap(node) ? findPair(node, segment)?.value : isSeq(node) && typeof segment === 'number' ? node.items[segment] : undefined;
  return node;
}

export const findPair = (map: YAMLMap, name: string | number): Pair | undefined => map.items.find(({ key }) => toName(key) === name);

/** A value as any reader of any version of YAML takes it. */
export function toNode(document: Document, tree: Tree): Node {
  const node = document.createNode(toPlain(tree), { aliasDuplicateObjects: false });
  if (!isNode(node)) throw new Error('yaml made no node of a value');
  visit(node, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'string' && !isPlain(scalar.value) && !/[^\n]\n[^\n]/.test(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return node;
}

// Not `no`, `1e3`, `0x1f`, `12:30:45`, `2026-11-22` or `null`.
const isPlain = (text: string): boolean => /^[A-Za-z_/][\w./@+-]*( [\w./@+-]+)*$/.test(text) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(text);
