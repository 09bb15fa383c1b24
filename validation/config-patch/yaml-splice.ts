import { Document, isCollection, isMap, isNode, isScalar, isSeq, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Tree } from './json-tree.js';
import { makeSplices, type Splice } from './splices.js';
import { type Edit, toWritten } from './tree-edits.js';
import { findNode, findPair, parseYaml, toNode } from './yaml-text.js';

/** Makes the edits and leaves every other character as it is. Undefined for text that is not laid out plainly enough. */
export function spliceYaml(text: string, edits: readonly Edit[]): string | undefined {
  const document = parseYaml(text);
  const layout = readLayout(text);
  const splices: Splice[] = [];
  for (const edit of edits) {
    const splice = toSplice(document, layout, edit);
    if (splice === undefined) return undefined;
    splices.push(splice);
  }
  return makeSplices(text, splices);
}

type Layout = ReturnType<typeof readLayout>;

function readLayout(text: string) {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  const render = (value: Tree, collectionStyle: 'block' | 'flow'): string => {
    const document = new Document();
    document.contents = toNode(document, value);
    return document.toString({ lineWidth: 0, indent, collectionStyle, flowCollectionPadding: false }).trimEnd();
  };
  return {
    text,
    startOfLine: (at: number): number => text.lastIndexOf('\n', at - 1) + 1,
    /** After the line that `at` is in, or ends. */
    endOfLine: (at: number): number => {
      const end = text[at - 1] === '\n' ? at - 1 : text.indexOf('\n', at);
      return end < 0 ? text.length : end + 1;
    },
    renderFlow: (value: Tree): string => render(value, 'flow'),
    /** As lines of their own, each ended. */
    renderLines: (value: Tree, column: number, at: number): string => {
      const lines = render(value, 'block').split('\n').map((line) => `${line === '' ? '' : ' '.repeat(column)}${line}${newline}`).join('');
      return at > 0 && text[at - 1] !== '\n' ? `${newline}${lines.slice(0, -newline.length)}` : lines;
    },
  };
}

function toSplice(document: Document, layout: Layout, edit: Edit): Splice | undefined {
  const segment = edit.path.at(-1);
  const parent = findNode(document, edit.path.slice(0, -1));
  if (segment === undefined || !isCollection(parent)) return undefined;
  const old = findNode(document, edit.path);
  if (edit.kind === 'set') {
    const scalar = isScalar(old) ? replaceScalar(layout, old, edit.value) : undefined;
    if (scalar !== undefined) return scalar;
  }
  if (parent.flow === true) return spliceFlow(layout, parent, edit, segment);
  if (isMap(parent)) return spliceMap(layout, parent, edit, String(segment));
  return isSeq(parent) && typeof segment === 'number' ? spliceSequence(layout, parent, edit, segment) : undefined;
}

/** Writes a scalar over a scalar of one line, between the same quotes. */
function replaceScalar({ text, renderFlow }: Layout, old: Scalar, value: Tree): Splice | undefined {
  const [start, end] = old.range ?? [0, 0];
  if (typeof value === 'object' && value !== null) return undefined;
  if (start === end || text.slice(start, end).includes('\n') || old.type === 'BLOCK_LITERAL' || old.type === 'BLOCK_FOLDED') return undefined;
  if (typeof value !== 'string') return { start, end, text: renderFlow(value) };
  if (old.type === 'QUOTE_SINGLE' && /^[\x20-\x7e]*$/.test(value)) return { start, end, text: `'${value.replaceAll("'", "''")}'` };
  const plain = renderFlow(value);
  return { start, end, text: old.type === 'QUOTE_DOUBLE' || plain.includes('\n') ? JSON.stringify(value) : plain };
}

function spliceMap(layout: Layout, map: YAMLMap, edit: Edit, name: string): Splice | undefined {
  const { renderLines } = layout;
  if (edit.kind === 'insert') return undefined;
  const pair = edit.kind === 'add' ? map.items.at(-1) : findPair(map, name);
  const lines = pair && readLines(layout, startOfPair(map.items[0]), startOfPair(pair), endOf(pair.value) ?? endOf(pair.key));
  if (lines === undefined) return undefined;
  const { start, end, column } = lines;
  if (edit.kind === 'add') return { start: end, end, text: renderLines(new Map([[name, edit.value]]), column, end) };
  // What is written anew would lose its comments.
  if (edit.kind === 'set' && layout.text.slice(start, end).includes('#')) return undefined;
  return { start, end, text: edit.kind === 'remove' ? '' : renderLines(new Map([[name, edit.value]]), column, start) };
}

