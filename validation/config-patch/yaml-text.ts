import { applyPatch, structuredPatch } from 'diff';
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, parseDocument, Scalar, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import { MAX_DEPTH, type Reading, toPlain, type Tree, withinStack } from './json-tree.js';
import type { Edit } from './tree-edits.js';

// Aliases can make a small text mean a huge value.
const MAX_VALUES = 1_000_000;
// How far two texts may differ before it is not worth looking for the smallest difference.
const MAX_EDIT_LENGTH = 4_000;

/** Reads one YAML document. Aliases are followed; merge keys (`<<`) are members like any other. */
export function readYaml(text: string): Reading {
  return withinStack((): Reading => {
    const document = parseDocument(text, { uniqueKeys: true, logLevel: 'silent' });
    const [error] = document.errors;
    if (error !== undefined) return refuse(`it is not one YAML document: ${error.message.split('\n', 1)[0]}`);
    return createReader()(document.contents, 0);
  }, refuse('it nests too deep'));
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
function toName(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  if (typeof key.value === 'string') return key.value;
  return typeof key.value === 'symbol' ? '<<' : key.source;
}

/** Ways to write the edits, the most faithful first. Whether one says what it should is for the caller to read. */
export function* editYaml(text: string, edits: readonly Edit[]): Generator<string> {
  const spliced = spliceScalars(text, edits);
  if (spliced !== undefined) yield spliced;
  const rewrite = (made: readonly Edit[]): string | undefined => {
    const document = parseDocument(text, { logLevel: 'silent' });
    return made.every((edit) => makeEdit(document, edit)) ? write(document, text) : undefined;
  };
  const untouched = rewrite([]);
  const rewritten = rewrite(edits);
  if (untouched === undefined || rewritten === undefined) return;
  // What writing the document anew would change by itself is left as it was.
  const difference = structuredPatch('', '', untouched, rewritten, undefined, undefined, { maxEditLength: MAX_EDIT_LENGTH, context: 3 });
  const merged = difference === undefined ? false : applyPatch(text, difference, { compareLine: (_number, line, _operation, expected) => squeeze(line) === squeeze(expected) });
  if (merged !== false) yield merged;
  yield rewritten;
}

const squeeze = (line: string): string => line.replaceAll(/\s+/g, '');

/** Writes scalars over scalars, where that is all there is to do; every other character stays. */
function spliceScalars(text: string, edits: readonly Edit[]): string | undefined {
  const document = parseDocument(text, { logLevel: 'silent' });
  const splices: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  for (const edit of edits) {
    const node = edit.kind === 'set' ? findNode(document, edit.path) : undefined;
    if (edit.kind !== 'set' || typeof edit.value === 'object' || !isScalar(node) || !isNode(node) || node.range === undefined || node.range === null) return undefined;
    const [start, end] = node.range;
    if (start === end || text.slice(start, end).includes('\n') || node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') return undefined;
    splices.push({ start, end, text: writeScalar(edit.value, node) });
  }
  return splices
    .toSorted((one, other) => other.start - one.start)
    .reduce((edited, splice) => edited.slice(0, splice.start) + splice.text + edited.slice(splice.end), text);
}

function writeScalar(value: string | number | boolean | null, old: Scalar): string {
  if (typeof value !== 'string') return Number.isNaN(value) ? '.nan' : String(value);
  if (old.type === 'QUOTE_SINGLE' && /^[\x20-\x7e]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return old.type !== 'QUOTE_DOUBLE' && isPlain(value) ? value : JSON.stringify(value);
}

// What any reader of any version of YAML takes for text: not `no`, `1e3`, `0x1f`, `12:30:45`, `2026-11-22` or `null`.
const isPlain = (text: string): boolean => /^[A-Za-z_/][\w./@+-]*( [\w./@+-]+)*$/.test(text) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(text);

function findNode(document: Document, path: Edit['path']): unknown {
  let node: unknown = document.contents;
  for (const segment of path) node = isMap(node) ? node.items.find(({ key }) => toName(key) === segment)?.value : isSeq(node) && typeof segment === 'number' ? node.items[segment] : undefined;
  return node;
}

/** False where the way to the place leads through an alias. */
function makeEdit(document: Document, edit: Edit): boolean {
  const segment = edit.path.at(-1);
  if (segment === undefined) {
    if (edit.kind !== 'set') return false;
    document.contents = toNode(document, edit.value);
    return true;
  }
  const parent = findNode(document, edit.path.slice(0, -1));
  if (isSeq(parent) && typeof segment === 'number') {
    if (edit.kind === 'remove') parent.items.splice(segment, 1);
    else if (edit.kind === 'insert') parent.items.splice(segment, 0, toNode(document, edit.value));
    else parent.items[segment] = replaceNode(document, parent.items[segment], edit.kind === 'set' ? edit.value : null);
    return true;
  }
  if (!isMap(parent) || typeof segment !== 'string') return false;
  const index = parent.items.findIndex(({ key }) => toName(key) === segment);
  const pair = parent.items[index];
  if (edit.kind === 'remove') parent.items.splice(index, 1);
  else if (pair === undefined) parent.items.push(document.createPair(toNode(document, segment), toNode(document, edit.value)));
  else pair.value = replaceNode(document, pair.value, edit.value);
  return true;
}

/** The comments of what is replaced stay. */
function replaceNode(document: Document, old: unknown, value: Tree): Node {
  const node = toNode(document, value);
  if (isNode(old)) {
    if (isScalar(node) && typeof node.value === 'string' && isScalar(old) && (old.type === 'QUOTE_SINGLE' || old.type === 'QUOTE_DOUBLE')) node.type = old.type;
    node.comment = old.comment ?? null;
    node.commentBefore = old.commentBefore ?? null;
    if (old.spaceBefore === true) node.spaceBefore = true;
  }
  return node;
}

function toNode(document: Document, tree: Tree): Node {
  const node = document.createNode(toPlain(tree), { aliasDuplicateObjects: false });
  if (!isNode(node)) throw new Error('yaml made no node of a value');
  visit(node, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'string' && !isPlain(scalar.value) && !scalar.value.includes('\n')) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return node;
}

function write(document: Document, text: string): string {
  const indent = /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  const written = document.toString({ lineWidth: 0, indent, indentSeq: !/^( *)[^\s#-].*:[ \t]*(#.*)?\r?\n\1- /m.test(text), flowCollectionPadding: !/[{[]\S/.test(text) });
  const ended = text.endsWith('\n') ? written : written.replace(/\n$/, '');
  return text.includes('\r\n') ? ended.replaceAll(/\r?\n/g, '\r\n') : ended;
}
