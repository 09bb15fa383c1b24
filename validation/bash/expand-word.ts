import type { ParameterExpansionPart, ParsedScript, ProcessSubstitutionPart, Word as WordNode, WordPart } from 'unbash';
import { expandBraces } from './expand-braces.js';
import { deny, plus, type Objection } from './notes.js';
import { oneOf, unset, type Value, type Variables } from './variables.js';
import { COMPUTED, CRAFTED, isKnown, NUMBER, type Word } from './words.js';

/** What expanding a word needs of the walk through the script. */
export interface Expansion {
  readonly variables: Variables;
  readonly positionOf: (offset: number) => number;
  readonly object: (position: number, objection: Objection) => void;
  /** Judges what is substituted; tells what it prints, as far as that is known. */
  readonly substitute: (script: ParsedScript | undefined, offset: number) => string;
  readonly judgeArithmetic: (part: WordPart) => void;
  readonly judgeIndex: (index: WordNode) => void;
}

interface Draft {
  readonly done: readonly Word[];
  readonly text: string;
  readonly isBegun: boolean;
  readonly isPattern: boolean;
  readonly isSpread: boolean;
}

const MOST_WAYS = 24;
const pattern = /[*?[]/;

/** All that a word may come to: the ways it can go, each a list of words. */
export function expandWord(node: WordNode, context: Expansion): readonly (readonly Word[])[] {
  const position = context.positionOf(node.pos);
  const parts = node.parts;
  if (parts === undefined) return [[{ text: node.value, position, isPattern: false, isSpread: false }]];
  const forms = expandBraces(parts);
  if (forms === undefined) {
    context.object(position, deny('braces', 'its braces stand for words that cannot be followed', 'Write the words out.'));
    return [[{ text: CRAFTED, position, isPattern: false, isSpread: true }]];
  }
  let ways: readonly (readonly Word[])[] = [[]];
  for (const form of forms) {
    const endings = expandParts(form, position, context);
    ways = ways.flatMap((way) => endings.map((ending) => [...way, ...ending]));
    if (ways.length > MOST_WAYS) return [[{ text: CRAFTED, position, isPattern: false, isSpread: true }]];
  }
  return ways;
}

/** The word as one text, as in an assignment, a redirection or a pattern. */
export function expandText(node: WordNode, context: Expansion): readonly string[] {
  if (node.parts === undefined) return [node.value];
  return oneOf(textsOf(node.parts, context, true)).texts;
}

function expandParts(parts: readonly WordPart[], position: number, context: Expansion): readonly (readonly Word[])[] {
  let drafts: readonly Draft[] = [{ done: [], text: '', isBegun: false, isPattern: false, isSpread: false }];
  for (const part of parts) {
    drafts = drafts.flatMap((draft) => extend(draft, part, position, context));
    if (drafts.length > MOST_WAYS) return [[{ text: CRAFTED, position, isPattern: false, isSpread: true }]];
  }
  return drafts.map((draft) => (draft.isBegun ? [...draft.done, finish(draft, position)] : draft.done));
}

// An escape can make any character, the placeholders too.
const decoded = (text: string): string => (isKnown(text) ? text : CRAFTED);

const finish = ({ text, isPattern, isSpread }: Draft, position: number): Word => ({ text, position, isPattern, isSpread });

function extend(draft: Draft, part: WordPart, position: number, context: Expansion): readonly Draft[] {
  const joined = (text: string): Draft => ({ ...draft, text: draft.text + text, isBegun: true });
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
      return [joined(part.value)];
    case 'AnsiCQuoted':
      return [joined(decoded(part.value))];
    case 'Glob':
      return [{ ...joined(part.text), isPattern: true }];
    case 'DoubleQuoted':
    case 'LocaleString': {
      const [only] = part.parts;
      const value = part.parts.length === 1 && only !== undefined ? listOf(only, context) : undefined;
      if (value !== undefined) return [spell(draft, value.texts, position)];
      return textsOf(part.parts, context, true).map(joined);
    }
    case 'SimpleExpansion':
    case 'ParameterExpansion':
    case 'CommandExpansion':
    case 'ArithmeticExpansion': {
      const value = listOf(part, context);
      if (value !== undefined) return [spell(draft, value.texts, position)];
      return textsOf([part], context, false).map((text) => split(draft, text, position));
    }
    case 'ProcessSubstitution':
      return [joined(processFile(part, context))];
    case 'ExtendedGlob':
    case 'BraceExpansion':
      context.object(context.positionOf(part.pos), plus('pattern', 'this pattern cannot be followed', 'Write the names out.'));
      return [{ ...joined(CRAFTED), isPattern: true }];
    default:
      context.object(position, deny('unknownNode', 'no rule knows this part of the language', 'Write it more plainly.'));
      return [joined(CRAFTED)];
  }
}

