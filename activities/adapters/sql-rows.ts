import type pg from 'pg';
import { isSecretKey, MASK } from '../../domain/looks-secret.js';
import type { DataChange } from '../../validation/sql/data-change.js';
import { joinSql, quoteName, type Sql, toQuery } from '../../validation/sql/sql-value.js';
import type { Table } from './sql-table.js';

/** A row by its primary key, whole, as text that Postgres reads back exactly. */
export interface Row {
  readonly key: readonly string[];
  readonly image: string;
}


const idOf = ({ key }: Row): string => JSON.stringify(key);

/** The same text for the same rows. */
export const toSnapshot = (rows: readonly Row[]): string => JSON.stringify(rows.map(({ key, image }) => [key, image] as const).toSorted(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)));
export const fromSnapshot = (text: string): readonly Row[] => (JSON.parse(text) as [string[], string][]).map(([key, image]) => ({ key, image }));

/** Rows that only one has, or that are not the same in both; the first few by name. Undefined when there are none. */
export function describeDifference(rows: readonly Row[], others: readonly Row[], { key }: Table): string | undefined {
  const images = new Map(rows.map((row) => [idOf(row), row.image]));
  const otherImages = new Map(others.map((row) => [idOf(row), row.image]));
  const different = [...new Map([...rows, ...others].map((row) => [idOf(row), row])).values()].filter((row) => images.get(idOf(row)) !== otherImages.get(idOf(row)));
  if (different.length === 0) return undefined;
  const named = different.slice(0, SHOWN).map((row) => nameRow(row, key.map(({ name }) => name)));
  return `${countRows(different.length)} (${named.join('; ')}${different.length > SHOWN ? '; …' : ''})`;
}

const SHOWN = 5;
export const countRows = (count: number): string => `${count} ${count === 1 ? 'row' : 'rows'}`;
const nameRow = ({ key }: Row, names: readonly string[]): string => toLine(names.map((name, index) => `${name} ${isSecretKey(name) ? MASK : (key[index] ?? '')}`).join(', '), 80);

/** Text of a row on one line, with nothing that would make it look like something else. */
export function toLine(text: string, maxLength: number): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, '·');
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line;
}

/** Which rows a change touches; undefined for an INSERT whose keys only the target will give. */
export function toWhere(change: DataChange, table: Table): Sql | undefined {
  if (change.kind !== 'insert') return change.where;
  const alternatives = change.rows.map((row) => {
    const parts = table.key.map(({ name }) => {
      const value = row[change.columns.indexOf(name)];
      return value === undefined || value === null || value[0] === 'NULL' ? undefined : [`t.${quoteName(name)} = `, ...value];
    });
    return parts.length === 0 || parts.includes(undefined) ? undefined : joinSql(parts.filter((part) => part !== undefined), ' AND ');
  });
  const known = alternatives.filter((alternative) => alternative !== undefined);
  return known.length < alternatives.length ? undefined : joinSql(known, ' OR ');
}

type Lock = '' | 'for update';

/** What rows are many and how large, with a hash over all of them that does not need them here. */
export async function weighRows(client: pg.Client, { quoted }: Table, where: Sql, parameters: readonly string[], lock: Lock): Promise<{ readonly count: number; readonly bytes: number; readonly hash: string }> {
  const { rows } = await client.query<{ count: number; bytes: string; hash: string }>(
    toQuery(
      [
        `select count(*)::int as count, coalesce(sum(length), 0)::text as bytes, encode(sha256(coalesce(string_agg(hash, ''::bytea order by hash), ''::bytea)), 'hex') as hash
           from (select octet_length((t.*)::text) as length, sha256(convert_to((t.*)::text, 'UTF8')) as hash from ${quoted} as t where `,
        ...where,
        ` ${lock}) as one`,
      ],
      parameters,
    ),
  );
  const [weight] = rows;
  if (weight === undefined) throw new Error('a count came without a row');
  return { ...weight, bytes: Number(weight.bytes) };
}

const images = ({ key, quoted }: Table, from: string): string =>
  `select array[${key.map(({ name }) => `t.${quoteName(name)}::text`).join(', ')}]::text[] as key, (t.*)::text as image from ${quoted} as t ${from}`;

