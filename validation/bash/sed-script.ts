import { deny, plus } from './notes.js';
import type { Call } from './program-rule.js';
import { isPlain, type Word } from './words.js';

const remedy = 'Let sed only select, replace and delete lines.';

/** Judges a sed script: it may select, replace and delete lines, and nothing else. */
export function judgeSed(text: string, word: Word, call: Pick<Call, 'object'>): void {
  // A value that the script does not hold may end the pattern it stands in, and go on as a command.
  if (!isPlain(text)) return call.object(word.position, plus('sed', 'part of the script is not in the text', 'Write the whole script.'));
  const trouble = readScript(text);
  if (trouble !== undefined) call.object(word.position, /^[rRwWeF]$/.test(trouble) ? deny('sed', `its command ${trouble} reads or writes other files, or runs a command`, remedy) : plus('sed', 'the script cannot be read', remedy));
}

/** The first command that may not be, or what cannot be read; nothing where all of it is known. */
function readScript(text: string): string | undefined {
  let at = 0;
  const skip = (form: RegExp): void => {
    const found = form.exec(text.slice(at));
    if (found !== null) at += found[0].length;
  };
  const skipTo = (delimiter: string): boolean => {
    let isClass = false;
    for (; at < text.length; at += 1) {
      if (text[at] === '\\') at += 1;
      else if (text[at] === '[' && !isClass) isClass = text.slice(at + 1).includes(']');
      else if (text[at] === ']') isClass = false;
      else if (text[at] === delimiter && !isClass) {
        at += 1;
        return true;
      } else if (text[at] === delimiter) return false;
      else if (text[at] === '\n') return false;
    }
    return false;
  };
  const address = (): boolean => {
    if (text[at] === '/') {
      at += 1;
      if (!skipTo('/')) return false;
      skip(/^[IM]*/);
    } else skip(/^(\d+(~\d+)?|\$|\+\d+|~\d+)/);
    return true;
  };
  while (at < text.length) {
    skip(/^[\s;]+/);
    if (at >= text.length) return undefined;
    if (text[at] === '#') {
      skip(/^[^\n]*/);
      continue;
    }
    if (!address()) return '?';
    skip(/^\s*/);
    if (text[at] === ',') {
      at += 1;
      skip(/^\s*/);
      if (!address()) return '?';
    }
    skip(/^[\s!]*/);
    const command = text[at] ?? '';
    at += 1;
    if (command === 's' || command === 'y') {
      const delimiter = text[at] ?? '';
      if (!/[^\w\s\\]/.test(delimiter)) return '?';
      at += 1;
      if (!skipTo(delimiter)) return '?';
      // Brackets mean nothing in what is put in place.
      for (; at < text.length && text[at] !== delimiter; at += 1) if (text[at] === '\\') at += 1;
      if (text[at] !== delimiter) return '?';
      at += 1;
      const flags = /^[A-Za-z0-9]*/.exec(text.slice(at))?.[0] ?? '';
      const bad = /[^gpiIMm0-9]/.exec(flags)?.[0];
      if (bad !== undefined) return bad;
      at += flags.length;
    } else if (/^[aic]$/.test(command)) skip(/^(\\\n|[^\n])*/);
    else if (/^[btT:]$/.test(command)) skip(/^[ \t]*\w*/);
    else if (/^[qQlL]$/.test(command)) skip(/^ *\d*/);
    else if (!/^[pPdDnNgGhHxz={}]$/.test(command)) return command;
    skip(/^[ \t]*/);
    if (at < text.length && !/[;}\n#]/.test(text[at] ?? '') && command !== '{') return /^[btT:aic]$/.test(command) ? '?' : (text[at] ?? '?');
  }
  return undefined;
}
