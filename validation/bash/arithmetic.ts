import { forEachChild, type ArithmeticExpression, type ArithmeticWord, type ParsedScript, type SyntaxNode } from 'unbash';
import { deny, plus, type Objection } from './notes.js';
import { oneOf, type Variables } from './variables.js';
import { CRAFTED, NUMBER, OUTSIDE } from './words.js';

const remedy = 'Check first that it is a number, as with `[[ $x =~ ^[0-9]+$ ]]`, and compare with `[ … ]`.';

/** What bash would do with a text that it takes for arithmetic: names in it are evaluated in turn, and an index in it can run a command. */
export function judgeArithmeticText(text: string, variables: Variables, depth = 0): Objection | undefined {
  if (text.includes(CRAFTED)) return plus('arithmetic', 'arithmetic over text that is put together can run commands', remedy);
  if (text.includes(OUTSIDE)) return plus('arithmetic', 'arithmetic over text from outside can run commands', remedy);
  if (/[[\]$`'"\\]/.test(text)) return deny('arithmetic', 'an index inside of arithmetic can run commands', 'Use plain numbers and plain names.');
  for (const name of text.match(/[A-Za-z_]\w*/g) ?? []) {
    if (/^(0x[0-9a-f]+|RANDOM|SECONDS|EPOCHSECONDS|LINENO)$/i.test(name) || new RegExp(`0x?${name}|\\d#${name}`).test(text)) continue;
    const value = variables.get(name);
    if (value === undefined || depth > 4) return plus('arithmetic', `arithmetic over ${name}, which the text does not set, can run commands`, remedy);
    for (const each of value.texts) {
      const trouble = judgeArithmeticText(each, variables, depth + 1);
      if (trouble !== undefined) return trouble;
    }
  }
  return undefined;
}

const assigning = /^([-+*/%&|^]|<<|>>)?=$|^\+\+$|^--$/;

/** Goes through an expression: judges each word of it, and notes the names that it sets. */
export function walkArithmetic(
  expression: ArithmeticExpression,
  textsOf: (word: ArithmeticWord) => readonly string[],
  substitute: (script: ParsedScript | undefined, offset: number) => readonly string[],
  variables: Variables,
  object: (offset: number, objection: Objection) => void,
): void {
  const judge = (texts: readonly string[], offset: number): void => {
    for (const text of texts) {
      const trouble = judgeArithmeticText(text, variables);
      if (trouble !== undefined) object(offset, trouble);
    }
  };
  const visit = (node: SyntaxNode, isTarget: boolean): void => {
    if (node.type === 'ArithmeticCommandExpansion') return judge(substitute(node.script, node.pos), node.pos);
    if (node.type === 'ArithmeticWord') {
      const element = /^([A-Za-z_]\w*)\[(\w*)\]$/.exec(node.value);
      if (isTarget && /^[A-Za-z_]\w*$/.test(node.value)) return void variables.set(node.value, oneOf([NUMBER]));
      return judge(element === null ? textsOf(node) : [element[1] ?? '', element[2] ?? ''], node.pos);
    }
    if (node.type === 'ArithmeticBinary' && assigning.test(node.operator)) {
      visit(node.right, false);
      if (node.operator !== '=') visit(node.left, false);
      return visit(node.left, true);
    }
    if (node.type === 'ArithmeticUnary' && assigning.test(node.operator)) {
      visit(node.operand, false);
      return visit(node.operand, true);
    }
    if (!node.type.startsWith('Arithmetic')) return;
    forEachChild(node, (child) => visit(child, false));
  };
  visit(expression, false);
}
