import type pg from 'pg';
import { quoteName } from '../../validation/sql/sql-value.js';
import type { DataChange } from '../../validation/sql/data-change.js';

interface Column {
  readonly name: string;
  readonly type: string;
  /** Computed from the others, so that it cannot be written. */
  readonly isGenerated: boolean;
  readonly isAlwaysIdentity: boolean;
}

/** A table as its catalog has it, and what of it would fire or follow when a change is made or taken back. */
export interface Table {
  /** As people write it. */
  readonly name: string;
  /** As Postgres reads it. */
  readonly quoted: string;
  readonly columns: readonly Column[];
  /** The primary key; empty where there is none. */
  readonly key: readonly Column[];
  readonly kind: string;
  readonly hasForeignParts: boolean;
  readonly hasParts: boolean;
  readonly triggers: readonly string[];
  readonly rules: readonly string[];
  readonly cascades: readonly string[];
  readonly encoding: string;
}

// Bits of pg_trigger.tgtype, and letters of pg_rewrite.ev_type; what takes a change back counts, too.
const fired = {
  update: { triggers: 16, rules: ['2'] },
  delete: { triggers: 8 | 4, rules: ['4', '3'] },
  insert: { triggers: 4 | 8, rules: ['3', '4'] },
} as const;

const DESCRIBE = `
  with recursive parts as (
    select inhrelid as oid from pg_inherits where inhparent = $1::regclass
    union all select i.inhrelid from pg_inherits i join parts p on i.inhparent = p.oid
  ), columns as (
    select a.attnum, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type, a.attgenerated <> '' as "isGenerated", a.attidentity = 'a' as "isAlwaysIdentity"
      from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
  ), key as (
    select k.attnum, k.place from pg_index i, unnest(i.indkey::int2[]) with ordinality k(attnum, place)
     where i.indrelid = $1::regclass and i.indisprimary and k.place <= i.indnkeyatts
  )
  select c.relkind as kind,
         exists (select from parts) as "hasParts",
         exists (select from parts join pg_class p using (oid) where p.relkind = 'f') as "hasForeignParts",
         (select coalesce(json_agg(to_json(o) order by o.attnum), '[]') from columns o) as columns,
         (select coalesce(json_agg(to_json(o) order by k.place), '[]') from columns o join key k using (attnum)) as key,
         array(select tgname::text from pg_trigger where tgrelid = c.oid and not tgisinternal and tgenabled in ('O', 'A') and tgtype & $2::int <> 0 order by 1) as triggers,
         array(select rulename::text from pg_rewrite where ev_class = c.oid and ev_enabled in ('O', 'A') and ev_type::text = any ($3::text[]) order by 1) as rules,
         array(select conname::text from pg_constraint f where contype = 'f' and confrelid = c.oid and case when $4
                 then confupdtype in ('c', 'n', 'd') and exists (select from columns o where o.attnum = any (f.confkey) and o.name = any ($5::text[]))
                 else confdeltype in ('c', 'n', 'd') end order by 1) as cascades,
         current_setting('server_encoding') as encoding
    from pg_class c where c.oid = $1::regclass`;

/** Reads what a change's table is like. Throws what Postgres says where it is not there. */
export async function readTable(client: pg.Client, change: DataChange): Promise<Table> {
  const quoted = `${quoteName(change.schema)}.${quoteName(change.table)}`;
  const { triggers, rules } = fired[change.kind];
  const { rows } = await client.query<Omit<Table, 'name' | 'quoted'>>(DESCRIBE, [quoted, triggers, [...rules], change.kind === 'update', change.kind === 'update' ? [...change.columns] : []]);
  const [table] = rows;
  if (table === undefined) throw new Error(`the catalog has nothing about ${quoted}`);
  return { ...table, name: `${change.schema}.${change.table}`, quoted };
}

/** Why a change of a table could not be taken back exactly, whatever its rows are; undefined when it could. */
export function findObstacle(table: Table, change: DataChange): string | undefined {
  const { name, key, triggers, rules, cascades } = table;
  if (key.length === 0) return `${name} has no primary key to find its rows by`;
  if (table.hasParts || table.kind === 'p') return `${name} has partitions or tables that inherit from it`;
  if (triggers.length > 0) return `triggers of ${name} fire: ${triggers.join(', ')}`;
  if (rules.length > 0) return `rules of ${name} apply: ${rules.join(', ')}`;
  if (cascades.length > 0) return `foreign keys of others follow what happens to ${name}: ${cascades.join(', ')}`;
  if (table.encoding === 'SQL_ASCII') return `texts of ${name} have no known encoding`;
  if (change.kind !== 'update') return undefined;
  const moved = key.filter((column) => change.columns.includes(column.name));
  if (moved.length > 0) return `it changes the primary key of ${name}`;
  const numbered = table.columns.filter((column) => column.isAlwaysIdentity && change.columns.includes(column.name));
  return numbered.length > 0 ? `${numbered.map((column) => column.name).join(', ')} of ${name} can only be numbered by Postgres` : undefined;
}
