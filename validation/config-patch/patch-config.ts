import { applyOperation, find } from './apply-operation.js';
import { type Operation, type Pointer, writePointer } from './json-patch.js';
import { spliceJson } from './json-splice.js';
import { readJson } from './json-text.js';
import { hasInexactNumber, isEqual, isMembers, type Reading, type Tree, weigh, withinStack } from './json-tree.js';
import { toEdits, toWritten } from './tree-edits.js';
import { rewriteYaml } from './yaml-rewrite.js';
import { spliceYaml } from './yaml-splice.js';
import { readYaml } from './yaml-text.js';

export type ConfigFormat = 'json' | 'jsonc' | 'yaml';

/** The most that a configuration file may hold, in bytes. */
export const MAX_CONFIG_BYTES = 1_048_576;
// YAML takes many times as long to read.
const MAX_YAML_BYTES = 262_144;
// What people still read, and what is still quick to make.
const MAX_EDITS = 1_000;
const BOM = '\ufeff';

export type Patched = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly because: string };

/** The format that a file's name tells; undefined for one that cannot be patched. */
export function toConfigFormat(path: string): ConfigFormat | undefined {
  const [, ending] = /\.(json|jsonc|yaml|yml)$/i.exec(path) ?? [];
  const known: Readonly<Record<string, ConfigFormat>> = { json: 'json', jsonc: 'jsonc', yaml: 'yaml', yml: 'yaml' };
  return ending === undefined ? undefined : known[ending.toLowerCase()];
}

/** What a configuration says; or why it cannot be told. */
export function readConfig(text: string, format: ConfigFormat): Reading {
  const bytes = new TextEncoder().encode(text).length;
  const most = format === 'yaml' ? MAX_YAML_BYTES : MAX_CONFIG_BYTES;
  if (bytes > most) return { ok: false, because: `it has ${bytes} bytes, and ${format.toUpperCase()} is read up to ${most}` };
  return format === 'yaml' ? readYaml(withoutBom(text)) : readJson(withoutBom(text), format);
}

/**
 * A configuration after a patch, with its comments, its order and its formatting.
 * First it is decided what it must say; then the text is edited until it says that and nothing else.
 */
export function patchConfig(text: string, format: ConfigFormat, operations: readonly Operation[]): Patched {
  const before = readConfig(text, format);
  if (!before.ok) return before;
  return withinStack((): Patched => {
    let after = before.tree;
    let copied = 0;
    for (const operation of operations) {
      const { op, path } = operation;
      if ((op === 'add' || op === 'copy' || op === 'move') && !operation.isTested && isMemberThere(after, path)) {
        return { ok: false, because: `${op}: "${writePointer(path)}" is there already, and no test says what it is` };
      }
      const result = applyOperation(after, operation);
      if (!result.ok) return result;
      after = result.tree;
      // Copies of copies grow beyond any bound.
      if (op === 'copy') copied += weigh(find(after, operation.from) ?? null, MAX_CONFIG_BYTES);
      if (copied > MAX_CONFIG_BYTES) return { ok: false, because: 'it would grow too large' };
    }
    const edits = toEdits(before.tree, after);
    if (edits.length > MAX_EDITS) return { ok: false, because: `it changes ${edits.length} places, more than ${MAX_EDITS}` };
    if (edits.flatMap(toWritten).some(hasInexactNumber)) return { ok: false, because: 'a number that it moves is too large to be kept exactly' };
    const bare = withoutBom(text);
    // The most faithful way first; whichever it is, what counts is what is read from it.
    for (const write of format === 'yaml' ? [spliceYaml, rewriteYaml] : [spliceJson]) {
      const edited = write(bare, edits);
      const reread = edited === undefined ? undefined : readConfig(edited, format);
      if (edited !== undefined && reread?.ok === true && isEqual(reread.tree, after)) return { ok: true, text: text.startsWith(BOM) ? `${BOM}${edited}` : edited };
    }
    return { ok: false, because: 'the change cannot be written without changing something else (an anchor that is used elsewhere, perhaps); edit the file by hand' };
  }, tooDeep);
}

const tooDeep = { ok: false, because: 'it nests too deep' } as const;

/** A list takes one more element; a member would be replaced. */
function isMemberThere(tree: Tree, path: Pointer): boolean {
  const parent = find(tree, path.slice(0, -1));
  return path.length === 0 || (parent !== undefined && isMembers(parent) && parent.has(path.at(-1) ?? ''));
}

const withoutBom = (text: string): string => (text.startsWith(BOM) ? text.slice(1) : text);
