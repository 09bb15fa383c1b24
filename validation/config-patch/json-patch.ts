import type { Node } from 'jsonc-parser';
import type { Finding } from '../script-validation.js';
import { parseJson } from './json-text.js';
import { hasInexactNumber, type Tree } from './json-tree.js';

/** A JSON Pointer (RFC 6901), read. */
export type Pointer = readonly string[];

interface At {
  readonly path: Pointer;
  /** Whether an operation before it tested the value that this one changes or takes away. */
  readonly isTested: boolean;
}

/** One operation of a JSON Patch (RFC 6902). */
export type Operation =
  | { readonly op: 'test'; readonly path: Pointer; readonly value: Tree }
  | (At & { readonly op: 'add' | 'replace'; readonly value: Tree })
  | (At & { readonly op: 'remove' })
  | (At & { readonly op: 'move' | 'copy'; readonly from: Pointer; readonly isFromTested: boolean });

/** An operation with where it stands in the patch, the first character being 1. */
export interface PlacedOperation {
  readonly operation: Operation;
  readonly position: number;
}

export type PatchReading = { readonly ok: true; readonly operations: readonly PlacedOperation[] } | { readonly ok: false; readonly finding: Finding };

const MAX_OPERATIONS = 100;
const names = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

const refuse = (rule: string, position: number, reason: string, remedy: string): { readonly ok: false; readonly finding: Finding } => ({
  ok: false,
  finding: { rule, position, reason, remedy },
});

/** Reads a JSON Patch. Members of an operation that RFC 6902 does not name are ignored, as it says. */
export function readPatch(text: string): PatchReading {
  const parsed = parseJson(text, 'json');
  if (!parsed.ok) return refuse('patch.syntax', parsed.trouble.position, parsed.trouble.reason, 'Write a JSON array of operations.');
  const { children = [], type, offset } = parsed.node;
  if (type !== 'array' || children.length > MAX_OPERATIONS || !Array.isArray(parsed.tree)) {
    return refuse('patch.operations', offset + 1, 'it is not an array of operations', `Write a JSON array of at most ${MAX_OPERATIONS} operations.`);
  }
  const operations: PlacedOperation[] = [];
  let tested: readonly Pointer[] = [];
  for (const [index, node] of children.entries()) {
    const read = readOperation(node, parsed.tree[index], tested);
    if (!read.ok) return read;
    operations.push({ operation: read.operation, position: node.offset + 1 });
    tested = stillTested(tested, read.operation);
  }
  return { ok: true, operations };
}

type OperationReading = { readonly ok: true; readonly operation: Operation } | { readonly ok: false; readonly finding: Finding };

function readOperation(node: Node, tree: Tree, tested: readonly Pointer[]): OperationReading {
  const position = node.offset + 1;
  const members = tree instanceof Map ? tree : new Map<string, Tree>();
  const op = members.get('op');
  if (typeof op !== 'string' || !names.includes(op)) return refuse('patch.operation', position, 'it is not an operation', `Write an object whose op is one of: ${names.join(', ')}.`);
  const path = readPointer(members.get('path'));
  if (path === undefined) return refuse('patch.pointer', position, 'path is not a JSON Pointer', pointerRemedy);
  const isTested = tested.some((pointer) => isAtOrBelow(path, pointer));
  switch (op) {
    case 'remove':
      return { ok: true, operation: { op, path, isTested } };
    case 'move':
    case 'copy': {
      const from = readPointer(members.get('from'));
      if (from === undefined) return refuse('patch.pointer', position, 'from is not a JSON Pointer', pointerRemedy);
      return { ok: true, operation: { op, path, from, isTested, isFromTested: tested.some((pointer) => isAtOrBelow(from, pointer)) } };
    }
    default: {
      const value = members.get('value');
      if (value === undefined) return refuse('patch.value', position, `${op} has no value`, 'Give it a value; null is one, too.');
      if (hasInexactNumber(value)) return refuse('patch.value', position, 'a number is too large to be kept exactly', 'Write it as text, or edit the file by hand.');
      return { ok: true, operation: op === 'test' ? { op, path, value } : { op: op === 'add' ? 'add' : 'replace', path, value, isTested } };
    }
  }
}

const pointerRemedy = 'Write "" for the whole, or "/member/0"; a "/" in a name is "~1", a "~" is "~0".';

function readPointer(text: Tree | undefined): Pointer | undefined {
  if (typeof text !== 'string' || /~(?![01])/.test(text) || (text !== '' && !text.startsWith('/'))) return undefined;
  return text.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export const writePointer = (pointer: Pointer): string => pointer.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export const isAtOrBelow = (pointer: Pointer, above: Pointer): boolean => above.every((token, index) => pointer[index] === token);

/** What was tested and is still there after the operation, at the same place. */
function stillTested(tested: readonly Pointer[], operation: Operation): readonly Pointer[] {
  switch (operation.op) {
    case 'test':
      return [...tested, operation.path];
    case 'replace':
      return tested.filter((pointer) => !isAtOrBelow(pointer, operation.path));
    case 'add':
    case 'remove':
    case 'copy':
      return tested.filter((pointer) => !isMovedBy(pointer, operation.path));
    case 'move':
      return tested.filter((pointer) => !isMovedBy(pointer, operation.from) && !isMovedBy(pointer, operation.path));
  }
}

/** Whether something added or taken away there may have changed what a pointer means: an element moves all that come after it. */
function isMovedBy(pointer: Pointer, place: Pointer): boolean {
  const last = place.at(-1) ?? '';
  const isElement = last === '-' || /^\d+$/.test(last);
  return isElement ? pointer.length >= place.length && isAtOrBelow(pointer, place.slice(0, -1)) : isAtOrBelow(pointer, place);
}