/** A command that stands where a file would: judged like any other. */
function processFile(part: ProcessSubstitutionPart, context: Expansion): string {
  context.substitute(part.script, part.pos);
  if (part.operator === '>') context.object(context.positionOf(part.pos), plus('processSubstitution', 'it writes into another command', 'Use a pipe.'));
  return '/dev/fd/63';
}

/** Unquoted text falls apart at blanks, and patterns in it become file names. */
function split(draft: Draft, text: string, position: number): Draft {
  const spread = { isPattern: draft.isPattern || pattern.test(text), isSpread: draft.isSpread || !isKnown(text) };
  const pieces = text.split(/[ \t\n]+/);
  const [first = '', ...more] = pieces;
  const begun: Draft = { ...draft, ...spread, text: draft.text + first, isBegun: draft.isBegun || first !== '' };
  return more.reduce<Draft>((before, piece) => ({ done: before.isBegun ? [...before.done, finish(before, position)] : before.done, text: piece, isBegun: piece !== '', ...spread }), begun);
}

/** The elements of a list, a word each. */
function spell(draft: Draft, texts: readonly string[], position: number): Draft {
  return texts.reduce<Draft>((before, text, index) => (index === 0 ? { ...before, text: before.text + text, isBegun: true } : { ...before, done: [...before.done, finish(before, position)], text, isBegun: true }), draft);
}

function listOf(part: WordPart, context: Expansion): Value | undefined {
  if (part.type === 'SimpleExpansion' && (part.text === '$@' || part.text === '$*')) return listed(context.variables.get('@'));
  if (part.type !== 'ParameterExpansion' || part.prefix !== undefined || part.operation !== undefined) return undefined;
  if (part.parameter === '@' || part.parameter === '*') return listed(context.variables.get('@'));
  if (part.index?.text !== '@' && part.index?.text !== '*') return undefined;
  return listed(context.variables.get(part.parameter));
}

const listed = (value: Value | undefined): Value => ({ texts: (value ?? unset).texts, isList: true });

function textsOf(parts: readonly WordPart[], context: Expansion, isQuoted: boolean): readonly string[] {
  let texts: readonly string[] = [''];
  for (const part of parts) {
    const endings = textsOfPart(part, context, isQuoted);
    texts = oneOf(texts.flatMap((text) => endings.map((ending) => text + ending))).texts;
  }
  return texts;
}

function textsOfPart(part: WordPart, context: Expansion, isQuoted: boolean): readonly string[] {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
      return [part.value];
    case 'AnsiCQuoted':
      return [decoded(part.value)];
    case 'Glob':
      return [part.text];
    case 'DoubleQuoted':
    case 'LocaleString':
      return textsOf(part.parts, context, true);
    case 'SimpleExpansion':
      return valueOf(part.text.slice(1), context, part.pos).texts;
    case 'ParameterExpansion':
      return parameterTexts(part, context);
    case 'CommandExpansion':
      return [context.substitute(part.script, part.pos)];
    case 'ArithmeticExpansion':
      context.judgeArithmetic(part);
      return [NUMBER];
    case 'ProcessSubstitution':
      return [processFile(part, context)];
    case 'ExtendedGlob':
    case 'BraceExpansion':
    default:
      // What is left stands in an assignment or a redirection, where it is not expanded into words.
      return isQuoted && (part.type === 'BraceExpansion' || part.type === 'ExtendedGlob') ? [part.text] : [CRAFTED];
  }
}

