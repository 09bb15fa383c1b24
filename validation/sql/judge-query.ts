import type { A_Indirection, CommonTableExpr, FuncCall, Node, RangeVar, SelectStmt } from 'libpg-query';
import { isPlainSetting, isReadable, isSystemName, readingFunctions, riskyFunctions, volatileFunctions } from './allowed-names.js';
import { readNames, readNumber, readOperator, readText } from './constant.js';
import type { Remarks } from './remarks.js';
import { flattenFrom, joinAnd, judgeRows } from './row-extent.js';
import { walk } from './tree.js';

const MAX_SLEEP_S = 60;
const MAX_SERIES = 1_000_000;

/** Judges every function, table and operator in a statement, wherever they stand. Says whether it ends or stops sessions. */
export function judgeParts(root: Node, remarks: Remarks): void {
  walk(root, remarks, (node, within) => {
    if ('FuncCall' in node) judgeCall(node.FuncCall, within, remarks);
    else if ('RangeVar' in node) judgeTable(node.RangeVar, within, remarks);
    else if ('A_Indirection' in node) judgeField(node.A_Indirection, remarks);
    else if ('CommonTableExpr' in node) judgeNamedQuery(node.CommonTableExpr, within, remarks);
    else if ('SelectStmt' in node) judgeLocks(node.SelectStmt, within, remarks);
    else if ('A_Expr' in node && readOperator(node) === undefined) {
      remarks.deny('sql.operator', node, 'it uses an operator of a schema, which may run any code', "Use Postgres' own operators, without a schema");
    }
  });
}

function judgeCall(call: FuncCall, within: readonly Node[], remarks: Remarks): void {
  const { args = [] } = call;
  const names = readNames(call.funcname);
  const name = names.at(-1) ?? '';
  const schema = names.length === 1 ? '' : (names.at(-2) ?? '');
  if (names.length > 2 || (schema !== '' && schema !== 'pg_catalog')) {
    if (names.length > 2 || isSystemName(schema, name)) return denyCall(call, names.join('.'), remarks);
    return remarks.warn('sql.unknownFunction', call, `${names.join('.')} may do anything that its owner may, and what it does cannot be seen here`, 'Write what it does as plain statements, or let two people look at its source');
  }
  if (readingFunctions.has(name)) return judgeAmount(name, call, remarks);
  if (volatileFunctions.has(name)) return undefined;
  const risk = riskyFunctions.get(name);
  if (risk !== undefined) {
    const isDefault = name === 'nextval' && within.some((part) => 'Constraint' in part || 'InsertStmt' in part);
    return isDefault ? undefined : remarks.warn('sql.serverState', call, risk, 'Let two people look, and note what it was before');
  }
  switch (name) {
    case 'pg_cancel_backend':
    case 'pg_terminate_backend':
      return judgeSessionEnd(call, within, remarks);
    case 'pg_sleep': {
      const seconds = readNumber(args[0]);
      if (seconds === undefined || seconds > MAX_SLEEP_S) remarks.deny('sql.sleep', call, `it holds its session for an unknown time or more than ${MAX_SLEEP_S} seconds`, `Sleep for at most ${MAX_SLEEP_S} seconds`);
      return undefined;
    }
    case 'current_setting': {
      const setting = readText(args[0]);
      if (setting === undefined || !isPlainSetting(setting)) remarks.deny('sql.setting', call, 'it reads a setting that may hold a secret', 'Name one of the plain settings of Postgres');
      return undefined;
    }
    default:
      return denyCall(call, name, remarks);
  }
}

const denyCall = (call: FuncCall, name: string, remarks: Remarks): void =>
  remarks.deny('sql.function', call, `${name} is not one of the functions of Postgres that are known only to read`, 'Use functions that only compute or read; write a function of your own with its schema');

/** What is made out of nothing must have an end. */
function judgeAmount(name: string, call: FuncCall, remarks: Remarks): void {
  if (!/^(generate_series|repeat|lpad|rpad)$/.test(name)) return;
  const numbers = (call.args ?? []).map(readNumber).filter((number) => number !== undefined);
  if (numbers.some((number) => Math.abs(number) > MAX_SERIES)) remarks.deny('sql.amount', call, `${name} makes more than ${MAX_SERIES} of something`, 'Ask for less');
}

/** A session by its number is one that people looked at; any other choice is made when it runs. */
function judgeSessionEnd(call: FuncCall, within: readonly Node[], remarks: Remarks): void {
  const [pid] = call.args ?? [];
  if (pid !== undefined && ('ParamRef' in pid || readNumber(pid) !== undefined)) return;
  const select = within.findLast((node) => 'SelectStmt' in node);
  const { fromClause = [], whereClause } = select !== undefined && 'SelectStmt' in select ? select.SelectStmt : {};
  const column = pid !== undefined && 'ColumnRef' in pid ? readNames(pid.ColumnRef.fields) : [];
  const { sources, conditions } = flattenFrom(fromClause, new Map());
  const isOverSessions = column.at(-1) === 'pid' && sources.size > 0;
  const names = new Set([column.at(-2) ?? [...sources.keys()][0] ?? '', ...(sources.size === 1 ? [...sources.keys(), ''] : [])]);
  if (isOverSessions && sources.size === 1 && namesPids(whereClause)) return;
  const rows = isOverSessions ? judgeRows(joinAnd(whereClause, conditions), names, sources, new Map()) : 'all';
  if (rows === 'some') remarks.warn('sql.sessions', call, 'which sessions it ends is known only when it runs', 'List the sessions first, and name them by pid');
  else remarks.deny('sql.sessions', call, 'it may end every session, the ones of Postgres itself among them', 'Name the sessions by pid');
}

