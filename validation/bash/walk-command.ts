import type { Assignment, AndOr, Command, CommandNode, Pipeline, Redirection, Word as WordNode } from 'unbash';
import { assignmentTrouble, type Setting } from './assignments.js';
import { expandText, expandWord } from './expand-word.js';
import { judgeCommand, programOf } from './judge-command.js';
import { deny } from './notes.js';
import { judgePath } from './paths.js';
import type { Call, Input } from './program-rule.js';
import { programs } from './programs/programs.js';
import { expansionOf, foldersOf, setVariable, spend, type Scope, type Walker } from './scope.js';
import { isBuiltin, runBuiltin } from './shell-builtins.js';
import { isKnown, CRAFTED, NUMBER, OUTSIDE, shown, wordOf, type Word } from './words.js';
import { FOLDER, oneOf, type Value } from './variables.js';

/** How a command goes on into what it runs. */
export interface Onward {
  readonly walkNode: (node: CommandNode | Pipeline | AndOr, scope: Scope) => void;
  readonly walkText: (text: string, position: number, scope: Scope) => void;
}

const MOST_WAYS = 48;
// Letters of people's languages and the marks of prose; what only looks like another character is none of these.
const strange = /[^ -~\t\n\uE000-\uE003]/;
const prose = /^(?=.*\s)[ -~\t\n\uE000-\uE003\u00c0-\u024f–—…“”„’°✓✔✗→]*$/s;

/** Judges one simple command: its assignments, its redirections, and what it runs. */
export function walkCommand(node: Command, scope: Scope, walker: Walker, onward: Onward): void {
  const input = walkRedirections(node.redirects, scope, walker);
  const assignments = node.prefix.filter((each) => each.type === 'Assignment');
  const words: WordNode[] = node.name === undefined ? [] : [node.name];
  const declared: Assignment[] = [];
  for (const each of node.args) if (each.type === 'Word') words.push(each);
  else declared.push(each);
  const name = node.name?.value ?? '';
  for (const each of assignments) assign(each, node.name === undefined ? 'plain' : name === 'read' ? 'read' : 'prefix', scope, walker);

  let ways: readonly (readonly Word[])[] = [[]];
  for (const word of words) {
    const endings = expandWord(word, expansionOf(scope, walker));
    ways = ways.flatMap((way) => endings.map((ending) => [...way, ...ending]));
    if (ways.length > MOST_WAYS) {
      scope.shared.notes.add(scope.positionOf(node.pos), deny('manyValues', 'it can come to more different commands than are inspected', 'Write fewer values.'));
      return;
    }
  }
  const setting: Setting = name === 'export' || (/^(declare|typeset|local)$/.test(name) && words.some((word) => /^-\w*x/.test(word.value))) ? 'export' : 'plain';
  for (const each of declared) assign(each, setting, scope, walker);
  for (const way of ways) walkWords(way, { ...scope, input }, walker, onward, declared.map((each) => each.name));
}

function walkWords(way: readonly Word[], scope: Scope, walker: Walker, onward: Onward, declared: readonly string[]): void {
  const [program, ...words] = way;
  if (program === undefined) return;
  if (!spend(scope, program.position)) return;
  const object: Call['object'] = (position, objection) => scope.shared.notes.add(position, objection);
  const name = isKnown(program.text) && !program.isPattern ? program.text : '';
  if (name !== 'echo' && name !== 'printf' && name !== 'logger') {
    const odd = way.find((word) => strange.test(word.text) && !prose.test(word.text));
    if (odd !== undefined) return object(odd.position, deny('lookalike', `${shown(odd.text)} holds a character that looks like another`, 'Write plain letters.'));
  }
  const body = scope.functions.get(name);
  if (body !== undefined) {
    if (scope.calling.includes(name)) return object(program.position, deny('recursion', `${name} calls itself`, 'Write a loop that ends.'));
    scope.called.add(name);
    const before = new Map([...scope.variables].filter(([each]) => /^[\d@]/.test(each)));
    for (const each of before.keys()) scope.variables.delete(each);
    words.forEach((word, index) => scope.variables.set(String(index + 1), oneOf([word.text])));
    scope.variables.set('@', { texts: words.map((word) => word.text), isList: true });
    onward.walkNode(body.body.type === 'CompoundList' ? { type: 'BraceGroup', pos: body.pos, end: body.end, body: body.body } : body.body, { ...scope, calling: [...scope.calling, name] });
    for (const each of scope.variables.keys()) if (/^[\d@]/.test(each)) scope.variables.delete(each);
    for (const [each, value] of before) scope.variables.set(each, value);
    return;
  }
  const run = (rest: readonly Word[], inner: Scope = scope): void => walkWords(rest, { ...inner, functions: new Map(), depth: inner.depth + 1 }, walker, onward, []);
  const call: Omit<Call, 'program' | 'position'> = {
    input: scope.input,
    folders: foldersOf(scope),
    object,
    run: (rest) => (scope.depth > 12 ? object(program.position, deny('size', 'wrappers are nested too deep', 'Write the command itself.')) : run(rest)),
    // A new shell knows none of the variables that were not exported.
    runText: (text, position) => onward.walkText(text, position, { ...scope, variables: new Map([...scope.variables].filter(([each]) => each === FOLDER)), functions: new Map(), input: { kind: 'none' } }),
    judgeSql: (text, position) => void scope.shared.sql.push({ text, position }),
    judgeManifest: (text, position) => void scope.shared.manifests.push({ text, position }),
  };
  if (isBuiltin(name)) return runBuiltin(name, { ...call, program: name, position: program.position, words, declared, scope, runHere: (rest) => walkWords(rest, scope, walker, onward, []), runTextHere: (text, position, inner) => onward.walkText(text, position, inner) });
  judgeCommand(program, words, call);
}

