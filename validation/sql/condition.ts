import type { A_Expr, Node } from 'libpg-query';
import { NotAllowed, refuse } from './refusal.js';
import { joinSql, quoteName, readColumn, readValue, type Sql } from './sql-value.js';

/** A condition rebuilt, its columns those of `t`; and whether it, or its opposite, aims at some rows rather than at all but some. */
interface Condition {
  readonly sql: Sql;
  readonly aims: boolean;
  readonly oppositeAims: boolean;
}

const form = 'Compare a column with a constant or $n by = <> < <= > >=, IN, BETWEEN, LIKE or IS [NOT] NULL; join by AND, OR, NOT.';
const notAllowed = (node: unknown) => new NotAllowed(refuse('sql.condition', node, 'It has a condition that is not a comparison of a column with a value.', form));

/** Rebuilds a WHERE whose every part is known, and which does not hold for the whole table. Throws `NotAllowed` for any other. */
export function readWhere(node: Node | undefined, castable: ReadonlyMap<string, string>): Sql {
  if (node === undefined) throw new NotAllowed(refuse('sql.condition', undefined, 'It has no WHERE, so it would change the whole table.', form));
  const { sql, aims } = readCondition(node, castable);
  if (aims) return sql;
  throw new NotAllowed(refuse('sql.condition', node, 'It aims at all rows but some.', 'Say which rows it is about by =, <, >, IN, BETWEEN, LIKE or IS NULL, in every alternative of an OR.'));
}

function readCondition(node: Node, castable: ReadonlyMap<string, string>): Condition {
  if ('A_Expr' in node) return readComparison(node.A_Expr, castable);
  if ('NullTest' in node) {
    const { arg, nulltesttype, location: _, ...rest } = node.NullTest;
    if (Object.keys(rest).length > 0) throw notAllowed(node);
    const isNull = nulltesttype === 'IS_NULL';
    return { sql: [`(${toReference(arg)} IS ${isNull ? '' : 'NOT '}NULL)`], aims: isNull, oppositeAims: !isNull };
  }
  if (!('BoolExpr' in node)) throw notAllowed(node);
  const { boolop, args = [], location: _, ...rest } = node.BoolExpr;
  const parts = args.map((arg) => readCondition(arg, castable));
  const [first] = parts;
  if (first === undefined || Object.keys(rest).length > 0) throw notAllowed(node);
  const join = (separator: string): Sql => ['(', ...joinSql(parts.map(({ sql }) => sql), separator), ')'];
  switch (boolop) {
    case 'AND_EXPR':
      return { sql: join(' AND '), aims: parts.some(({ aims }) => aims), oppositeAims: parts.every(({ oppositeAims }) => oppositeAims) };
    case 'OR_EXPR':
      return { sql: join(' OR '), aims: parts.every(({ aims }) => aims), oppositeAims: parts.some(({ oppositeAims }) => oppositeAims) };
    case 'NOT_EXPR':
      return { sql: ['(NOT ', ...first.sql, ')'], aims: first.oppositeAims, oppositeAims: first.aims };
    case undefined:
    default:
      throw notAllowed(node);
  }
}

const toReference = (node: Node | undefined): string => `t.${quoteName(readColumn(node))}`;
const orders = new Set(['<', '<=', '>', '>=']);

function readComparison(comparison: A_Expr, castable: ReadonlyMap<string, string>): Condition {
  const { kind, name: [operator] = [], lexpr, rexpr, location: _, rexpr_list_start: __, rexpr_list_end: ___, ...rest } = comparison;
  const symbol = comparison.name?.length === 1 && operator !== undefined && 'String' in operator ? operator.String.sval : undefined;
  if (Object.keys(rest).length > 0 || symbol === undefined) throw notAllowed(comparison);
  const value = (node: Node | undefined) => readValue(node, castable);
  const items = rexpr !== undefined && 'List' in rexpr ? (rexpr.List.items ?? []) : [];
  /** `isPositive`: it aims; otherwise its opposite does. */
  const written = (words: string, right: Sql, isPositive: boolean, isOrder = false): Condition => ({
    sql: [`(${toReference(lexpr)} ${words} `, ...right, ')'],
    aims: isPositive || isOrder,
    oppositeAims: !isPositive || isOrder,
  });
  switch (`${kind} ${symbol}`) {
    case 'AEXPR_IN =':
      return written('IN', ['(', ...joinSql(items.map(value), ', '), ')'], true);
    case 'AEXPR_IN <>':
      return written('NOT IN', ['(', ...joinSql(items.map(value), ', '), ')'], false);
    case 'AEXPR_BETWEEN BETWEEN':
      return written('BETWEEN', joinSql(items.map(value), ' AND '), true);
    case 'AEXPR_NOT_BETWEEN NOT BETWEEN':
      return written('NOT BETWEEN', joinSql(items.map(value), ' AND '), false);
    case 'AEXPR_LIKE ~~':
      return isAnything(rexpr) ? { ...written('LIKE', value(rexpr), false), oppositeAims: false } : written('LIKE', value(rexpr), true);
    case 'AEXPR_LIKE !~~':
      return { ...written('NOT LIKE', value(rexpr), false), oppositeAims: !isAnything(rexpr) };
    case 'AEXPR_OP =':
      return written('=', value(rexpr), true);
    case 'AEXPR_OP <>':
      return written('<>', value(rexpr), false);
    default:
      if (kind === 'AEXPR_OP' && orders.has(symbol)) return written(symbol, value(rexpr), true, true);
      throw notAllowed(comparison);
  }
}

/** A pattern that every text fits. */
function isAnything(node: Node | undefined): boolean {
  if (node !== undefined && 'TypeCast' in node) return isAnything(node.TypeCast.arg);
  return node !== undefined && 'A_Const' in node && /^%+$/.test(node.A_Const.sval?.sval ?? '');
}
