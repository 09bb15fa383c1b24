import type { WordPart } from 'unbash';
import { NUMBER } from './words.js';

const MOST_FORMS = 64;
const range = /^\{(-?\d+)\.\.(-?\d+)(\.\.-?\d+)?\}$/;

/** The words that the braces of one word stand for, each as its parts; nothing where they cannot be followed. */
export function expandBraces(parts: readonly WordPart[]): readonly (readonly WordPart[])[] | undefined {
  const at = parts.findIndex((part) => part.type === 'BraceExpansion');
  const brace = parts[at];
  if (brace?.type !== 'BraceExpansion') return [parts];
  const choices = choicesOf(brace.text);
  if (choices === undefined) return undefined;
  const forms: (readonly WordPart[])[] = [];
  for (const choice of choices) {
    const literal: WordPart = { type: 'Literal', pos: brace.pos, end: brace.end, value: choice, text: choice };
    const rest = expandBraces([...parts.slice(0, at), literal, ...parts.slice(at + 1)]);
    if (rest === undefined) return undefined;
    forms.push(...rest);
    if (forms.length > MOST_FORMS) return undefined;
  }
  return forms;
}

function choicesOf(text: string): readonly string[] | undefined {
  const numbers = range.exec(text);
  if (numbers !== null) {
    const [from, to] = [Number(numbers[1]), Number(numbers[2])];
    if (numbers[3] !== undefined || Math.abs(to - from) >= MOST_FORMS) return [NUMBER];
    return Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => String(from + Math.sign(to - from) * index));
  }
  const inside = text.slice(1, -1);
  return /[{}$`"'\\*?[\]]/.test(inside) || !inside.includes(',') ? undefined : inside.split(',');
}
