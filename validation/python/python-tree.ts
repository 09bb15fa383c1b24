/** One node of Python's own tree: its class, where its text begins and ends (characters, from 1; 0 where it has no place), and its fields by their names in Python. */
export interface PythonNode {
  readonly kind: string;
  readonly at: number;
  readonly end: number;
  readonly fields: Readonly<Record<string, PythonField>>;
}

export type PythonField = PythonNode | readonly PythonField[] | string | number | boolean | null;

/** Python's own parser. It never rejects: what cannot be read is an answer, and `isSyntax` tells whether the text is the reason. */
export type ParsePython = (
  text: string,
) => Promise<{ readonly ok: true; readonly tree: PythonNode } | { readonly ok: false; readonly because: string; readonly position: number; readonly isSyntax: boolean }>;

const isList = (field: PythonField | undefined): field is readonly PythonField[] => Array.isArray(field);

const isNode = (field: PythonField | undefined): field is PythonNode => typeof field === 'object' && field !== null && !isList(field);

/** The node in a field, where there is one. */
export function one(node: PythonNode | undefined, field: string): PythonNode | undefined {
  const value = node?.fields[field];
  return isNode(value) ? value : undefined;
}

/** The nodes in a field. A missing one, as the key of `**` in a dictionary, is left out. */
export function many(node: PythonNode | undefined, field: string): readonly PythonNode[] {
  const value = node?.fields[field];
  return isList(value) ? value.filter(isNode) : [];
}

/** The text in a field: a name, or a constant. */
export function word(node: PythonNode | undefined, field: string): string | undefined {
  const value = node?.fields[field];
  return typeof value === 'string' ? value : undefined;
}

/** The texts in a field. */
export function words(node: PythonNode, field: string): readonly string[] {
  const value = node.fields[field];
  return isList(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** Every node right below, with the field that it is in. */
export const below = (node: PythonNode): readonly (readonly [string, PythonNode])[] =>
  Object.entries(node.fields).flatMap(([field, value]) => (isList(value) ? value : [value]).filter(isNode).map((child) => [field, child] as const));

/** A constant text, also of bytes. */
export function toText(node: PythonNode | undefined): string | undefined {
  const isTextual = node?.kind === 'Constant' && (node.fields['type'] === 'str' || node.fields['type'] === 'bytes');
  return isTextual ? word(node, 'value') : undefined;
}

/** A node and all below it, in the order of the text; parents come first. */
export function* everyNode(node: PythonNode): Generator<PythonNode> {
  yield node;
  for (const [, child] of below(node)) yield* everyNode(child);
}
