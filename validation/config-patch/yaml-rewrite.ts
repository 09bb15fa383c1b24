import { type Document, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { Tree } from './json-tree.js';
import type { Edit } from './tree-edits.js';
import { findNode, findPair, parseYaml, toName, toNode } from './yaml-text.js';

/** Makes the edits and writes the document anew: with its comments and its order, its spacing made even. Undefined where it cannot be written. */
export function rewriteYaml(text: string, edits: readonly Edit[]): string | undefined {
  const document = parseYaml(text);
  if (!edits.every((edit) => makeEdit(document, edit))) return undefined;
  try {
    return write(document, text);
  } catch {
    // An alias whose anchor was taken away, which only shows here.
    return undefined;
  }
}

/** False where the way to the place leads through an alias. */
function makeEdit(document: Document, edit: Edit): boolean {
  const segment = edit.path.at(-1);
  if (segment === undefined) {
    if (edit.kind === 'set') document.contents = toNode(document, edit.value);
    return edit.kind === 'set';
  }
  const parent = findNode(document, edit.path.slice(0, -1));
  if (isSeq(parent) && typeof segment === 'number') {
    if (edit.kind === 'remove') parent.items.splice(segment, 1);
    else if (edit.kind === 'insert') parent.items.splice(segment, 0, ...edit.values.map((value) => toNode(document, value)));
    else parent.items[segment] = replaceNode(document, parent.items[segment], edit.value);
    return true;
  }
  if (!isMap(parent) || edit.kind === 'insert') return false;
  const pair = findPair(parent, segment);
  if (edit.kind === 'remove') parent.items = parent.items.filter(({ key }) => toName(key) !== segment);
  else if (pair === undefined) parent.items.push(document.createPair(toNode(document, segment), toNode(document, edit.value)));
  else pair.value = replaceNode(document, pair.value, edit.value);
  return true;
}

/** The comments of what is replaced stay. */
function replaceNode(document: Document, old: unknown, value: Tree): Node {
  const node = toNode(document, value);
  if (!isNode(old)) return node;
  if (isScalar(node)) node.comment = old.comment ?? null;
  node.commentBefore = old.commentBefore ?? (isScalar(node) ? null : (old.comment ?? null));
  if (old.spaceBefore === true) node.spaceBefore = true;
  return node;
}

function write(document: Document, text: string): string {
  const indent = /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  const written = document.toString({ lineWidth: 0, indent, indentSeq: !hasFlushLists(text), flowCollectionPadding: !/[{[]\S/.test(text) });
  const ended = text.endsWith('\n') ? written : written.replace(/\n$/, '');
  return text.includes('\r\n') ? ended.replaceAll(/\r?\n/g, '\r\n') : ended;
}

/** Whether a list stands right below the key that it belongs to, not further in. */
const hasFlushLists = (text: string): boolean =>
  text.split('\n').some((line, index, lines) => {
    const indent = line.length - line.trimStart().length;
    return /^[^\s#-]/.test(line.slice(indent)) && (lines[index + 1] ?? '').startsWith(`${' '.repeat(indent)}- `);
  });