function spliceSequence(layout: Layout, sequence: YAMLSeq, edit: Edit, index: number): Splice | undefined {
  const { text, renderLines } = layout;
  const dash = sequence.range?.[0];
  if (edit.kind === 'add' || dash === undefined) return undefined;
  const readElement = (element: unknown) => {
    const at = isNode(element) ? element.range?.[0] : undefined;
    const column = dash - layout.startOfLine(dash);
    const before = at === undefined ? -1 : text.lastIndexOf(`\n${' '.repeat(column)}-`, at);
    return at === undefined ? undefined : readLines(layout, dash, Math.max(before + 1 + column, dash), endOf(element));
  };
  if (edit.kind === 'insert') {
    const lines = readElement(sequence.items[Math.max(index - 1, 0)]);
    const at = index === 0 ? lines?.start : lines?.end;
    return lines && at !== undefined ? { start: at, end: at, text: renderLines(edit.values, lines.column, at) } : undefined;
  }
  const lines = readElement(sequence.items[index]);
  if (edit.kind === 'set' && text.slice(lines?.start, lines?.end).includes('#')) return undefined;
  return lines && { start: lines.start, end: lines.end, text: edit.kind === 'remove' ? '' : renderLines([edit.value], lines.column, lines.start) };
}

/** The lines that an element of a block has to itself; undefined where it begins behind something else. */
function readLines({ text, startOfLine, endOfLine }: Layout, first: number | undefined, at: number | undefined, end: number | undefined) {
  if (first === undefined || at === undefined || end === undefined) return undefined;
  const start = startOfLine(at);
  const column = at - start;
  // All elements of a block stand in one column; the first may stand behind a dash.
  if (text.slice(start, at).trim() !== '' || column !== first - startOfLine(first)) return undefined;
  return { start, end: endOfLine(end), column };
}

function spliceFlow({ text, renderFlow }: Layout, parent: YAMLMap | YAMLSeq, edit: Edit, segment: string | number): Splice | undefined {
  const elements: readonly unknown[] = parent.items;
  const index = isMap(parent) ? parent.items.findIndex((pair) => pair === findPair(parent, segment)) : Number(segment);
  const startAt = (element: unknown) => (isMap(parent) ? startOfPair(element) : isNode(element) ? element.range?.[0] : undefined);
  const endAt = (element: unknown) => (isPair(element) ? (endOf(element.value) ?? endOf(element.key)) : endOf(element));
  const write = (value: Tree) => (isMap(parent) ? renderFlow(new Map([[String(segment), value]])).slice(1, -1).trim() : renderFlow(value));
  if (edit.kind === 'add' || (edit.kind === 'insert' && index >= elements.length)) {
    const at = endAt(elements.at(-1));
    return at === undefined ? undefined : { start: at, end: at, text: toWritten(edit).map((value) => `, ${write(value)}`).join('') };
  }
  const start = startAt(elements[index]);
  const end = endAt(elements[index]);
  if (start === undefined || end === undefined) return undefined;
  if (edit.kind === 'insert') return { start, end: start, text: edit.values.map((value) => `${write(value)}, `).join('') };
  if (edit.kind === 'set') return { start, end, text: write(edit.value) };
  const next = startAt(elements[index + 1]);
  const removed = next === undefined ? { start: endAt(elements[index - 1]) ?? start, end } : { start, end: next };
  return text.slice(removed.start, removed.end).includes('#') ? undefined : { ...removed, text: '' };
}

const isPair = (element: unknown): element is Pair => typeof element === 'object' && element !== null && 'key' in element && 'value' in element;
const startOfPair = (pair: unknown): number | undefined => (isPair(pair) && isNode(pair.key) ? pair.key.range?.[0] : undefined);

/** Where the last thing that belongs to a node ends: not the comments and empty lines after it. */
function endOf(node: unknown): number | undefined {
  if (isCollection(node) && node.flow !== true) {
    const last: unknown = node.items.at(-1);
    return isPair(last) ? (endOf(last.value) ?? endOf(last.key)) : endOf(last);
  }
  return isNode(node) ? node.range?.[1] : undefined;
}
