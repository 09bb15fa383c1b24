import { toReal } from '../paths.js';
import { many, one, type PythonNode, word } from './python-tree.js';

/** What an expression may be, as far as it is followed. */
export type Value =
  /** A text or, where `isPath`, a path of pathlib. It may hold parts that are not known: see ANY and NAME. */
  | { readonly kind: 'text'; readonly text: string; readonly isPath: boolean }
  | { readonly kind: 'number'; readonly number: number }
  /** Each entry may be one of several values. What is open can be changed by whoever has it. */
  | { readonly kind: 'list'; readonly isOpen: boolean; readonly entries: readonly (readonly Value[])[] }
  /** Any number of these. */
  | { readonly kind: 'some'; readonly isOpen: boolean; readonly of: readonly Value[] }
  | { readonly kind: 'dict'; readonly isOpen: true; readonly entries: readonly (readonly [key: readonly Value[], value: readonly Value[]])[] }
  | { readonly kind: 'module'; readonly name: string }
  | { readonly kind: 'member'; readonly module: string; readonly name: string }
  | { readonly kind: 'own'; readonly node: PythonNode }
  /** An open file, or a folder that is removed in the end. */
  | { readonly kind: 'handle'; readonly path: readonly Value[] }
  /** What this node may be besides, which is being found out just now. */
  | { readonly kind: 'again'; readonly node: PythonNode }
  | { readonly kind: 'unknown' };

/** In a text: whatever comes from elsewhere. */
export const ANY = '\u0000';
/** In a text: the name of a file, without a slash, and neither `.` nor `..`. */
export const NAME = '\u0001';

export const MAX_VALUES = 64;
const MAX_TEXT = 65_536;
export const unknown: Value = { kind: 'unknown' };
// What grows beyond a whole script is not a path or a word any more.
export const text = (value: string, isPath = false): Value => ({ kind: 'text', text: value.length > MAX_TEXT ? ANY : value, isPath });
export const asText = (value: Value): string => (value.kind === 'text' ? value.text : value.kind === 'number' ? `${value.number}` : ANY);

/** What a call gives to a parameter, by its name or by its place. */
export function argument(call: PythonNode, place: number, name: string): PythonNode | undefined {
  const keyword = many(call, 'keywords').find((entry) => word(entry, 'arg') === name);
  return keyword === undefined ? many(call, 'args')[place] : one(keyword, 'value');
}

/** What a loop over it has in hand. */
export function toElements(value: Value): readonly Value[] {
  switch (value.kind) {
    case 'list':
      return value.entries.flat();
    case 'some':
      return value.of;
    case 'dict':
      return value.entries.flatMap(([key]) => key);
    case 'text':
    case 'number':
    case 'module':
    case 'member':
    case 'own':
    case 'handle':
    case 'again':
    case 'unknown':
      return [unknown];
  }
}

export const isContainer = (value: Value): boolean => value.kind === 'list' || value.kind === 'some' || value.kind === 'dict';

/** Every one with every other, as long as they can be counted. */
export function pairs(left: readonly Value[], right: readonly Value[], toOne: (left: Value, right: Value) => Value): readonly Value[] {
  return left.length * right.length > MAX_VALUES ? [unknown] : left.flatMap((a) => right.map((b) => toOne(a, b)));
}

/** As Python joins: what begins at `/` stands alone. */
export function join(left: Value, right: Value, isPath: boolean): Value {
  const [a, b] = [asText(left), asText(right)];
  if (b.startsWith('/') || a === '') return text(b, isPath);
  // It may begin at `/`, and then nothing is left of what was before.
  if (b.startsWith(ANY)) return unknown;
  return text(`${a.replace(/\/$/, '')}/${b}`, isPath);
}

export const toParent = (path: string): string => toReal(path).replace(/\/?[^/]*$/, '') || (path.startsWith('/') ? '/' : '.');

export const toName = (path: string): string => toReal(path).replace(/^.*\//, '');

export const toGlobbed = (pattern: string): string => pattern.replace(/\*+|\?|\[[^\]]*\]/g, NAME);

/** Such a one cannot make a slash, nor two dots alone. */
export const isTimeFormat = (spec: string): boolean => /^(?:[-_:T]|%[YymdHMSjf])*%[YymdHMSjf]$/.test(spec);
