import type { A_Expr, Node, SelectStmt, SubLink } from 'libpg-query';
import { type Comparison, findNarrow, hasColumn, isBounding, isFixed, isNarrow, MAX_LIMIT, readColumn, readComparison } from './comparison.js';
import { readNumber, readOperator, readText } from './constant.js';
import { both, either, type Extent, least, most, nothing, of, type Rows } from './extent.js';
import { toShape } from './refusal.js';

/** What the rows of a query are, by the name that it has. */
export type Known = ReadonlyMap<string, Rows>;

/** How many of the target's rows a WHERE is about. `names` are those that columns of the target may be written with; `''` is none. */
export function judgeRows(where: Node | undefined, names: ReadonlySet<string>, others: Known, known: Known): Rows {
  if (where === undefined) return 'all';
  const { rows, ties } = judge(where, false, { names, known });
  const own = [...rows].filter(([table]) => names.has(table)).map(([, extent]) => extent);
  const tied = ties.flatMap(([left, right]) => (names.has(left) ? [right] : names.has(right) ? [left] : []));
  const joined = tied.filter((table) => !names.has(table)).map((table) => least([others.get(table) ?? 'all', rows.get(table) ?? 'all']));
  const looselyTied = names.has('') ? [] : ties.flatMap((tie) => (tie.includes('') && tie.some((table) => others.has(table)) ? (['open'] as const) : []));
  // A column without its table, beside other tables, may be of any of them.
  const loose = names.has('') || (rows.get('') ?? 'all') === 'all' ? 'all' : 'open';
  return least([...own, ...joined, ...looselyTied, loose]);
}

/** How many rows a query gives: those that a condition or a LIMIT names. */
export function judgeQueryRows(select: SelectStmt, outer: Known): Rows {
  if (select.larg !== undefined && select.rarg !== undefined) return most([judgeQueryRows(select.larg, outer), judgeQueryRows(select.rarg, outer)]);
  if (!isOwn(select, outer)) return 'all';
  if (select.valuesLists !== undefined) return 'some';
  const known = new Map([...outer, ...readQueries(select.withClause?.ctes, outer)]);
  const { sources, conditions } = flattenFrom(select.fromClause ?? [], known);
  if (sources.size === 0) return 'some';
  const target = readTarget(select);
  const [only] = sources.keys();
  const names = sources.size === 1 ? new Set([only ?? '', '']) : new Set([target ?? '']);
  const fromSource = sources.size === 1 ? (sources.get(only ?? '') ?? 'all') : target === undefined ? 'all' : (sources.get(target) ?? 'all');
  const rows = least([fromSource, judgeRows(joinAnd(select.whereClause, conditions), names, sources, known)]);
  const limit = readNumber(select.limitCount);
  // A LIMIT says how many, and only a condition which.
  return limit === undefined || limit > MAX_LIMIT ? rows : rows === 'all' ? 'open' : 'some';
}

/** A condition that demands all that the conditions do. */
export const joinAnd = (where: Node | undefined, conditions: readonly Node[]): Node | undefined =>
  conditions.reduce<Node | undefined>((joined, one) => (joined === undefined ? one : { BoolExpr: { boolop: 'AND_EXPR', args: [joined, one] } }), where);

/** The queries of a WITH, and how many rows each gives; a change gives those that it changes, so nothing is said of it. */
export function readQueries(ctes: readonly Node[] | undefined, outer: Known): Known {
  return (ctes ?? []).reduce<Known>((known, cte) => {
    if (!('CommonTableExpr' in cte)) return known;
    const { ctename = '', ctequery } = cte.CommonTableExpr;
    return new Map([...known, [ctename, ctequery !== undefined && 'SelectStmt' in ctequery ? judgeQueryRows(ctequery.SelectStmt, known) : 'all']]);
  }, outer);
}

