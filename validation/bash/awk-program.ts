import { deny, plus } from './notes.js';
import type { Call } from './program-rule.js';
import { isPlain, type Word } from './words.js';

const functions = /^(length|substr|split|gsub|sub|gensub|match|index|sprintf|printf|tolower|toupper|int|log|exp|sqrt|sin|cos|atan2|rand|srand|strftime|systime|mktime|asort|asorti|if|while|for|print|return|in|exit|and|or|xor|strtonum)$/;
const remedy = 'Let awk only select and print; do the rest in commands of their own.';

/** Judges an awk program: it may select, count and print, and nothing else. */
export function judgeAwk(text: string, word: Word, call: Pick<Call, 'object'>): void {
  if (!isPlain(text)) return call.object(word.position, plus('awk', 'part of the program is not in the text', 'Hand the value over with -v.'));
  const code = withoutLiterals(text);
  if (code === undefined) return call.object(word.position, plus('awk', 'the program cannot be read', remedy));
  for (const [, name = ''] of code.matchAll(/([A-Za-z_]\w*)\s*\(/g)) {
    if (!functions.test(name)) return call.object(word.position, deny('awk', `the program calls ${name}, which may run commands`, remedy));
  }
  if (/\b(system|getline|ENVIRON|PROCINFO|function|func|ARGV|ARGC|SYMTAB|FUNCTAB)\b|@/.test(code)) return call.object(word.position, deny('awk', 'the program runs commands, reads other files or what is kept from it', remedy));
  if (/(^|[^|])\|([^|]|$)/.test(code)) return call.object(word.position, deny('awk', 'the program pipes into a command', remedy));
  if (/\bprintf?\b[^;}\n]*>/.test(code.replace(/\([^()]*\)/g, ''))) call.object(word.position, deny('awk', 'the program writes a file', 'Redirect the output of awk, so that the path can be judged.'));
}

/** The program without its texts and patterns; nothing where one of them does not end. */
function withoutLiterals(text: string): string | undefined {
  let code = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '#') {
      while (at < text.length && text[at] !== '\n') at += 1;
      continue;
    }
    const isPattern = character === '/' && /(^|[(,~!&|;{}\n])\s*$/.test(code);
    if (character !== '"' && !isPattern) {
      code += character;
      continue;
    }
    let end = at + 1;
    let isClass = false;
    while (end < text.length && (text[end] !== character || isClass)) {
      if (text[end] === '\n') return undefined;
      if (isPattern && text[end] === '[') isClass = true;
      if (isPattern && text[end] === ']') isClass = false;
      end += text[end] === '\\' ? 2 : 1;
    }
    if (end >= text.length) return undefined;
    code += '0';
    at = end;
  }
  return code;
}
