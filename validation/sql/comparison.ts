import type { Node } from 'libpg-query';
import { readDays, readNames, readNumber, readOperator, readSpanDays, readText } from './constant.js';
import { toShape } from './refusal.js';

/** The longest list of rows that a LIMIT or two numbers may give. */
export const MAX_LIMIT = 100_000;
const MAX_DAYS = 366;
/** What is younger than this are the last few rows, and what is older than that are not all. */
const MAX_RECENT_DAYS = 31;
const MIN_OLD_DAYS = 1;

export interface Column {
  readonly table: string;
  readonly name: string;
}

/** The column that an expression is of, where each of its values comes from few of the column's. */
export function readColumn(node: Node | undefined): Column | undefined {
  if (node === undefined) return undefined;
  if ('ColumnRef' in node) {
    const names = readNames(node.ColumnRef.fields);
    return { table: names.at(-2) ?? '', name: names.at(-1) ?? '' };
  }
  if ('TypeCast' in node) return readColumn(node.TypeCast.arg);
  if ('FuncCall' in node) {
    const { funcname, args = [] } = node.FuncCall;
    const name = readNames(funcname).at(-1) ?? '';
    if (/^(lower|upper|btrim|date|md5)$/.test(name) && args.length === 1) return readColumn(args[0]);
    return name === 'date_trunc' && args.length === 2 ? readColumn(args[1]) : undefined;
  }
  const operator = readOperator(node);
  if (!('A_Expr' in node) || operator === undefined || !/^(->>?|#>>?)$/.test(operator)) return undefined;
  const member = readText(node.A_Expr.rexpr);
  const column = readColumn(node.A_Expr.lexpr);
  return member === undefined || column === undefined ? undefined : { ...column, name: `${column.name}${operator}${member}` };
}

export const isFixed = (node: Node | undefined): boolean => node !== undefined && !/"(ColumnRef|SubLink)":/.test(toShape(node));
export const hasColumn = (node: unknown): boolean => toShape(node).includes('"ColumnRef":');

export interface Comparison {
  readonly column: Column;
  readonly operator: string;
  readonly value: Node;
}

const mirrored: Readonly<Record<string, string>> = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** A comparison of a column with what is the same for each row. */
export function readComparison(node: Node): Comparison | undefined {
  const operator = readOperator(node);
  if (operator === undefined || !('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return undefined;
  const { lexpr, rexpr } = node.A_Expr;
  const [left, right] = [readColumn(lexpr), readColumn(rexpr)];
  if (left !== undefined && rexpr !== undefined && isFixed(rexpr)) return { column: left, operator, value: rexpr };
  const turned = mirrored[operator];
  return right !== undefined && turned !== undefined && lexpr !== undefined && isFixed(lexpr) ? { column: right, operator: turned, value: lexpr } : undefined;
}

/** Columns that two of the parts bound from both sides, closely. */
export function findNarrow(nodes: readonly Node[]): readonly Column[] {
  const bounds = nodes.flatMap((node) => {
    const comparison = readComparison(node);
    return comparison === undefined || !/^[<>]=?$/.test(comparison.operator) ? [] : [comparison];
  });
  return bounds.flatMap(({ column, operator, value }) => {
    const upper = operator.startsWith('>') ? bounds.find((other) => other.operator.startsWith('<') && other.column.name === column.name && other.column.table === column.table) : undefined;
    return upper !== undefined && isNarrow(value, upper.value) ? [column] : [];
  });
}

export function isNarrow(from: Node, to: Node): boolean {
  const [low, high] = [readNumber(from), readNumber(to)];
  if (low !== undefined && high !== undefined) return high - low <= MAX_LIMIT;
  const [start, end] = [readText(from), readText(to)];
  const days = start === undefined || end === undefined ? undefined : readSpanDays(start, end);
  if (days !== undefined) return days <= MAX_DAYS;
  const ago = readAgo(from);
  return ago !== undefined && ago <= MAX_DAYS;
}

/** Whether a range that has one end leaves rows out: nobody can tell of a number, but of a time that is some days ago. */
export function isBounding(value: Node, goesUp: boolean): boolean {
  const days = readAgo(value);
  return days !== undefined && (goesUp ? days <= MAX_RECENT_DAYS : days >= MIN_OLD_DAYS);
}

/** How many days ago `now() - interval '7 days'` is. */
function readAgo(node: Node): number | undefined {
  if ('TypeCast' in node) return readAgo(node.TypeCast.arg ?? { List: {} });
  if (!('A_Expr' in node) || readOperator(node) !== '-') return undefined;
  const { lexpr, rexpr } = node.A_Expr;
  const isNow = lexpr !== undefined && ('SQLValueFunction' in lexpr || ('FuncCall' in lexpr && /^(now|clock_timestamp|statement_timestamp|transaction_timestamp)$/.test(readNames(lexpr.FuncCall.funcname).at(-1) ?? '')));
  const days = readNumber(rexpr);
  const text = readText(rexpr);
  return isNow ? (text === undefined ? days : readDays(text)) : undefined;
}