/** What a FROM reads, by the name that its columns have, and what its inner joins demand. */
export function flattenFrom(from: readonly Node[], known: Known): { readonly sources: Known; readonly conditions: readonly Node[] } {
  const sources = new Map<string, Rows>();
  const conditions: Node[] = [];
  const add = (node: Node | undefined): void => {
    if (node === undefined) return;
    if ('RangeVar' in node) sources.set(node.RangeVar.alias?.aliasname ?? node.RangeVar.relname ?? '', known.get(node.RangeVar.schemaname === undefined ? (node.RangeVar.relname ?? '') : '') ?? 'all');
    else if ('RangeSubselect' in node) {
      const { alias, subquery } = node.RangeSubselect;
      sources.set(alias?.aliasname ?? '', subquery !== undefined && 'SelectStmt' in subquery ? judgeQueryRows(subquery.SelectStmt, known) : 'all');
    } else if ('RangeFunction' in node) sources.set(node.RangeFunction.alias?.aliasname ?? '', 'all');
    else if ('JoinExpr' in node) {
      const { larg, rarg, quals, jointype, usingClause = [] } = node.JoinExpr;
      const before = sources.size;
      add(larg);
      const [left] = [...sources.keys()].slice(before);
      const seen = sources.size;
      add(rarg);
      const [right] = [...sources.keys()].slice(seen);
      if (jointype !== 'JOIN_INNER') return;
      if (quals !== undefined) conditions.push(quals);
      if (usingClause.length > 0 && left !== undefined && right !== undefined) conditions.push(toTie(left, right, usingClause));
    } else sources.set('', 'all');
  };
  from.forEach(add);
  return { sources, conditions };
}

const toTie = (left: string, right: string, [column]: readonly Node[]): Node => {
  const toColumn = (table: string): Node => ({ ColumnRef: { fields: [{ String: { sval: table } }, ...(column === undefined ? [] : [column])] } });
  return { A_Expr: { kind: 'AEXPR_OP', name: [{ String: { sval: '=' } }], lexpr: toColumn(left), rexpr: toColumn(right) } };
};

/** The table that the only column of a query is of. */
function readTarget({ targetList = [] }: SelectStmt): string | undefined {
  const [only] = targetList;
  const value = only !== undefined && 'ResTarget' in only ? only.ResTarget.val : undefined;
  return readColumn(value)?.table;
}

interface Scope {
  readonly names: ReadonlySet<string>;
  readonly known: Known;
}

function judge(node: Node, negated: boolean, scope: Scope): Extent {
  if ('BoolExpr' in node) {
    const { boolop, args = [] } = node.BoolExpr;
    if (boolop === 'NOT_EXPR') return args[0] === undefined ? nothing : judge(args[0], !negated, scope);
    const parts = args.map((arg) => judge(arg, negated, scope));
    return (boolop === 'AND_EXPR') === negated ? either(parts) : both(parts, negated ? [] : findNarrow(args));
  }
  if ('NullTest' in node) {
    const column = readColumn(node.NullTest.arg);
    const isNull = (node.NullTest.nulltesttype === 'IS_NULL') !== negated;
    if (column !== undefined) return isNull ? of(column, 'some', ['at']) : of(column, 'open', ['not']);
  }
  if ('SubLink' in node) return judgeSubquery(node.SubLink, negated, scope);
  if ('A_Expr' in node) return judgeComparison(node, negated, scope);
  return unread(node);
}

