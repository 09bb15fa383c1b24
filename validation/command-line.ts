import { hiddenCharacter } from './hidden-character.js';
import type { Finding } from './script-validation.js';

/** One word of a command line, without its quotes. */
export interface Word {
  readonly text: string;
  /** Where it begins in the line, counted from 1. */
  readonly position: number;
  /** Where each of its characters stands in the line. */
  readonly positions: readonly number[];
}

export type CommandLineReading = { readonly ok: true; readonly words: readonly Word[] } | { readonly ok: false; readonly findings: readonly Finding[] };

const MAX_LENGTH = 16_384;
// What every shell takes as it stands, and quotes in which nothing is expanded. Anything else means something to some shell.
const piece = /([A-Za-z0-9._:/@=,+%-]+)|'([^']*)'|"([^"$`\\!]*)"/y;
const blank = /[ \t]*/y;

/** Splits one command line into words as a shell would, without anything that a shell would do to them. */
export function readCommandLine(text: string): CommandLineReading {
  const finding = findUnreadable(text);
  if (finding !== undefined) return { ok: false, findings: [finding] };
  const words: Word[] = [];
  for (let at = skip(blank, text, 0); at < text.length; at = skip(blank, text, at)) {
    const word = readWord(text, at);
    if ('reason' in word) return { ok: false, findings: [word] };
    words.push(word.word);
    at = word.end;
  }
  return words.length === 0 ? { ok: false, findings: [refuse('empty', 0, 'there is no command', 'Write one.')] } : { ok: true, words };
}

const refuse = (rule: string, position: number, reason: string, remedy: string): Finding => ({ rule: `commandLine.${rule}`, position, reason, remedy });

function findUnreadable(text: string): Finding | undefined {
  if (text.length > MAX_LENGTH) return refuse('size', 0, `${text.length} characters are more than ${MAX_LENGTH}`, 'Write a shorter command.');
  const strange = text.search(hiddenCharacter);
  if (strange >= 0) return refuse('characters', strange + 1, 'a character that people cannot see, or that hides others', 'Leave it out.');
  const end = text.search(/[\n\r]/);
  return end < 0 ? undefined : refuse('oneLine', end + 1, 'it goes on after the end of the line', 'Write one command on one line.');
}

function readWord(text: string, start: number): { readonly word: Word; readonly end: number } | Finding {
  const positions: number[] = [];
  let at = start;
  for (let end = skip(piece, text, at); end > at; end = skip(piece, text, at)) {
    const quote = /['"]/.test(text.charAt(at)) ? 1 : 0;
    for (let index = at + quote; index < end - quote; index += 1) positions.push(index + 1);
    at = end;
  }
  if (at < text.length && !/[ \t]/.test(text.charAt(at))) return explain(text, at);
  return { word: { text: positions.map((position) => text.charAt(position - 1)).join(''), position: start + 1, positions }, end: at };
}

/** Where the match that begins at `at` ends; `at` where there is none. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function explain(text: string, at: number): Finding {
  const character = text.charAt(at);
  if (character !== "'" && character !== '"') {
    return refuse('shell', at + 1, `${character} means something to a shell, and no shell reads this`, 'Write one program with its arguments; put an argument that needs the character in single quotes.');
  }
  if (!text.includes(character, at + 1)) return refuse('quote', at + 1, 'the quote is not closed', `Write the other ${character}.`);
  const expanded = at + text.slice(at).search(/[$`\\!]/);
  return refuse('shell', expanded + 1, `${text.charAt(expanded)} means something within double quotes`, 'Use single quotes.');
}
