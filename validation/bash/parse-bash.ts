import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getProcessor } from 'sh-syntax';
import { forEachChild, parse, type ParsedScript, type SyntaxNode } from 'unbash';
import { deny, type Objection } from './notes.js';

// Node has it; the compiler's settings do not know it.
declare const WebAssembly: { readonly compile: (bytes: Uint8Array) => Promise<object>; readonly instantiate: (module: object, imports: object) => Promise<{ readonly exports: object }> };

const MOST_NODES = 20_000;
const MOST_DEPTH = 60;

// The package compiles its parser anew for every text, which takes most of the time; compiled once, an instance each.
const secondParser = getProcessor(async (imports: object) => WebAssembly.instantiate(await compiled(), imports));
let compiling: Promise<object> | undefined;
const compiled = (): Promise<object> => (compiling ??= WebAssembly.compile(readFileSync(createRequire(import.meta.url).resolve('sh-syntax/main.wasm'))));

/** A tree whose every part was understood, or why there is none. */
export type BashTree = { readonly ok: true; readonly script: ParsedScript } | { readonly ok: false; readonly position: number; readonly objection: Objection };

/** Reads a text as bash does, whole or not at all. */
export function readTree(text: string): BashTree {
  const script = parse(text);
  let nodes = 0;
  let trouble: { readonly position: number; readonly objection: Objection } | undefined;
  const visit = (node: SyntaxNode, depth: number): void => {
    nodes += 1;
    if (nodes > MOST_NODES || depth > MOST_DEPTH) {
      trouble ??= { position: node.pos + 1, objection: deny('size', 'it is larger or nested deeper than what is inspected', 'Write several shorter steps.') };
      return;
    }
    const error = 'errors' in node ? node.errors?.[0] : undefined;
    if (error !== undefined) trouble ??= { position: error.pos + 1, objection: deny('syntax', `bash would not read it: ${error.message}`, 'Write it so that `bash -n` accepts it.') };
    if (trouble === undefined) forEachChild(node, (child) => visit(child, depth + 1));
  };
  visit(script, 0);
  return trouble === undefined ? { ok: true, script } : { ok: false, ...trouble };
}

/** What the second parser has against the text; the two must agree that it is bash. */
export async function secondOpinion(text: string): Promise<Objection | undefined> {
  try {
    await secondParser(text);
    return undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return deny('syntax', `a second parser does not read it as bash: ${said.slice(0, 120)}`, 'Write it more plainly, so that every reader understands the same.');
  }
}