/** A condition that is not understood may hold for all rows; one without a column does. */
function unread(node: Node): Extent {
  const tables = [...toShape(node).matchAll(/"ColumnRef":\{"fields":\[\{"String":\{"sval":"([^"]*)"\}\}(,)?/g)].map(([, name = '', more]) => (more === undefined ? '' : name));
  return hasColumn(node) ? { ...nothing, rows: new Map(tables.map((table) => [table, 'open'])) } : nothing;
}

function judgeComparison(node: { A_Expr: A_Expr }, negated: boolean, scope: Scope): Extent {
  const { kind, lexpr, rexpr } = node.A_Expr;
  const operator = readOperator(node);
  const column = readColumn(lexpr);
  const comparison = readComparison(node);
  if (comparison !== undefined) return judgeOrder(comparison, negated);
  if (operator === '=' && kind === 'AEXPR_OP' && !negated) {
    const other = readColumn(rexpr);
    if (column !== undefined && other !== undefined) return toShape(lexpr) === toShape(rexpr) || column.table === other.table ? nothing : { ...nothing, ties: [[column.table, other.table]] };
    const subselect = rexpr !== undefined && 'SubLink' in rexpr ? rexpr.SubLink.subselect : undefined;
    if (column !== undefined && subselect !== undefined && 'SelectStmt' in subselect && isOwn(subselect.SelectStmt, scope.known) && !isTied(subselect.SelectStmt, scope)) return of(column, 'some', ['at']);
  }
  if (column === undefined || rexpr === undefined || !isFixed(rexpr)) return unreadUnlessSame(node);
  const named = negated ? of(column, 'open', ['not']) : of(column, 'some', ['at']);
  const allBut = negated ? of(column, 'some', ['at']) : of(column, 'open', ['not']);
  const text = readText(rexpr);
  const form: string = kind ?? '';
  switch (form) {
    case 'AEXPR_IN':
      return operator === '=' ? named : allBut;
    case 'AEXPR_OP_ANY':
      return operator === '=' ? named : unread(node);
    case 'AEXPR_NOT_DISTINCT':
      return named;
    case 'AEXPR_DISTINCT':
      return allBut;
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      if (text === undefined || /^[%_]*$/.test(text)) return nothing;
      return operator?.startsWith('!') === true ? allBut : named;
    case 'AEXPR_BETWEEN': {
      const [low, high] = 'List' in rexpr ? (rexpr.List.items ?? []) : [];
      if (negated) return of(column, 'open', ['not']);
      return low !== undefined && high !== undefined && isNarrow(low, high) ? named : of(column, 'open', ['up', 'down']);
    }
    default:
      return unread(node);
  }
}

/** A comparison of something with itself says nothing. */
const unreadUnlessSame = (node: { A_Expr: A_Expr }): Extent => (toShape(node.A_Expr.lexpr) === toShape(node.A_Expr.rexpr) ? nothing : unread(node));

function judgeOrder({ column, operator, value }: Comparison, negated: boolean): Extent {
  if ('A_Const' in value && value.A_Const.boolval !== undefined) return of(column, 'open', ['not']);
  switch (operator) {
    case '=':
      return negated ? of(column, 'open', ['not']) : of(column, 'some', ['at']);
    case '<>':
      return negated ? of(column, 'some', ['at']) : of(column, 'open', ['not']);
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const goesUp = operator.startsWith('>') !== negated;
      return of(column, isBounding(value, goesUp) ? 'some' : 'open', [goesUp ? 'up' : 'down']);
    }
    default:
      return of(column, 'open', ['up', 'down']);
  }
}

function judgeSubquery(sublink: SubLink, negated: boolean, scope: Scope): Extent {
  const { subLinkType, testexpr, subselect } = sublink;
  const select = subselect !== undefined && 'SelectStmt' in subselect ? subselect.SelectStmt : undefined;
  const column = readColumn(testexpr);
  if (select === undefined) return nothing;
  const about = (rows: Rows): Extent => ({ ...nothing, rows: new Map([...scope.names].map((name) => [name, rows])) });
  if (subLinkType === 'EXISTS_SUBLINK') {
    return isTied(select, scope) ? about('open') : nothing;
  }
  if (subLinkType !== 'ANY_SUBLINK' || column === undefined || (sublink.operName ?? []).length > 0 || !isOwn(select, scope.known) || isTied(select, scope)) return about('open');
  if (negated) return of(column, 'open', ['not']);
  const rows = judgeQueryRows(select, scope.known);
  const reads = [...flattenFrom(select.fromClause ?? [], scope.known).sources.keys()];
  // The rows of a table that are in that table are all.
  return rows === 'all' ? (reads.some((name) => scope.names.has(name)) || reads.some((name) => scope.known.has(name)) ? nothing : of(column, 'open')) : of(column, rows, ['at']);
}

/** Whether a query looks at the row that is being judged, by the table's name. */
function isTied(select: SelectStmt, { names, known }: Scope): boolean {
  const { sources } = flattenFrom(select.fromClause ?? [], known);
  const shape = toShape(select);
  return [...names].some((name) => name !== '' && !sources.has(name) && shape.includes(`{"String":{"sval":${JSON.stringify(name)}}},`));
}

/** Whether what a query gives comes from its own FROM, and not from a row of the statement that it is in. */
function isOwn(select: SelectStmt, known: Known): boolean {
  if (select.larg !== undefined && select.rarg !== undefined) return isOwn(select.larg, known) && isOwn(select.rarg, known);
  if (select.valuesLists !== undefined) return !hasColumn(select.valuesLists);
  const { sources } = flattenFrom(select.fromClause ?? [], known);
  return (select.targetList ?? []).every((target) => {
    const value = 'ResTarget' in target ? target.ResTarget.val : undefined;
    if (value === undefined || !hasColumn(value)) return true;
    const table = 'FuncCall' in value && value.FuncCall.args?.length === 1 ? readColumn(value.FuncCall.args[0])?.table : readColumn(value)?.table;
    return table !== undefined && (table === '' ? sources.size > 0 : sources.has(table));
  });
}
