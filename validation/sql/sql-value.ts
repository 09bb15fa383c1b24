import { type A_Const, type Node, parse } from 'libpg-query';
import { NotAllowed, refuse, toShape } from './refusal.js';

/** SQL rebuilt from a tree that the rules allow. A number is the parameter `$n`, so that parts can be joined and then numbered anew. */
export type Sql = readonly (string | number)[];

/** The text and values to send, with the parameters numbered in the order in which they are used. */
export function toQuery(sql: Sql, parameters: readonly string[]): { readonly text: string; readonly values: string[] } {
  const values: string[] = [];
  const text = sql.map((part) => (typeof part === 'string' ? part : `$${values.push(parameters[part - 1] ?? '')}`)).join('');
  return { text, values };
}

export const joinSql = (parts: readonly Sql[], separator: string): Sql => parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));

/** A name as Postgres reads it exactly. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const types =
  'smallint,integer,bigint,numeric,real,double precision,text,boolean,date,timestamp,timestamptz,interval,uuid,json,jsonb,bytea'.split(',');

let typesByShape: Promise<ReadonlyMap<string, string>> | undefined;
/** The types that a value may be cast to, by the shape of their tree. */
export const readTypes = (): Promise<ReadonlyMap<string, string>> =>
  (typesByShape ??= Promise.all(types.map(async (type) => [await parseTypeShape(type), type] as const)).then((pairs) => new Map(pairs)));

async function parseTypeShape(type: string): Promise<string> {
  const { stmts: [only] = [] } = await parse(`SELECT $1::${type}`);
  const [target] = only?.stmt !== undefined && 'SelectStmt' in only.stmt ? (only.stmt.SelectStmt.targetList ?? []) : [];
  const cast = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined;
  if (cast === undefined || !('TypeCast' in cast)) throw new Error(`not a type: ${type}`);
  return toShape(cast.TypeCast.typeName);
}

/** A constant or a parameter, cast to a plain type or not. Throws `NotAllowed` for anything else. */
export function readValue(node: Node | undefined, castable: ReadonlyMap<string, string>): Sql {
  if (node !== undefined && 'ParamRef' in node && node.ParamRef.number !== undefined && node.ParamRef.number > 0) return [node.ParamRef.number];
  if (node !== undefined && 'A_Const' in node) {
    const text = readConstant(node.A_Const);
    if (text !== undefined) return [text];
  }
  if (node !== undefined && 'TypeCast' in node) {
    const { arg, typeName, location: _, ...rest } = node.TypeCast;
    const type = castable.get(toShape(typeName));
    if (type !== undefined && Object.keys(rest).length === 0 && arg !== undefined && !('TypeCast' in arg)) return ['CAST(', ...readValue(arg, castable), ` AS ${type})`];
  }
  throw new NotAllowed(refuse('sql.value', node, 'It has a value that is neither a constant nor a parameter.', `Write a constant or $n, cast to none or one of: ${types.join(', ')}.`));
}

function readConstant(constant: A_Const): string | undefined {
  const kinds = Object.keys(constant).filter((field) => field !== 'location');
  if (kinds.length !== 1) return undefined;
  const { isnull, boolval, ival, fval, sval } = constant;
  if (isnull === true) return 'NULL';
  if (boolval !== undefined) return boolval.boolval === true ? 'TRUE' : 'FALSE';
  // Parentheses, because a minus binds less than a cast.
  if (ival !== undefined) return `(${ival.ival ?? 0})`;
  if (fval !== undefined) return /^-?[0-9.]+(e[-+]?[0-9]+)?$/i.test(fval.fval ?? '') ? `(${fval.fval})` : undefined;
  // Whoever sends it has standard_conforming_strings on, so a backslash is a backslash.
  return sval === undefined ? undefined : `'${(sval.sval ?? '').replaceAll("'", "''")}'`;
}

const systemColumns = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

/** The name of a column. Not one of the system's: what those say of a row changes with its place. */
export function readColumn(node: Node | undefined): string {
  const fields = node !== undefined && 'ColumnRef' in node ? (node.ColumnRef.fields ?? []) : [];
  const [field] = fields;
  const name = field !== undefined && 'String' in field ? field.String.sval : undefined;
  if (fields.length === 1 && name !== undefined && isColumnName(name)) return name;
  throw new NotAllowed(refuse('sql.columnName', node, 'It has something where the plain name of a column must stand.', 'Write the name of a column of the table, without the table.'));
}

export const isColumnName = (name: string): boolean => /^[\x20-\x7e]+$/.test(name) && !systemColumns.has(name);
