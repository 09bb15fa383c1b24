import type { Function as FunctionNode, ParsedScript, Word as WordNode, WordPart } from 'unbash';
import type { Expansion } from './expand-word.js';
import { deny, type Notes } from './notes.js';
import type { Input } from './program-rule.js';
import { FOLDER, merge, oneOf, type Value, type Variables } from './variables.js';

/** What one judgement of a script keeps in common, however deep it goes. */
export interface Shared {
  readonly notes: Notes;
  /** What else reads these texts after the walk: the second parser, the rules of SQL, of manifests. */
  readonly texts: { readonly text: string; readonly position: number }[];
  readonly sql: { readonly text: string; readonly position: number }[];
  readonly manifests: { readonly text: string; readonly position: number }[];
  /** Everything that a variable was ever set to, for what runs at a time that nobody knows. */
  readonly everSet: Variables;
  readonly later: (() => void)[];
  budget: number;
}

/** Where the walk is: what is known there, and what surrounds it. */
export interface Scope {
  readonly shared: Shared;
  readonly variables: Variables;
  readonly functions: Map<string, FunctionNode>;
  readonly called: Set<string>;
  readonly calling: readonly string[];
  readonly input: Input;
  readonly loops: number;
  readonly depth: number;
  /** Where an offset of the tree lies in the text that people read. */
  readonly positionOf: (offset: number) => number;
}

const MOST_COMMANDS = 6000;

export const foldersOf = (scope: Scope): readonly string[] => (scope.variables.get(FOLDER) ?? oneOf([''])).texts;

/** The same place, with variables of its own. */
export const fork = (scope: Scope, more: Partial<Scope> = {}): Scope => ({ ...scope, variables: new Map(scope.variables), ...more });

/** Walks each way from the same start and goes on from where they meet; `mayNone` where none of them may be taken. */
export function walkWays(scope: Scope, ways: readonly ((scope: Scope) => void)[], mayNone: boolean): void {
  const ends = ways.map((way) => {
    const forked = fork(scope);
    way(forked);
    return forked.variables;
  });
  const [first, ...others] = ends;
  if (first === undefined) return;
  if (mayNone) return merge(scope.variables, ends);
  merge(first, others);
  scope.variables.clear();
  for (const [name, value] of first) scope.variables.set(name, value);
}

export function setVariable(scope: Scope, name: string, value: Value): void {
  scope.variables.set(name, value);
  const before = scope.shared.everSet.get(name);
  const all = oneOf([...(before?.texts ?? []), ...value.texts]);
  scope.shared.everSet.set(name, value.isList ? { texts: all.texts, isList: true } : all);
}

/** Counts one command; too many are more than anybody would read. */
export function spend(scope: Scope, position: number): boolean {
  scope.shared.budget += 1;
  if (scope.shared.budget <= MOST_COMMANDS) return true;
  if (scope.shared.budget === MOST_COMMANDS + 1) scope.shared.notes.add(position, deny('size', 'it comes to more commands than are inspected', 'Write several shorter steps.'));
  return false;
}

/** What judging a word needs of the rest of the walk. */
export interface Walker {
  readonly substitute: (script: ParsedScript | undefined, offset: number, scope: Scope) => string;
  readonly judgeArithmetic: (part: WordPart, scope: Scope) => void;
  readonly judgeIndex: (index: WordNode, scope: Scope) => void;
}

export const expansionOf = (scope: Scope, walker: Walker): Expansion => ({
  variables: scope.variables,
  positionOf: scope.positionOf,
  object: (position, objection) => scope.shared.notes.add(position, objection),
  substitute: (script, offset) => walker.substitute(script, offset, scope),
  judgeArithmetic: (part) => walker.judgeArithmetic(part, scope),
  judgeIndex: (index) => walker.judgeIndex(index, scope),
});