export async function readRows(client: pg.Client, table: Table, where: Sql, parameters: readonly string[], lock: Lock): Promise<readonly Row[]> {
  const order = table.key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  const { rows } = await client.query<Row>(
    toQuery([images(table, 'where '), ...where, order === '' ? '' : ` order by ${order}`, ` ${lock}`], parameters),
  );
  return rows;
}

/** Which rows a condition holds for, as long as nobody changes them. */
export async function locateRows(client: pg.Client, { quoted }: Table, where: Sql, parameters: readonly string[]): Promise<string> {
  const { rows } = await client.query<{ places: string }>(
    toQuery([`select encode(sha256(convert_to(coalesce(string_agg(t.tableoid || ' ' || t.ctid, ',' order by t.tableoid, t.ctid), ''), 'UTF8')), 'hex') as places from ${quoted} as t where `, ...where], parameters),
  );
  return rows[0]?.places ?? '';
}

/** The first few rows as people may see them: by their key, with what a change sets and compares, without secrets. */
export async function showRows(client: pg.Client, table: Table, { names }: DataChange, where: Sql, parameters: readonly string[]): Promise<readonly string[]> {
  const keys = table.key.map(({ name }) => name);
  const rest = names.filter((name) => !keys.includes(name));
  const values = [...keys, ...rest].map((name) => (isSecretKey(name) ? `'${MASK}'` : `coalesce(t.${quoteName(name)}::text, 'null')`));
  const order = keys.map((name) => `t.${quoteName(name)}`).join(', ');
  const { rows } = await client.query<{ values: readonly string[] }>(
    toQuery([`select array[${values.join(', ')}]::text[] as values from ${table.quoted} as t where `, ...where, order === '' ? '' : ` order by ${order}`, ` limit ${SHOWN}`], parameters),
  );
  return rows.map((row) => {
    const shown = [...keys, ...rest].map((name, index) => `${name} ${row.values[index] ?? ''}`);
    return toLine(`- ${[shown.slice(0, keys.length).join(', '), shown.slice(keys.length).join(', ')].filter((part) => part !== '').join(': ')}`, 240);
  });
}

/** The rows with these keys, as they are now and as nobody else can change them meanwhile. */
export async function lockRows(client: pg.Client, table: Table, keys: readonly Row[]): Promise<readonly Row[]> {
  const order = table.key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  const { rows } = await client.query<Row>(`${images(table, `${joinKeys(table, 'join')} order by ${order} for update of t`)}`, toKeyColumns(table, keys));
  return rows;
}

function joinKeys({ key }: Table, word: 'join' | 'using'): string {
  const list = `rows from (${key.map((_, index) => `pg_catalog.unnest($${index + 1}::text[])`).join(', ')}) as k(${key.map((_, index) => `k${index}`).join(', ')})`;
  return `${word} ${list} ${word === 'join' ? 'on' : 'where'} ${key.map(({ name, type }, index) => `t.${quoteName(name)} operator(pg_catalog.=) k.k${index}::${type}`).join(' and ')}`;
}
const toKeyColumns = ({ key }: Table, rows: readonly Row[]): string[][] => key.map((_, index) => rows.map((row) => row.key[index] ?? ''));

/** Makes the rows that a change left what they were before it. */
export async function restoreRows(client: pg.Client, table: Table, change: DataChange, before: readonly Row[], left: readonly Row[]): Promise<void> {
  const { quoted, key } = table;
  const was = `(select image::${quoted} as was from pg_catalog.unnest($1::text[]) as one(image)) as one`;
  switch (change.kind) {
    case 'insert':
      await client.query(`delete from ${quoted} as t ${joinKeys(table, 'using')}`, toKeyColumns(table, left));
      return;
    case 'update': {
      const columns = table.columns.filter(({ name, isGenerated }) => change.columns.includes(name) && !isGenerated).map(({ name }) => quoteName(name));
      const isSame = key.map(({ name }) => `t.${quoteName(name)} operator(pg_catalog.=) (one.was).${quoteName(name)}`).join(' and ');
      await client.query(`update ${quoted} as t set ${columns.map((name) => `${name} = (one.was).${name}`).join(', ')} from ${was} where ${isSame}`, [before.map(({ image }) => image)]);
      return;
    }
    case 'delete': {
      const columns = table.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => quoteName(name));
      await client.query(
        `insert into ${quoted} (${columns.join(', ')}) overriding system value select ${columns.map((name) => `(one.was).${name}`).join(', ')} from ${was}`,
        [before.map(({ image }) => image)],
      );
    }
  }
}
