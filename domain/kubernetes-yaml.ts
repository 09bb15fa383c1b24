import type { Json } from './canonical.js';
import { isList, isObject } from './json-diff.js';

/** A JSON value as YAML for people to compare: keys in order, one value a line, text with line breaks as its lines. */
export const toYaml = (json: Json): string => `${toLines(json).join('\n')}\n`;

function toLines(json: Json): readonly string[] {
  if (isList(json) && json.length > 0) return json.flatMap((element) => begin('-', toLines(element), !isScalar(element)));
  if (isObject(json) && Object.keys(json).length > 0) {
    const members = Object.entries(json).toSorted(([one], [other]) => (one < other ? -1 : 1));
    return members.flatMap(([key, value]) => {
      const lines = toLines(value);
      if (isBlock(value)) return [`${toWord(key)}: ${lines[0]}`, ...lines.slice(1)];
      return isScalar(value) ? [`${toWord(key)}: ${lines.join('')}`] : [`${toWord(key)}:`, ...lines.map((line) => `  ${line}`)];
    });
  }
  if (isBlock(json)) return [json.endsWith('\n') ? '|' : '|-', ...json.replace(/\n$/, '').split('\n').map((line) => `  ${line}`)];
  if (typeof json === 'string') return [toWord(json)];
  return [JSON.stringify(json)];
}

/** The first line beside a sign, the others below it. */
const begin = (sign: string, [first = '', ...others]: readonly string[], isIndented: boolean): readonly string[] => [`${sign} ${first}`, ...others.map((line) => (isIndented ? `  ${line}` : line))];

const isScalar = (json: Json): boolean => !(isList(json) ? json.length > 0 : isObject(json) && Object.keys(json).length > 0);
// A line that begins or ends with a space, or has signs that people cannot see, shows only in quotes.
const isBlock = (json: Json): json is string => typeof json === 'string' && /^[^\s\p{C}][^\p{C}]*(\n[^\p{C}]*)+$/u.test(json) && !/[ \t](\n|$)|\n\n$/.test(json);
const plain = /^[A-Za-z_/][\w/.@-]*(:[\w/.@-]+)*$/;
const ambiguous = /^(true|false|null|yes|no|on|off|y|n|\.inf|\.nan)$/i;
const toWord = (text: string): string => (plain.test(text) && !ambiguous.test(text) ? text : JSON.stringify(text));
