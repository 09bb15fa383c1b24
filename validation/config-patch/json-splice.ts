import { createScanner, findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { toPlain, type Tree } from './json-tree.js';
import { makeSplices, type Splice } from './splices.js';
import type { Edit } from './tree-edits.js';

interface ContainerChange {
  readonly removed: Set<number>;
  readonly appended: (readonly [name: string, value: Tree])[];
}

/** Makes the edits and leaves every other character as it is, comments included. */
export function spliceJson(text: string, edits: readonly Edit[]): string | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root === undefined) return undefined;
  const layout = readLayout(text);
  const splices: Splice[] = [];
  const changes = new Map<Node, ContainerChange>();
  for (const edit of edits) {
    const { path } = edit;
    const segment = path.at(-1);
    const node = edit.kind === 'add' ? undefined : findNodeAtLocation(root, [...path]);
    if (edit.kind === 'set' && node !== undefined) splices.push(toSplice(node, layout.render(edit.value, toPlaced(node))));
    else {
      const container = findNodeAtLocation(root, path.slice(0, -1));
      if (container === undefined || segment === undefined) return undefined;
      const change = changes.get(container) ?? { removed: new Set<number>(), appended: [] };
      changes.set(container, change);
      if (edit.kind === 'remove' && node !== undefined) change.removed.add(container.children?.indexOf(toPlaced(node)) ?? -1);
      else if (edit.kind === 'insert' && node !== undefined) splices.push(insertBefore(layout, node, edit.values));
      else if (edit.kind === 'insert') change.appended.push(...edit.values.map((value) => ['', value] as const));
      else if (edit.kind === 'add') change.appended.push([String(segment), edit.value]);
    }
  }
  for (const [container, change] of changes) splices.push(...spliceContainer(layout, container, change));
  return makeSplices(text, splices);
}

type Layout = ReturnType<typeof readLayout>;

function readLayout(text: string) {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const unit = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  const startOfLine = (at: number): number => text.lastIndexOf('\n', at - 1) + 1;
  const indentAt = (at: number): string => /^[ \t]*/.exec(text.slice(startOfLine(at), at))?.[0] ?? '';
  /** Whether a member or element begins a line. */
  const isOnLine = ({ offset }: Node): boolean => startOfLine(offset) > 0 && indentAt(offset).length === offset - startOfLine(offset);
  return {
    text,
    newline,
    startOfLine,
    indentAt,
    isOnLine,
    /** In lines where what stands there is in lines; else in one. */
    render: (value: Tree, place: Node): string => {
      const isInLines = isOnLine(place) || (place.parent === undefined && text.includes('\n'));
      return isInLines ? JSON.stringify(toPlain(value), null, unit).replaceAll('\n', `${newline}${indentAt(place.offset)}`) : JSON.stringify(toPlain(value));
    },
    /** Where the next thing after `at` begins that is no white space and no comment. */
    nextToken: (at: number): number => {
      const scanner = createScanner(text, true);
      scanner.setPosition(at);
      scanner.scan();
      return scanner.getTokenOffset();
    },
    endOfLine: (at: number): number => {
      const end = text.indexOf(newline, at);
      return end < 0 ? text.length : end;
    },
  };
}

const endOf = ({ offset, length }: Node): number => offset + length;
const toSplice = (node: Node, text: string): Splice => ({ start: node.offset, end: endOf(node), text });
/** A value with its name, where it has one. */
const toPlaced = (node: Node): Node => (node.parent?.type === 'property' ? node.parent : node);

function commaAfter({ text, nextToken }: Layout, node: Node): number | undefined {
  const offset = nextToken(endOf(node));
  return text[offset] === ',' ? offset : undefined;
}

function insertBefore(layout: Layout, node: Node, values: readonly Tree[]): Splice {
  const separator = layout.isOnLine(node) ? `,${layout.newline}${layout.indentAt(node.offset)}` : ', ';
  return { start: node.offset, end: node.offset, text: values.map((value) => layout.render(value, node) + separator).join('') };
}

function spliceContainer(layout: Layout, container: Node, { removed, appended }: ContainerChange): readonly Splice[] {
  const children = container.children ?? [];
  const lastKept = children.findLast((_child, index) => !removed.has(index));
  const last = children.at(-1);
  if (lastKept === undefined || last === undefined) {
    if (appended.length === 0) return [{ start: container.offset + 1, end: endOf(container) - 1, text: '' }];
    return [toSplice(container, layout.render(container.type === 'array' ? appended.map(([, value]) => value) : new Map(appended), toPlaced(container)))];
  }
  const cuts = children.filter((_child, index) => removed.has(index)).map((child) => cut(layout, child, child.offset > lastKept.offset));
  const comma = commaAfter(layout, lastKept);
  const endsInComma = commaAfter(layout, last) !== undefined;
  if (appended.length > 0) return [...cuts, ...append(layout, container, lastKept, { comma, endsInComma, appended })];
  return lastKept === last || comma === undefined || endsInComma ? cuts : [...cuts, { start: comma, end: comma + 1, text: '' }];
}

/** Takes away a member or element with the comma after it, and with its lines where it has them to itself; in one line with the space after it, or before where nothing is kept behind. */
function cut(layout: Layout, child: Node, isBehind: boolean): Splice {
  const { text, newline } = layout;
  const comma = commaAfter(layout, child);
  const end = comma === undefined ? endOf(child) : comma + 1;
  const endOfLine = layout.endOfLine(end);
  if (layout.isOnLine(child) && layout.nextToken(end) > endOfLine) return { start: layout.startOfLine(child.offset), end: endOfLine + newline.length, text: '' };
  const before = text.slice(layout.startOfLine(child.offset), child.offset);
  if (isBehind) return { start: child.offset - (before.length - before.trimEnd().length), end, text: '' };
  return { start: child.offset, end: end + (/^[ \t]*/.exec(text.slice(end))?.[0].length ?? 0), text: '' };
}

function append(
  layout: Layout,
  container: Node,
  after: Node,
  { comma, endsInComma, appended }: { readonly comma: number | undefined; readonly endsInComma: boolean; readonly appended: ContainerChange['appended'] },
): readonly Splice[] {
  const isOnLine = layout.isOnLine(after);
  const at = comma === undefined ? endOf(after) : comma + 1;
  const endOfLine = layout.endOfLine(at);
  // A comment behind the last one stays behind it.
  const place = isOnLine && layout.nextToken(at) > endOfLine ? endOfLine : at;
  const separator = isOnLine ? `${layout.newline}${layout.indentAt(after.offset)}` : ' ';
  const written = appended.map(([name, value]) => separator + (container.type === 'array' ? '' : `${JSON.stringify(name)}: `) + layout.render(value, after));
  return [
    ...(comma === undefined ? [{ start: at, end: at, text: ',' }] : []),
    { start: place, end: place, text: written.join(',') + (endsInComma ? ',' : '') },
  ];
}