const listAnd = (node: Node): readonly Node[] => ('BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR' ? (node.BoolExpr.args ?? []).flatMap(listAnd) : [node]);

/** The values that a condition lets a column have, where it names them. */
function readNamed(where: Node | undefined, column: string): readonly Node[] | undefined {
  for (const part of where === undefined ? [] : listAnd(where)) {
    if (!('A_Expr' in part) || readOperator(part) !== '=') continue;
    const { kind, lexpr, rexpr } = part.A_Expr;
    if (lexpr === undefined || !('ColumnRef' in lexpr) || readNames(lexpr.ColumnRef.fields).at(-1) !== column || rexpr === undefined) continue;
    const values = kind === 'AEXPR_OP' ? [rexpr] : 'List' in rexpr ? (rexpr.List.items ?? []) : 'A_ArrayExpr' in rexpr ? (rexpr.A_ArrayExpr.elements ?? []) : [];
    if (values.length > 0) return values;
  }
  return undefined;
}

const namesPids = (where: Node | undefined): boolean => readNamed(where, 'pid')?.every((value) => 'ParamRef' in value || readNumber(value) !== undefined) ?? false;

function judgeTable({ schemaname = '', relname = '', ...rest }: RangeVar, within: readonly Node[], remarks: Remarks): void {
  if (!isSystemName(schemaname, relname)) return;
  const table = { schemaname, relname, ...rest };
  if (!isReadable(schemaname, relname)) {
    remarks.deny('sql.catalog', table, `${relname} is a table of Postgres that may hold secrets or powers`, 'Read pg_stat_activity, pg_locks, information_schema and the like');
    return;
  }
  if (relname !== 'pg_settings') return;
  const select = within.findLast((node) => 'SelectStmt' in node);
  const isAlone = select !== undefined && 'SelectStmt' in select && select.SelectStmt.fromClause?.length === 1 && 'RangeVar' in (select.SelectStmt.fromClause[0] ?? {});
  const named = isAlone ? readNamed(select.SelectStmt.whereClause, 'name') : undefined;
  if (named?.every((value) => isPlainSetting(readText(value) ?? '')) === true) return;
  remarks.warn('sql.setting', table, 'it shows all settings, and some hold connection strings and commands', "Add WHERE name = 'the_setting'");
}

/** `(x).f` calls the function f of x, where there is one. */
function judgeField({ arg, indirection = [] }: A_Indirection, remarks: Remarks): void {
  if (indirection.some((part) => 'String' in part)) remarks.deny('sql.field', arg, 'it takes a field of a value, which calls the function of that name where there is one', 'Write the column by its name, or the function as a call');
}

function judgeNamedQuery({ ctename = '', ctequery, location }: CommonTableExpr, within: readonly Node[], remarks: Remarks): void {
  if (ctequery === undefined || !('SelectStmt' in ctequery)) {
    return remarks.warn('sql.changeInWith', ctequery, 'it changes rows in a WITH, where a change is easily missed', 'Write the change as a statement of its own');
  }
  const parent = within.at(-1);
  const { rarg, op } = ctequery.SelectStmt;
  const readsItself = JSON.stringify(ctequery).includes(`"relname":${JSON.stringify(ctename)}`);
  if (parent === undefined || !('WithClause' in parent) || parent.WithClause.recursive !== true || !readsItself) return undefined;
  const { sources } = flattenFrom(rarg?.fromClause ?? [], new Map());
  const hasEnd = op === 'SETOP_UNION' && (rarg?.whereClause !== undefined || sources.size > 1);
  const place = { location };
  return hasEnd
    ? remarks.warn('sql.endless', place, `whether ${ctename} comes to an end depends on the data`, 'Bound it by a depth and a LIMIT')
    : remarks.deny('sql.endless', place, `nothing brings ${ctename} to an end`, 'Bound it by a condition');
}

/** Locks on rows that are chosen for a change are part of it; those on a whole table stop others. */
function judgeLocks({ lockingClause, whereClause, limitCount, targetList }: SelectStmt, within: readonly Node[], remarks: Remarks): void {
  if (lockingClause === undefined || whereClause !== undefined || limitCount !== undefined) return;
  remarks.warn('sql.lock', targetList ?? within.at(-1), 'it locks every row of a table', 'Say which rows by a WHERE or a LIMIT');
}