function valueOf(name: string, context: Expansion, offset: number): Value {
  if (/^[#?$!]$/.test(name)) return oneOf([NUMBER]);
  if (name === '0' || name === '_' || name === '-') return oneOf([CRAFTED]);
  if (name === 'RANDOM' || name === 'SECONDS' || name === 'EPOCHSECONDS' || name === 'LINENO') return oneOf([NUMBER]);
  if (/^BASH|^(SHELLOPTS|PROMPT_COMMAND|PS[0-4])$/.test(name)) {
    context.object(context.positionOf(offset), plus('shellState', `$${name} holds what the shell does, not what the script says`, 'Write the value itself.'));
    return oneOf([CRAFTED]);
  }
  const value = context.variables.get(name) ?? unset;
  // Without an index a list gives its first element; which one that is may depend on the way taken.
  return value.isList ? oneOf(value.texts) : value;
}

function parameterTexts(part: ParameterExpansionPart, context: Expansion): readonly string[] {
  const position = context.positionOf(part.pos);
  if (part.index !== undefined && part.index.text !== '@' && part.index.text !== '*') context.judgeIndex(part.index);
  const value = valueOf(part.parameter, context, part.pos);
  if (part.prefix === '#') return [NUMBER];
  if (part.prefix === '!') {
    if (part.index?.text === '@' || part.index?.text === '*') return [NUMBER];
    context.object(position, deny('indirect', 'it takes the name of a variable from a variable', 'Name the variable itself.'));
    return [CRAFTED];
  }
  const operation = part.operation;
  const fromCommands = value.texts.map((text) => (isKnown(text) || text.includes(CRAFTED) ? CRAFTED : text.replace(/.+/s, COMPUTED)));
  switch (operation?.type) {
    case undefined:
      return value.texts;
    case 'Default': {
      const texts = expandText(operation.operand, context);
      if (operation.operator.includes('?')) return value.texts;
      const both = oneOf([...value.texts, ...texts]);
      if (operation.operator.includes('=')) context.variables.set(part.parameter, both);
      return operation.operator.includes('+') ? oneOf(['', ...texts]).texts : both.texts;
    }
    case 'Remove':
      return oneOf(expandText(operation.operand, context).flatMap((end) => value.texts.map((text, index) => (isKnown(text) && isKnown(end) && !pattern.test(end) && !end.includes('\\') ? removed(text, end, operation.operator) : (fromCommands[index] ?? CRAFTED))))).texts;
    case 'Replace':
      expandText(operation.pattern, context);
      expandText(operation.replacement, context);
      return oneOf(fromCommands).texts;
    case 'CaseModification':
      return oneOf(fromCommands).texts;
    case 'Slice':
      context.judgeIndex(operation.offset);
      if (operation.length !== undefined) context.judgeIndex(operation.length);
      return oneOf(fromCommands).texts;
    case 'Transform':
      if (operation.operand.text === 'Q') return value.texts;
      context.object(position, deny('transform', `\${${part.parameter}@${operation.operand.text}} runs or rewrites what the variable holds`, 'Use the variable itself.'));
      return [CRAFTED];
    case 'Names':
    case 'Unknown':
    default:
      context.object(position, deny('unknownNode', 'no rule knows this expansion', 'Write it more plainly.'));
      return [CRAFTED];
  }
}

function removed(text: string, end: string, operator: string): string {
  if (operator.startsWith('#')) return text.startsWith(end) ? text.slice(end.length) : text;
  return text.endsWith(end) ? text.slice(0, text.length - end.length) : text;
}
