import type { Column } from './comparison.js';

/** How many rows a condition may hold for: some that it names; a range without an end, which may be all; or all. */
export type Rows = 'some' | 'open' | 'all';

/** Where the values of a column may lie: a range up or down, everything but some, or what is named. */
type Side = 'up' | 'down' | 'not' | 'at';

export interface Extent {
  /** By the table that the columns are of. */
  readonly rows: ReadonlyMap<string, Rows>;
  readonly sides: readonly (readonly [column: string, side: Side])[];
  /** Tables that an equality ties together. */
  readonly ties: readonly (readonly [string, string])[];
}

const order: readonly Rows[] = ['all', 'open', 'some'];
export const most = (rows: readonly Rows[]): Rows => order.find((one) => rows.includes(one)) ?? 'all';
export const least = (rows: readonly Rows[]): Rows => order.findLast((one) => rows.includes(one)) ?? 'all';
export const nothing: Extent = { rows: new Map(), sides: [], ties: [] };

export const of = (column: Column, rows: Rows, sides: readonly Side[] = []): Extent => ({ rows: new Map([[column.table, rows]]), sides: sides.map((side) => [column.name, side] as const), ties: [] });

/** All of the parts must hold; together they bound some columns from both sides. */
export function both(parts: readonly Extent[], narrow: readonly Column[]): Extent {
  const tables = new Set(parts.flatMap(({ rows }) => [...rows.keys()]));
  const rows = new Map([...tables].map((table) => [table, least(parts.map((part) => part.rows.get(table) ?? 'all'))]));
  for (const column of narrow) rows.set(column.table, 'some');
  return { rows, sides: parts.flatMap(({ sides }) => sides), ties: parts.flatMap(({ ties }) => ties) };
}

/** One of the parts is enough. */
export function either(parts: readonly Extent[]): Extent {
  const sides = parts.flatMap((part) => part.sides);
  const split = parts.flatMap((part, index) => part.sides.map(([column, side]) => [column, side, index] as const));
  // Ranges that meet, or a value and everything but it, are all rows together.
  const isWhole = split.some(([column, side, index]) =>
    split.some(([other, opposite, at]) => other === column && at !== index && (side === 'not' || (side === 'up' && opposite === 'down'))),
  );
  const tables = new Set(parts.flatMap(({ rows }) => [...rows.keys()]));
  const rows = new Map([...tables].map((table) => [table, isWhole ? 'all' : most(parts.map((part) => part.rows.get(table) ?? 'all'))] as const));
  const [first = nothing, ...more] = parts;
  return { rows, sides, ties: first.ties.filter((tie) => more.every(({ ties }) => ties.some((other) => String(other) === String(tie)))) };
}
