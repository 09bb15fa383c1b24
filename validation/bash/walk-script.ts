import type { AndOr, CommandNode, CompoundList, For, ParsedScript, Pipeline, Script, Statement, TestExpression, While, Word as WordNode, WordPart } from 'unbash';
import { judgeArithmeticText, walkArithmetic } from './arithmetic.js';
import { expandText, expandWord } from './expand-word.js';
import { deny, plus } from './notes.js';
import { outputOf, printedBy } from './output.js';
import { readTree } from './parse-bash.js';
import { judgeFunctionName, walkCommand, walkRedirections } from './walk-command.js';
import { expansionOf, fork, setVariable, spend, walkWays, type Scope, type Walker } from './scope.js';
import { ARRIVED, FOLDER, isSameState, oneOf, unset } from './variables.js';
import { CRAFTED } from './words.js';

const MOST_DEPTH = 10;
const MOST_ROUNDS = 4;

const walker: Walker = { substitute, judgeArithmetic, judgeIndex };

/** Judges every statement of a script, on every way that it may take. */
export function walkScript(script: Script, scope: Scope): void {
  const statements = script.commands;
  for (const statement of statements) walkStatement(statement, scope);
}

/** Judges a text that a shell would run, as if it stood at `position`. */
export function walkText(text: string, position: number, scope: Scope): void {
  if (scope.depth >= MOST_DEPTH) return scope.shared.notes.add(position, deny('size', 'shells are nested too deep', 'Write the commands themselves.'));
  scope.shared.texts.push({ text, position });
  const tree = readTree(text);
  if (!tree.ok) return scope.shared.notes.add(position, tree.objection);
  walkScript(tree.script, { ...scope, depth: scope.depth + 1, positionOf: () => position });
}

function walkStatement(statement: Statement, scope: Scope): void {
  if (statement.background !== true) return walkNode(statement.command, scope);
  if (scope.loops > 0) scope.shared.notes.add(scope.positionOf(statement.pos), deny('background', 'it starts more and more commands that nobody waits for', 'Run them one after the other.'));
  walkNode(statement.command, fork(scope));
}

const walkList = (list: CompoundList, scope: Scope): void => list.commands.forEach((statement) => walkStatement(statement, scope));

