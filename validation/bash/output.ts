import type { AndOr, CommandNode, Pipeline, Script, Word as WordNode } from 'unbash';
import type { Input } from './program-rule.js';
import { COMPUTED, CRAFTED, isKnown, NUMBER } from './words.js';

type TextsOf = (word: WordNode) => readonly string[];

const decoders = /^(base64|base32|basenc|xxd|uudecode|rev|openssl|gunzip|zcat|bzcat|xzcat|gzip|bzip2|xz|unzip|iconv|tr|perl|python3?|ruby|php|node)$/;
const numbers = /^(wc|seq|nproc|expr|bc|pgrep|pidof|id|getconf|date)$/;
const passing = /^(tr|head|tail|sort|uniq|xargs)$/;

/** What a substitution stands for: the text itself where that can be told, else where it comes from. */
export function outputOf(script: Script, textsOf: TextsOf): string {
  const [statement, more] = script.commands;
  if (statement === undefined) return '';
  const node = statement.command;
  const text = more === undefined && (node.type === 'Command' || node.type === 'Pipeline') ? printedByAll(node, textsOf) : undefined;
  if (text !== undefined && isKnown(text)) return text.replace(/\n+$/, '');
  const names = script.commands.flatMap((each) => namesIn(each.command));
  if (text !== undefined && text.includes(CRAFTED)) return CRAFTED;
  if (names.length === 0 || names.some((each) => each === undefined)) return CRAFTED;
  const sources = names.filter((each) => each !== undefined && !decoders.test(each));
  // Text that the script itself holds, turned into other text: nobody sees what comes out.
  if (names.some((each) => each !== undefined && decoders.test(each)) && sources.every((each) => each === 'echo' || each === 'printf' || each === 'cat')) return CRAFTED;
  if (text === undefined && sources.every((each) => each === 'echo' || each === 'printf')) return CRAFTED;
  if (text === undefined && isTransformedText(node, textsOf)) return CRAFTED;
  // A new file or folder of its own, below /tmp.
  if (more === undefined && names.length === 1 && names[0] === 'mktemp' && node.type === 'Command' && node.args.every((word) => /^-[dqu]+$/.test(word.text))) return `/tmp/tmp.${NUMBER}`;
  const last = more === undefined ? names.filter((each) => each === undefined || !passing.test(each)).at(-1) : undefined;
  return last !== undefined && numbers.test(last) ? NUMBER : COMPUTED;
}

/** What a command prints, where all of it stands in the script. */
export function printedBy(command: CommandNode, textsOf: TextsOf, input: Input = { kind: 'none' }): string | undefined {
  if (command.type !== 'Command') return undefined;
  const name = command.name?.value;
  if (command.redirects.some((each) => each.type === 'Redirect' && each.operator !== '<' && each.operator !== '>&')) return undefined;
  const words = command.args.flatMap((each) => (each.type === 'Word' ? [each] : []));
  if (name === 'cat' && words.length === 0) return hereText(command, textsOf) ?? (input.kind === 'text' ? input.text : undefined);
  if (name === 'tee' && input.kind === 'text') return input.text;
  if (name !== 'echo' && name !== 'printf') return undefined;
  const texts: string[] = [];
  for (const word of words) {
    const [only, ...others] = textsOf(word);
    texts.push(only === undefined || others.length > 0 || word.parts?.some((part) => part.type === 'BraceExpansion' || part.type === 'Glob') === true ? CRAFTED : only);
  }
  if (name === 'echo') {
    const options = texts.findIndex((text) => !/^-[neE]+$/.test(text));
    const given = texts.slice(0, options < 0 ? texts.length : options).join('');
    const text = texts.slice(options < 0 ? texts.length : options).join(' ');
    return given.includes('e') && text.includes('\\') ? CRAFTED : text;
  }
  const [format = '', ...values] = texts;
  if (!/^(%s|\\n|[^%\\])*$/.test(format)) return CRAFTED;
  let next = 0;
  return format.replaceAll('\\n', '\n').replaceAll('%s', () => values[next++] ?? '');
}

function printedByAll(node: CommandNode | Pipeline, textsOf: TextsOf): string | undefined {
  if (node.type !== 'Pipeline') return printedBy(node, textsOf);
  return node.commands.reduce<string | undefined>((text, command, index) => (index > 0 && text === undefined ? undefined : printedBy(command, textsOf, text === undefined ? { kind: 'none' } : { kind: 'text', text })), undefined);
}

function hereText(command: CommandNode, textsOf: TextsOf): string | undefined {
  if (command.type !== 'Command') return undefined;
  for (const each of command.redirects) {
    if (each.type === 'HereString' && each.target !== undefined) return textsOf(each.target)[0];
    if (each.type === 'HereDoc') return each.body.parts === undefined ? each.body.text : CRAFTED;
  }
  return undefined;
}

/** A pipe that begins with text of the script, all of it known. */
function isTransformedText(node: CommandNode | Pipeline | AndOr, textsOf: TextsOf): boolean {
  if (node.type === 'AndOr') return node.commands.some((each) => isTransformedText(each, textsOf));
  const first = node.type === 'Pipeline' ? node.commands[0] : node;
  if (first === undefined) return false;
  const text = printedBy(first, textsOf) ?? hereText(first, textsOf);
  return text !== undefined && (isKnown(text) || text.includes(CRAFTED));
}

/** The programs in it, as far as they are simple; an unknown one as nothing. */
function namesIn(node: CommandNode | Pipeline | AndOr): readonly (string | undefined)[] {
  if (node.type === 'Pipeline' || node.type === 'AndOr') return node.commands.flatMap(namesIn);
  if (node.type === 'Command') return [node.name?.value.replace(/^.*\//, '')];
  return ['(compound)'];
}
