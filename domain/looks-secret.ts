import type { Json } from './canonical.js';
import { isList, isObject } from './json-diff.js';

const secretWords = new Set(['pass', 'passwd', 'pwd', 'key', 'keys', 'auth', 'authorization', 'cookie', 'dsn', 'pin', 'salt', 'signature']);
const secretParts = /passw|passphrase|secret|token|credential|apikey|privatekey|accesskey/;
// A line of a file of settings, or an argument.
const setting = /(?:^|[\s;&?])-{0,2}["']?([\w.$-]+)["']?[ \t]*[:=][ \t]*\S/g;
const secretText = /:\/\/[^\s/:@]*:[^\s/@]+@|-----BEGIN /;

/** Whether what stands under this key is likely to be a secret: better one too many than one shown. */
export function isSecretKey(key: string): boolean {
  const words = key.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase().split(/[^a-z0-9]+/);
  return words.some((word) => secretWords.has(word)) || secretParts.test(words.join(''));
}

/** Whether a value, or anything inside it, is likely to be a secret. */
export function holdsSecret(value: Json | undefined): boolean {
  if (typeof value === 'string') return secretText.test(value) || [...value.matchAll(setting)].some(([, name = '']) => isSecretKey(name));
  if (isList(value)) return value.some(holdsSecret);
  return isObject(value) && (namesSecretValue(value) || Object.entries(value).some(([key, inner]) => isSecretKey(key) || holdsSecret(inner)));
}

/** Whether it is one of those that say in one member what the other is, as in `name: DB_PASSWORD` beside `value: …`. */
export const namesSecretValue = (value: Json | undefined): boolean => isObject(value) && typeof value['name'] === 'string' && 'value' in value && isSecretKey(value['name']);

/** Stands for what is not shown. */
export const MASK = '•••';
const structure = /^\s*([{}[\],]*|---|\.\.\.)\s*$/;
const comment = /^(\s*(?:#|\/\/))(.*)$/s;
// As YAML, JSON and files of settings write it; the end of a line of base64 is none of them.
const member = /^(\s*(?:- +)*(?:"([^"]*)"\s*:|'([^']*)'\s*:|([\w.$/-]+)\s*:(?=\s|$)|([\w.$/-]+)\s*=(?=\s*[^\s=])))(.*)$/s;
// Beside and within others, and in what people note, a word is enough.
const loose = /(?:[{[]|(?:^|\s)(?:#|\/\/)).*$/s;
const namedBefore = /([\w.$/-]+)["']?\s*[:=]/g;
const longWord = /[\w+/=-]{32,}/;

interface Line {
  /** Where the name of its member begins, or the line. */
  readonly column: number;
  readonly isItem: boolean;
  /** Whether it only has brackets or a comment, so that its place says nothing. */
  readonly isLoose: boolean;
  readonly key: string;
  /** Whether it says the name of what stands beside it, as in `name: DB_PASSWORD`. */
  readonly namesSecret: boolean;
  readonly looksSecret: boolean;
  readonly shown: string;
  /** As it is shown below a name that looks secret. */
  readonly hidden: string;
}

function readLine(line: string): Line {
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const plain = { column: /^\s*(?:- +)*/.exec(line)?.[0].length ?? 0, isItem: /^\s*-(\s|$)/.test(line), isLoose: false, key: '', namesSecret: false };
  if (structure.test(line)) return { ...plain, isLoose: true, looksSecret: false, shown: line, hidden: line };
  const [, sign, note = ''] = comment.exec(line) ?? [];
  if (sign !== undefined) {
    const hidden = `${sign} ${MASK}`;
    return { ...plain, isLoose: true, looksSecret: false, shown: hasSecretName(line) || secretText.test(note) || longWord.test(note) ? hidden : line, hidden };
  }
  const [, head, ...parts] = member.exec(line) ?? [];
  if (head === undefined) return { ...plain, looksSecret: hasSecretName(line), shown: `${indent}${MASK}`, hidden: `${indent}${MASK}` };
  const value = parts.pop() ?? '';
  const key = parts.find((part) => part !== undefined) ?? '';
  const looksSecret = isSecretKey(key) || hasSecretName(value);
  const hidden = value.trim() === '' ? line : `${head} ${MASK}`;
  const namesSecret = /^(name|key)$/i.test(key) && isSecretKey(value);
  return { ...plain, key, namesSecret, looksSecret, shown: looksSecret || secretText.test(value) ? hidden : line, hidden };
}

/** Whether a text has a name in it that looks secret. */
function hasSecretName(text: string): boolean {
  const words = loose.exec(text)?.[0].split(/[^\w.$/-]+/) ?? [];
  return [...[...text.matchAll(namedBefore)].map(([, name = '']) => name), ...words].some(isSecretKey);
}

/** How many brackets a line leaves open. */
function countOpened(line: string): number {
  const bare = line.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '').replace(/(^|\s)(#|\/\/).*$/s, '');
  return bare.replaceAll(/[^{[]/g, '').length - bare.replaceAll(/[^}\]]/g, '').length;
}

/**
 * The lines of a configuration file without the secrets that they may hold: values of names that look secret, and all that is below or beside such a
 * name. What is no plain `key: value` is hidden whole: it may be the middle of one.
 */
export function maskLines(text: string): readonly string[] {
  let above: { readonly column: number; open: number } | undefined;
  let named: number | undefined;
  return text.split('\n').map((line) => {
    if (line.trim() === '') return line;
    const { column, isItem, isLoose, key, namesSecret, looksSecret, shown, hidden } = readLine(line);
    const indent = line.search(/\S/);
    if (above !== undefined && (above.open > 0 || indent > above.column || (isItem && indent === above.column))) {
      above.open += countOpened(line);
      return hidden;
    }
    if (isLoose) {
      if (above !== undefined) above.open += countOpened(line);
      return shown;
    }
    if (named !== undefined && (isItem || column < named)) named = undefined;
    if (namesSecret) named = column;
    const isNamed = key.toLowerCase() === 'value' && column === named;
    above = looksSecret || isNamed ? { column, open: countOpened(line) } : undefined;
    return isNamed ? hidden : shown;
  });
}