function assign(node: Assignment, setting: Setting, scope: Scope, walker: Walker): void {
  const position = scope.positionOf(node.pos);
  const expansion = expansionOf(scope, walker);
  const value: Value = node.value.type === 'ArrayValue' ? { texts: node.value.elements.flatMap((element) => expandWord(element, expansion)).flatMap((way) => way.map((word) => word.text)), isList: true } : oneOf(expandText(node.value, expansion));
  if (node.index !== undefined) walker.judgeIndex(node.index, scope);
  const trouble = assignmentTrouble(node.name, value, setting);
  if (trouble !== undefined) scope.shared.notes.add(position, trouble);
  if (setting === 'prefix' || setting === 'read') return;
  const before = scope.variables.get(node.name) ?? oneOf(['']);
  if (node.index !== undefined || (node.append === true && value.isList)) setVariable(scope, node.name, { texts: oneOf([...before.texts, ...value.texts]).texts, isList: true });
  else if (node.append === true) setVariable(scope, node.name, oneOf(before.texts.flatMap((start) => value.texts.map((end) => start + end))));
  else setVariable(scope, node.name, value);
}

/** Judges where input comes from and output goes to; tells what the command reads. */
export function walkRedirections(redirections: readonly Redirection[], scope: Scope, walker: Walker): Input {
  let input = scope.input;
  const expansion = expansionOf(scope, walker);
  for (const each of redirections) {
    const position = scope.positionOf(each.pos);
    if (each.descriptor?.type === 'FileDescriptorVariable' && !/^\w+$/.test(each.descriptor.name)) scope.shared.notes.add(position, deny('nameIsRun', 'an index in this name can run commands', 'Name a plain variable.'));
    else if (each.descriptor?.type === 'FileDescriptorVariable') setVariable(scope, each.descriptor.name, oneOf([NUMBER]));
    if (each.type === 'HereDoc') {
      const texts = each.body.parts === undefined ? [each.body.text] : expandText({ type: 'Word', text: each.body.text, value: each.body.text, pos: each.body.pos, end: each.body.end, parts: each.body.parts }, expansion);
      input = { kind: 'text', text: texts.length === 1 ? (texts[0] ?? '') : CRAFTED };
      continue;
    }
    if (each.target === undefined) continue;
    if (each.type === 'HereString') {
      const texts = expandText(each.target, expansion);
      input = { kind: 'text', text: texts.length === 1 ? (texts[0] ?? '') : CRAFTED };
      continue;
    }
    const isPattern = each.target.parts?.some((part) => part.type === 'Glob') === true;
    for (const text of expandText(each.target, expansion)) {
      if (/^[<>]&$/.test(each.operator) && /^(\d+-?|-)$/.test(text)) continue;
      if (strange.test(text)) scope.shared.notes.add(position, deny('lookalike', `${shown(text)} holds a character that looks like another`, 'Write plain letters.'));
      if (/^\/dev\/(tcp|udp)\//.test(text)) scope.shared.notes.add(position, deny('network', 'it opens a connection to another host', 'Use curl, so that the address can be judged.'));
      else for (const folder of foldersOf(scope)) {
        const trouble = judgePath(each.operator === '<' ? 'read' : 'write', { ...wordOf(text.replace(/^$/, OUTSIDE), position), isPattern }, folder);
        if (trouble !== undefined && !isProcess(each.target)) scope.shared.notes.add(position, trouble);
      }
    }
    if (each.operator === '<' || each.operator === '<>') input = { kind: 'file' };
  }
  return input;
}

const isProcess = (word: WordNode): boolean => word.parts?.length === 1 && word.parts[0]?.type === 'ProcessSubstitution';

/** A function must not take the name of something else, which a reader would believe is run. */
export function judgeFunctionName(word: WordNode, scope: Scope): void {
  const name = word.value;
  const position = scope.positionOf(word.pos);
  if (!/^[A-Za-z_][\w-]*$/.test(name) || word.parts !== undefined) return scope.shared.notes.add(position, deny('functionName', `${shown(name)} is no plain name of a function`, 'Call it by letters.'));
  const program = programOf(wordOf(name, position)) ?? name;
  if (isBuiltin(name) || Object.hasOwn(programs, program) || wellKnown.test(name)) scope.shared.notes.add(position, deny('shadow', `from here on ${name} is not the program that people know`, 'Call the function something else.'));
}

const wellKnown = /^(bash|sh|sudo|ls|id|python3?|perl|ssh|make|vault|terraform|ansible)$/;