/** Judges one command, simple or compound. */
export function walkNode(node: CommandNode | Pipeline | AndOr, scope: Scope): void {
  const position = scope.positionOf(node.pos);
  if (!spend(scope, position)) return;
  const words = expansionOf(scope, walker);
  switch (node.type) {
    case 'Command':
      return walkCommand(node, scope, walker, { walkNode, walkText });
    case 'Pipeline':
      return walkPipeline(node, scope);
    case 'AndOr': {
      let hasArrived = false;
      node.commands.forEach((command, index) => {
        if (index === 0) return walkNode(command, scope);
        const isAfterChange = isNamed(node.commands[index - 1], /^cd$/);
        hasArrived = node.operators[index - 1] === '&&' && (hasArrived || isAfterChange);
        const folder = scope.variables.get(ARRIVED);
        walkWays(scope, [(way) => {
          if (hasArrived && folder !== undefined) way.variables.set(FOLDER, folder);
          walkNode(command, way);
        }], true);
        if (isAfterChange && folder !== undefined && node.operators[index - 1] === '||' && isNamed(command, /^(exit|return)$/)) scope.variables.set(FOLDER, folder);
      });
      return;
    }
    case 'Redirected':
      return walkNode(node.command, { ...scope, input: walkRedirections(node.redirects, scope, walker) });
    case 'If': {
      walkList(node.clause, scope);
      const branches = node.elif.map((each) => (way: Scope) => {
        walkList(each.clause, way);
        walkList(each.then, way);
      });
      const otherwise = node.else;
      return walkWays(scope, [(way) => walkList(node.then, way), ...branches, ...(otherwise === undefined ? [] : [(way: Scope) => walkList(otherwise, way)])], otherwise === undefined);
    }
    case 'For':
      return walkFor(node, scope);
    case 'ArithmeticFor':
      if (node.test === undefined) noteEndless(node.body, position, scope);
      for (const part of [node.initialize, node.test]) if (part !== undefined) judgeExpression(part, scope);
      return walkLoop(scope, (round) => {
        walkList(node.body, round);
        if (node.update !== undefined) judgeExpression(node.update, round);
      });
    case 'While':
      return walkWhile(node, scope);
    case 'Case':
      expandText(node.word, words);
      for (const each of node.items.flatMap((choice) => choice.pattern)) expandText(each, words);
      // What falls through goes on with what the choice before it left.
      return walkWays(scope, node.items.map((choice, index) => (way) => {
        const until = node.items.slice(index).findIndex((each) => each.terminator !== ';&' && each.terminator !== ';;&');
        for (const each of node.items.slice(index, until < 0 ? undefined : index + until + 1)) walkList(each.body, way);
      }), true);
    case 'Select':
      scope.shared.notes.add(position, plus('select', 'it waits for what a person chooses', 'Write the choice into the script.'));
      setVariable(scope, node.name.value, unset);
      return walkLoop(scope, (round) => walkList(node.body, round));
    case 'Subshell':
      return walkList(node.body, fork(scope));
    case 'BraceGroup':
      return walkList(node.body, scope);
    case 'Function':
      judgeFunctionName(node.name, scope);
      if ((scope.functions.get(node.name.value) ?? node) !== node) scope.shared.notes.add(position, deny('shadow', `${node.name.value} is written twice, and which one runs depends on the way taken`, 'Give each function a name of its own.'));
      scope.functions.set(node.name.value, node);
      return;
    case 'Coproc':
      scope.shared.notes.add(position, deny('coproc', 'it talks to a command that runs beside the script', 'Use a pipe.'));
      return;
    case 'TestCommand':
      return walkTest(node.expression, scope);
    case 'ArithmeticCommand':
      if (node.expression !== undefined) judgeExpression(node.expression, scope);
      return;
    default:
      scope.shared.notes.add(position, deny('unknownNode', 'no rule knows this part of the language', 'Write it more plainly.'));
  }
}

const isNamed = (node: CommandNode | Pipeline | undefined, name: RegExp): boolean => node?.type === 'Command' && name.test(node.name?.value ?? '');

function walkPipeline(node: Pipeline, scope: Scope): void {
  let input = scope.input;
  for (const command of node.commands) {
    // A part of a pipe is a process of its own: what it sets is gone with it.
    const part = fork(scope, { input });
    walkNode(command, node.commands.length === 1 ? { ...scope, input } : part);
    const text = printedBy(command, (word) => expandText(word, expansionOf(fork(part), quiet)), input);
    input = text === undefined ? { kind: 'pipe' } : { kind: 'text', text };
  }
}

function walkFor(node: For, scope: Scope): void {
  const words = expansionOf(scope, walker);
  const values = node.wordlist === undefined ? (scope.variables.get('@') ?? unset).texts : node.wordlist.flatMap((word) => expandWord(word, words)).flatMap((way) => way.map((word) => word.text));
  setVariable(scope, node.name.value, values.length === 0 ? oneOf(['']) : oneOf(values));
  walkLoop(scope, (round) => walkList(node.body, round));
}

function walkWhile(node: While, scope: Scope): void {
  if (node.clause.commands.every((each) => isConstant(each))) noteEndless(node.body, scope.positionOf(node.pos), scope);
  walkLoop(scope, (round) => {
    walkList(node.clause, round);
    walkList(node.body, round);
  });
}

