import type { Node } from 'libpg-query';

/** The text of a constant, cast or not. */
export function readText(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if ('TypeCast' in node) return readText(node.TypeCast.arg);
  return 'A_Const' in node ? node.A_Const.sval?.sval : undefined;
}

/** The number of a constant, with its sign, cast or not; a text that is a number counts, as Postgres reads it as one. */
export function readNumber(node: Node | undefined): number | undefined {
  if (node === undefined) return undefined;
  if ('TypeCast' in node) return readNumber(node.TypeCast.arg);
  if ('A_Expr' in node && node.A_Expr.lexpr === undefined && readOperator(node) === '-') {
    const number = readNumber(node.A_Expr.rexpr);
    return number === undefined ? undefined : -number;
  }
  if (!('A_Const' in node)) return undefined;
  const { ival, fval, sval } = node.A_Const;
  if (ival !== undefined) return ival.ival ?? 0;
  const text = fval?.fval ?? sval?.sval ?? '';
  return /^[-+]?\d+(\.\d*)?(e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** The names of a node's path, such as a function's or an operator's. */
export const readNames = (path: readonly Node[] | undefined): readonly string[] => (path ?? []).map((part) => ('String' in part ? (part.String.sval ?? '') : ''));

/** The operator of an expression, where no schema says whose it is but Postgres' own. */
export function readOperator(node: Node): string | undefined {
  if (!('A_Expr' in node)) return undefined;
  const names = readNames(node.A_Expr.name);
  const isOwn = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog');
  return isOwn ? names.at(-1) : undefined;
}

const dayMs = 86_400_000;
const unitDays: readonly (readonly [RegExp, number])[] = [
  [/^s(ec(ond)?s?)?$/, 1 / 86_400],
  [/^m(in(ute)?s?)?$/, 1 / 1_440],
  [/^h(ours?|rs?)?$/, 1 / 24],
  [/^d(ays?)?$/, 1],
  [/^w(eeks?)?$/, 7],
  [/^mon(th)?s?$/, 30],
  [/^y(ears?|rs?)?$/, 365],
];

/** How many days an interval such as `7 days` is; undefined for one that is not written so plainly. */
export function readDays(text: string): number | undefined {
  const [, count, unit = ''] = /^\s*(\d+)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const days = unitDays.find(([name]) => name.test(unit.toLowerCase()))?.[1];
  return count === undefined || days === undefined ? undefined : Number(count) * days;
}

/** How many days lie between two moments that are written out. */
export function readSpanDays(from: string, to: string): number | undefined {
  const [start, end] = [from, to].map((text) => (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(`${text.slice(0, 10)}T00:00:00Z`) : Number.NaN));
  return start === undefined || end === undefined || Number.isNaN(start) || Number.isNaN(end) ? undefined : (end - start) / dayMs;
}
