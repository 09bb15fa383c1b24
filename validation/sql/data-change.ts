import { type DeleteStmt, type InsertStmt, type Node, parse, type ParseResult, type RangeVar, type UpdateStmt } from 'libpg-query';
import type { Finding } from '../script-validation.js';
import { readWhere } from './condition.js';
import { NotAllowed, refuse, toShape } from './refusal.js';
import { isColumnName, readColumn, readTypes, readValue, type Sql } from './sql-value.js';

interface OfTable {
  readonly schema: string;
  readonly table: string;
  /** Every `$n`, in the order in which the text has them. */
  readonly parameters: readonly number[];
  /** The columns that it sets or compares; for an INSERT, none. */
  readonly names: readonly string[];
}

/** What a data change does to which rows. The columns in `where` are those of `t`. */
export type DataChange =
  | (OfTable & { readonly kind: 'update'; readonly columns: readonly string[]; readonly where: Sql })
  | (OfTable & { readonly kind: 'delete'; readonly where: Sql })
  /** A value is null where only the target can say what it will be. */
  | (OfTable & { readonly kind: 'insert'; readonly columns: readonly string[]; readonly rows: readonly (readonly (Sql | null)[])[] });

/** What an allowed change does. Throws for a text that the rules do not allow. */
export async function readDataChange(text: string): Promise<DataChange> {
  const { change, findings } = await judgeDataChange(await parse(text));
  if (change === undefined) throw new Error(`not a data change that is allowed: ${findings.map(({ reason }) => reason).join(' ')}`);
  return change;
}

export const isDataChange = (tree: ParseResult): boolean => readStatement(tree) !== undefined;

/**
 * Allows one UPDATE, DELETE or INSERT … VALUES on the rows of one named table, with values that are constants or parameters.
 * Whatever stands in its tree and is not read here is a finding.
 */
export async function judgeDataChange(tree: ParseResult): Promise<{ readonly change?: DataChange; readonly findings: readonly Finding[] }> {
  const statement = readStatement(tree);
  if (statement === undefined) return { findings: [refuse('sql.oneStatement', tree.stmts, 'It is not exactly one UPDATE, DELETE or INSERT.', 'Write one such statement.')] };
  const castable = await readTypes();
  const findings: Finding[] = [];
  function attempt<Part>(read: () => Part): Part | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof NotAllowed)) throw error;
      findings.push(error.finding);
      return undefined;
    }
  }
  const change = readChange(statement, castable, attempt);
  return change === undefined || findings.length > 0 ? { findings } : { change: { ...change, parameters: listParameters(statement), names: listNames(change, statement) }, findings };
}

type Statement = Extract<Node, { UpdateStmt: UpdateStmt } | { DeleteStmt: DeleteStmt } | { InsertStmt: InsertStmt }>;
type Attempt = <Part>(read: () => Part) => Part | undefined;

function readStatement({ stmts: [only, ...more] = [] }: ParseResult): Statement | undefined {
  const node = only?.stmt;
  if (node === undefined || more.length > 0) return undefined;
  return 'UpdateStmt' in node || 'DeleteStmt' in node || 'InsertStmt' in node ? node : undefined;
}

type Unnumbered<Change> = Change extends DataChange ? Omit<Change, 'parameters' | 'names'> : never;

function readChange(statement: Statement, castable: ReadonlyMap<string, string>, attempt: Attempt): Unnumbered<DataChange> | undefined {
  if ('UpdateStmt' in statement) {
    const { relation, targetList = [], whereClause, ...rest } = statement.UpdateStmt;
    attempt(() => refuseMore(rest, 'UPDATE, SET and WHERE'));
    const table = attempt(() => readTable(relation));
    const columns = targetList.map((target) => attempt(() => readAssignment(target, castable)));
    const where = attempt(() => readWhere(whereClause, castable));
    return table && where && { ...table, kind: 'update', columns: columns.filter((column) => column !== undefined), where };
  }
  if ('DeleteStmt' in statement) {
    const { relation, whereClause, ...rest } = statement.DeleteStmt;
    attempt(() => refuseMore(rest, 'DELETE FROM and WHERE'));
    const table = attempt(() => readTable(relation));
    const where = attempt(() => readWhere(whereClause, castable));
    return table && where && { ...table, kind: 'delete', where };
  }
  const { relation, cols = [], selectStmt, override, ...rest } = statement.InsertStmt;
  attempt(() => refuseMore(override === 'OVERRIDING_NOT_SET' ? rest : { ...rest, override }, 'INSERT INTO and VALUES'));
  const table = attempt(() => readTable(relation));
  const columns = cols.map((column) => attempt(() => readInsertColumn(column)));
  const rows = attempt(() => readRows(selectStmt, columns.length, castable));
  return table && rows && { ...table, kind: 'insert', columns: columns.filter((column) => column !== undefined), rows };
}