/** A condition that is the same in every round. */
function isConstant({ command }: Statement): boolean {
  if (command.type === 'ArithmeticCommand') return !/[A-Za-z_$]/.test(command.body);
  if (command.type === 'TestCommand') return command.expression.type === 'TestUnary' && command.expression.operand.parts === undefined && !/^-[a-z]$/.test(command.expression.operator.replace(/^-[nz]$/, ''));
  return command.type === 'Command' && /^(true|false|:|\[|test)$/.test(command.name?.value ?? '') && command.args.every((word) => word.type === 'Word' && word.parts === undefined && !/^-[a-mo-y]$/.test(word.value));
}

function noteEndless(body: CompoundList, position: number, scope: Scope): void {
  if (!/\b(break|exit|return|sleep)\b/.test(JSON.stringify(body))) scope.shared.notes.add(position, plus('endless', 'it goes on for ever, as fast as it can', 'Say how often at most, with a pause.'));
}

/** A body that may run any number of times: until another round tells nothing new. */
function walkLoop(scope: Scope, walkBody: (scope: Scope) => void): void {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = new Map(scope.variables);
    walkWays(scope, [(way) => walkBody({ ...way, loops: scope.loops + 1 })], true);
    if (isSameState(before, scope.variables)) return;
    if (round < MOST_ROUNDS - 2) continue;
    for (const [name, value] of scope.variables) if (before.get(name) !== value && name !== FOLDER) scope.variables.set(name, { texts: [CRAFTED], isList: value.isList });
  }
}

function walkTest(expression: TestExpression, scope: Scope): void {
  const words = expansionOf(scope, walker);
  const object = (word: WordNode, objection: ReturnType<typeof plus> | undefined): void => {
    if (objection !== undefined) scope.shared.notes.add(scope.positionOf(word.pos), objection);
  };
  switch (expression.type) {
    case 'TestUnary': {
      const texts = expandText(expression.operand, words);
      if (expression.operator === '-v' || expression.operator === '-R') for (const text of texts) if (!/^\w+$/.test(text)) object(expression.operand, deny('nameIsRun', 'an index in this name can run commands', 'Name a plain variable.'));
      return;
    }
    case 'TestBinary': {
      const isNumeric = /^-(eq|ne|lt|le|gt|ge)$/.test(expression.operator);
      for (const word of [expression.left, expression.right]) for (const text of expandText(word, words)) if (isNumeric) object(word, judgeArithmeticText(text, scope.variables));
      return;
    }
    case 'TestLogical':
      return expression.operands.forEach((operand) => walkTest(operand, scope));
    case 'TestNot':
      return walkTest(expression.operand, scope);
    case 'TestGroup':
      return walkTest(expression.expression, scope);
  }
}

function substitute(script: ParsedScript | undefined, offset: number, scope: Scope): string {
  const position = scope.positionOf(offset);
  if (script === undefined || scope.depth >= MOST_DEPTH) {
    scope.shared.notes.add(position, deny('size', 'substitutions are nested too deep', 'Write them one after the other.'));
    return CRAFTED;
  }
  const inner = fork(scope, { depth: scope.depth + 1, ...(script.source === undefined ? {} : { positionOf: () => position }) });
  walkScript(script, inner);
  return outputOf(script, (word) => expandText(word, expansionOf(fork(scope), quiet)));
}

// Reads a word for its text alone, where it is judged elsewhere.
const quiet: Walker = {
  substitute: (script, _offset, scope) => (script === undefined ? CRAFTED : outputOf(script, (word) => expandText(word, expansionOf(fork(scope), quiet)))),
  judgeArithmetic: () => undefined,
  judgeIndex: () => undefined,
};

function judgeArithmetic(part: WordPart, scope: Scope): void {
  if (part.type !== 'ArithmeticExpansion') return;
  if (part.expression === undefined) return scope.shared.notes.add(scope.positionOf(part.pos), plus('arithmetic', 'arithmetic that cannot be read', 'Write it more plainly.'));
  judgeExpression(part.expression, scope);
}

function judgeExpression(expression: Parameters<typeof walkArithmetic>[0], scope: Scope): void {
  walkArithmetic(
    expression,
    (word) => (word.parts === undefined ? [word.value] : expandText({ type: 'Word', text: word.value, value: word.value, pos: word.pos, end: word.end, parts: word.parts }, expansionOf(scope, walker))),
    (script, offset) => [substitute(script, offset, scope)],
    scope.variables,
    (offset, objection) => scope.shared.notes.add(scope.positionOf(offset), objection),
  );
}

function judgeIndex(index: WordNode, scope: Scope): void {
  for (const text of expandText(index, expansionOf(scope, walker))) {
    const trouble = judgeArithmeticText(text, scope.variables);
    if (trouble !== undefined) scope.shared.notes.add(scope.positionOf(index.pos), trouble);
  }
}
