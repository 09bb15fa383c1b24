import { type Node, type ParseError, parseTree, printParseErrorCode, visit } from 'jsonc-parser';
import type { Finding } from '../script-validation.js';
import { MAX_DEPTH, type Reading, type Tree, withinStack } from './json-tree.js';

export type JsonDialect = 'json' | 'jsonc';
type Trouble = Pick<Finding, 'position' | 'reason'>;
type Parsed = { readonly ok: true; readonly node: Node; readonly tree: Tree } | { readonly ok: false; readonly trouble: Trouble };

/** Reads JSON, with the place of each value; `jsonc` has comments and trailing commas. A member named twice is refused: readers differ on it. */
export function parseJson(text: string, dialect: JsonDialect): Parsed {
  return withinStack(() => parse(text, dialect), { ok: false, trouble: { position: 0, reason: 'it nests too deep' } });
}

function parse(text: string, dialect: JsonDialect): Parsed {
  const errors: ParseError[] = [];
  const node = parseTree(text, errors, { disallowComments: dialect === 'json', allowTrailingComma: dialect === 'jsonc' });
  const [error] = errors;
  if (error !== undefined) return { ok: false, trouble: { position: error.offset + 1, reason: `it is not ${dialect.toUpperCase()}: ${printParseErrorCode(error.error)}` } };
  if (node === undefined) return { ok: false, trouble: { position: 0, reason: 'it is empty' } };
  const tree = toTree(node, 0);
  return 'reason' in tree ? { ok: false, trouble: tree } : { ok: true, node, tree: tree.tree };
}

export function readJson(text: string, dialect: JsonDialect): Reading {
  const parsed = parseJson(text, dialect);
  return parsed.ok ? { ok: true, tree: parsed.tree } : { ok: false, because: `${parsed.trouble.reason} (character ${parsed.trouble.position})` };
}

function toTree(node: Node, depth: number): { readonly tree: Tree } | Trouble {
  if (depth > MAX_DEPTH) return { position: node.offset + 1, reason: `it nests deeper than ${MAX_DEPTH}` };
  if (node.type === 'array') {
    const elements: Tree[] = [];
    for (const child of node.children ?? []) {
      const element = toTree(child, depth + 1);
      if ('reason' in element) return element;
      elements.push(element.tree);
    }
    return { tree: elements };
  }
  if (node.type === 'object') {
    const members = new Map<string, Tree>();
    for (const property of node.children ?? []) {
      const [key, value] = property.children ?? [];
      if (key === undefined || value === undefined) return { position: property.offset + 1, reason: 'a member has no value' };
      const name = String(key.value);
      if (members.has(name)) return { position: key.offset + 1, reason: `member ${JSON.stringify(name)} is there twice` };
      const member = toTree(value, depth + 1);
      if ('reason' in member) return member;
      members.set(name, member.tree);
    }
    return { tree: members };
  }
  const scalar: string | number | boolean | null = node.value;
  return { tree: scalar };
}

/** Where the first string, or name of a member, is that passes the test once its escapes are read. */
export function findString(text: string, passes: (decoded: string) => boolean): number | undefined {
  let found: number | undefined;
  const look = (value: unknown, offset: number) => {
    if (typeof value === 'string' && passes(value)) found ??= offset;
  };
  visit(text, { onObjectProperty: look, onLiteralValue: look });
  return found;
}