/** Findings for what is left of a node after all that is known was taken out. */
function refuseMore(rest: object, allowed: string): void {
  if (Object.keys(rest).length > 0) throw new NotAllowed(refuse('sql.clause', rest, `It has clauses besides ${allowed}.`, 'Leave them out.'));
}

function readTable(relation: RangeVar | undefined): Pick<DataChange, 'schema' | 'table'> {
  const { schemaname: schema = '', relname: table = '', inh, relpersistence, location: _, ...rest } = relation ?? {};
  const refusal = (reason: string) => new NotAllowed(refuse('sql.table', relation, reason, 'Name one table of your own as schema.table, without an alias or ONLY.'));
  if (inh !== true || relpersistence !== 'p' || Object.keys(rest).length > 0) throw refusal('It does not name its table plainly.');
  if (schema === '') throw refusal('It leaves the schema of its table open.');
  if (schema.startsWith('pg_') || schema === 'information_schema') throw refusal("It changes one of Postgres' own tables.");
  if (!isColumnName(schema) || !isColumnName(table)) throw refusal('The name of its table is not plain ASCII.');
  return { schema, table };
}

function readAssignment(target: Node, castable: ReadonlyMap<string, string>): string {
  const { name = '', val, location: _, ...rest } = 'ResTarget' in target ? target.ResTarget : {};
  if (val === undefined || Object.keys(rest).length > 0 || !isColumnName(name)) {
    throw new NotAllowed(refuse('sql.assignment', target, 'It sets something other than a column.', 'Write column = value.'));
  }
  if ('A_Expr' in val) {
    const { kind, name: operator, lexpr, rexpr, location: __, ...more } = val.A_Expr;
    const [symbol] = operator?.length === 1 ? operator : [];
    const isArithmetic = kind === 'AEXPR_OP' && symbol !== undefined && 'String' in symbol && /^[-+*/]$/.test(symbol.String.sval ?? '');
    if (!isArithmetic || Object.keys(more).length > 0) {
      throw new NotAllowed(refuse('sql.assignment', val, 'It computes a value in another way than column + - * / value.', 'Write the value itself.'));
    }
    readColumn(lexpr);
    readValue(rexpr, castable);
  } else {
    readNewValue(val, castable);
  }
  return name;
}

const clocks = new Set([
  toShape({ FuncCall: { funcname: [{ String: { sval: 'now' } }], funcformat: 'COERCE_EXPLICIT_CALL' } }),
  toShape({ SQLValueFunction: { op: 'SVFOP_CURRENT_TIMESTAMP', typmod: -1 } }),
]);

/** What a column may become; null where only the target can say. */
function readNewValue(node: Node, castable: ReadonlyMap<string, string>): Sql | null {
  if ('SetToDefault' in node || clocks.has(toShape(node))) return null;
  return readValue(node, castable);
}

function readInsertColumn(column: Node): string {
  const { name = '', location: _, ...rest } = 'ResTarget' in column ? column.ResTarget : {};
  if (Object.keys(rest).length === 0 && isColumnName(name)) return name;
  throw new NotAllowed(refuse('sql.columnName', column, 'It fills something other than a column.', 'Name columns only.'));
}

function readRows(source: Node | undefined, width: number, castable: ReadonlyMap<string, string>): readonly (readonly (Sql | null)[])[] {
  const { valuesLists = [], limitOption, op, ...rest } = source !== undefined && 'SelectStmt' in source ? source.SelectStmt : {};
  const isPlain = limitOption === 'LIMIT_OPTION_DEFAULT' && op === 'SETOP_NONE' && Object.keys(rest).length === 0;
  const rows = valuesLists.map((list) => ('List' in list ? (list.List.items ?? []) : []));
  if (!isPlain || rows.length === 0 || rows.some((row) => row.length !== width)) {
    throw new NotAllowed(refuse('sql.values', source, 'It does not insert VALUES for the columns that it names.', 'Write INSERT INTO schema.table (column, …) VALUES (value, …).'));
  }
  return rows.map((row) => row.map((value) => readNewValue(value, castable)));
}

const listParameters = (statement: Statement): readonly number[] =>
  [...JSON.stringify(statement).matchAll(/"ParamRef":\{"number":(\d+)/g)].map(([, number]) => Number(number));

const listNames = (change: Unnumbered<DataChange>, statement: Statement): readonly string[] => {
  const compared = [...JSON.stringify(statement).matchAll(/"ColumnRef":\{"fields":\[\{"String":\{"sval":("(?:[^"\\]|\\.)*")/g)].map(([, name = '""']) => JSON.parse(name) as string);
  return change.kind === 'insert' ? [] : [...new Set([...(change.kind === 'update' ? change.columns : []), ...compared])];
};
