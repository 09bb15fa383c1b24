import { describe, expect, it } from '@jest/globals';
import { readDataChange } from '../../validation/sql/data-change.js';
import { toQuery } from '../../validation/sql/sql-value.js';
import { validateSql } from '../../validation/sql/validate-sql.js';

describe('a change of rows that says which', () => {
  it.each([
    'UPDATE shop.orders SET status = $1 WHERE id = $2',
    "update shop.orders set status = 'queued', attempts = 0, error = NULL, started_at = DEFAULT where id = 42;",
    'UPDATE shop.orders SET attempts = attempts + 1, price = price * 1.5, n = n - $1, m = m / 2 WHERE id IN (1, 2, $2)',
    'UPDATE shop.orders SET changed_at = now(), seen_at = CURRENT_TIMESTAMP WHERE id = 1',
    "UPDATE shop.orders SET at = '2026-01-01'::timestamptz, on_day = date '2026-01-01', price = CAST($1 AS numeric), ok = true WHERE id = $2::bigint",
    'UPDATE "Shop"."Orders" SET "Status" = \'a\' WHERE "Id" = -1',
    "DELETE FROM shop.locks WHERE name = 'nightly' AND taken_at < $1",
    "DELETE FROM shop.locks WHERE (taken_at BETWEEN '2026-01-01' AND $1 OR name LIKE 'old-%') AND owner IS NULL AND NOT name = 'keep'",
    'DELETE FROM shop.locks WHERE NOT (id <> 7)',
    'DELETE FROM shop.locks WHERE id > 5 AND owner IS NOT NULL AND name NOT IN ($1) AND n NOT BETWEEN 1 AND 2',
    "INSERT INTO shop.flags (name, is_on, at) VALUES ('dark', true, now()), ($1, DEFAULT, NULL)",
  ])('is for people to review: %j', async (text) => {
    expect(await validateSql(text)).toEqual({ result: 'review', findings: [], reach: 'row' });
  });
});

describe('any other change of rows', () => {
  const hostile: readonly (readonly [rule: string, text: string])[] = [
    // Which rows.
    ['sql.condition', 'DELETE FROM shop.orders'],
    ['sql.condition', 'UPDATE shop.orders SET n = 1'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE true'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE NOT false'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE paid'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE $1'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE $1::boolean'],
    ['sql.columnName', 'DELETE FROM shop.orders WHERE 1 = 1'],
    ['sql.columnName', 'DELETE FROM shop.orders WHERE id = 1 OR 1 = 1'],
    ['sql.columnName', 'DELETE FROM shop.orders WHERE NULL IS NULL'],
    ['sql.value', 'DELETE FROM shop.orders WHERE $1 = id'],
    ['sql.value', 'DELETE FROM shop.orders WHERE id = id'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id IS NOT NULL'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE NOT id IS NULL'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id <> 0'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id != 0 AND name IS NOT NULL'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE NOT id = 0'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE NOT (id = 0 AND n = 1)'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id = 1 OR id <> 1'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id NOT IN (0)'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id NOT BETWEEN 1 AND 0'],
    ['sql.condition', "DELETE FROM shop.orders WHERE name LIKE '%'"],
    ['sql.condition', "DELETE FROM shop.orders WHERE name LIKE '%%'::text"],
    ['sql.condition', "DELETE FROM shop.orders WHERE name NOT LIKE 'x'"],
    ['sql.condition', "DELETE FROM shop.orders WHERE NOT name NOT LIKE '%'"],
    ['sql.value', 'DELETE FROM shop.orders WHERE id > (SELECT -1)'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id IN (SELECT id FROM shop.orders)'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE EXISTS (SELECT 1)'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id = ANY ($1)'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE paid IS TRUE'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id IS DISTINCT FROM 1'],
    ['sql.condition', "DELETE FROM shop.orders WHERE name ILIKE 'a'"],
    ['sql.condition', "DELETE FROM shop.orders WHERE name SIMILAR TO 'a'"],
    ['sql.condition', "DELETE FROM shop.orders WHERE name ~ 'a'"],
    ['sql.value', "DELETE FROM shop.orders WHERE name LIKE 'a' ESCAPE '!'"],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id BETWEEN SYMMETRIC 2 AND 1'],
    ['sql.condition', 'DELETE FROM shop.orders WHERE id OPERATOR(evil.=) 1'],
    ['sql.value', 'DELETE FROM shop.orders WHERE (id, n) = (1, 2)'],
    ['sql.columnName', 'DELETE FROM shop.orders WHERE lower(name) = $1'],
    ['sql.columnName', 'DELETE FROM shop.orders WHERE id::text = $1'],
    ['sql.columnName', 'DELETE FROM shop.orders WHERE orders.id = 1'],
    ['sql.columnName', 'DELETE FROM shop.orders WHERE tags[1] = 1'],
    ['sql.columnName', "DELETE FROM shop.orders WHERE ctid = '(0,1)'"],
    ['sql.columnName', "DELETE FROM shop.orders WHERE xmin = '1'"],
    ['sql.columnName', "DELETE FROM shop.orders WHERE U&\"i\\0501\" = 1"],
    ['sql.condition', 'DELETE FROM shop.orders WHERE CURRENT OF c'],
    // Values.
    ['sql.value', "UPDATE shop.orders SET email = pg_read_file('/etc/passwd') WHERE id = 1"],
    ['sql.value', 'UPDATE shop.orders SET n = (SELECT 1) WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = other WHERE id = 1'],
    ['sql.value', "UPDATE shop.orders SET n = nextval('s') WHERE id = 1"],
    ['sql.value', 'UPDATE shop.orders SET n = evil.now() WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET at = clock_timestamp() WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET who = CURRENT_USER WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET at = CURRENT_TIMESTAMP(0) WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = ARRAY[1] WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = CASE WHEN true THEN 1 END WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = ROW(1) WHERE id = 1'],
    ['sql.value', "UPDATE shop.orders SET n = B'1' WHERE id = 1"],
    ['sql.value', 'UPDATE shop.orders SET n = $1::evil.int WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = $1::regclass WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = $1::int[] WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = $1::numeric(3) WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = $1::text::int WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = $1 COLLATE "C" WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = now(VARIADIC $1) WHERE id = 1'],
    ['sql.value', 'DELETE FROM shop.orders WHERE at < now()'],
    // Assignments.
    ['sql.assignment', 'UPDATE shop.orders SET n = n || 1 WHERE id = 1'],
    ['sql.assignment', 'UPDATE shop.orders SET n = n OPERATOR(evil.+) 1 WHERE id = 1'],
    ['sql.columnName', 'UPDATE shop.orders SET n = 1 + n WHERE id = 1'],
    ['sql.columnName', 'UPDATE shop.orders SET n = n + 1 + 1 WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = n + m WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET n = n + pg_sleep(9) WHERE id = 1'],
    ['sql.assignment', 'UPDATE shop.orders SET tags[1] = 2 WHERE id = 1'],
    ['sql.assignment', 'UPDATE shop.orders SET place.street = 2 WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET (a, b) = (1, 2) WHERE id = 1'],
    ['sql.value', 'UPDATE shop.orders SET (a, b) = (SELECT 1, 2) WHERE id = 1'],
    // Clauses.
    ['sql.clause', 'WITH x AS (DELETE FROM shop.a RETURNING 1) DELETE FROM shop.orders WHERE id = 1'],
    ['sql.clause', 'WITH x AS (SELECT 1) UPDATE shop.orders SET n = 1 WHERE id = 1'],
    ['sql.clause', 'WITH x AS (SELECT 1) INSERT INTO shop.orders (n) VALUES (1)'],
    ['sql.clause', 'UPDATE shop.orders SET n = 1 FROM shop.a WHERE id = 1'],
    ['sql.clause', 'DELETE FROM shop.orders USING shop.a WHERE id = 1'],
    ['sql.clause', "DELETE FROM shop.orders WHERE id = 1 RETURNING pg_read_file('/etc/passwd')"],
    ['sql.clause', 'UPDATE shop.orders SET n = 1 WHERE id = 1 RETURNING n'],
    ['sql.clause', 'INSERT INTO shop.orders (n) VALUES (1) RETURNING n'],
    ['sql.clause', 'INSERT INTO shop.orders (n) VALUES (1) ON CONFLICT DO NOTHING'],
    ['sql.clause', 'INSERT INTO shop.orders (n) VALUES (1) ON CONFLICT (n) DO UPDATE SET n = 2'],
    ['sql.clause', 'INSERT INTO shop.orders (id) OVERRIDING SYSTEM VALUE VALUES (1)'],
    // Inserted values.
    ['sql.values', 'INSERT INTO shop.orders VALUES (1)'],
    ['sql.values', 'INSERT INTO shop.orders DEFAULT VALUES'],
    ['sql.values', 'INSERT INTO shop.orders (n) SELECT 1'],
    ['sql.values', 'INSERT INTO shop.orders (n) TABLE shop.a'],
    ['sql.values', 'INSERT INTO shop.orders (n) VALUES (1), (2) LIMIT 1'],
    ['sql.values', 'INSERT INTO shop.orders (n) VALUES (1) ORDER BY pg_sleep(9)'],
    ['sql.values', 'INSERT INTO shop.orders (n) VALUES (1) UNION VALUES (2)'],
    ['sql.values', 'INSERT INTO shop.orders (n, m) VALUES (1)'],
    ['sql.values', 'INSERT INTO shop.orders (n) VALUES (1, 2)'],
    ['sql.value', 'INSERT INTO shop.orders (n) VALUES (pg_sleep(9))'],
    ['sql.value', 'INSERT INTO shop.orders (n) VALUES ((SELECT 1))'],
    ['sql.columnName', 'INSERT INTO shop.orders (tags[1]) VALUES (1)'],
    // Tables.
    ['sql.table', 'DELETE FROM orders WHERE id = 1'],
    ['sql.table', 'DELETE FROM ONLY shop.orders WHERE id = 1'],
    ['sql.table', 'DELETE FROM shop.orders AS o WHERE id = 1'],
    ['sql.table', 'DELETE FROM other.shop.orders WHERE id = 1'],
    ['sql.table', 'UPDATE pg_catalog.pg_authid SET rolsuper = true WHERE rolname = $1'],
    ['sql.table', 'DELETE FROM pg_temp.orders WHERE id = 1'],
    ['sql.table', 'DELETE FROM pg_toast.pg_toast_1 WHERE id = 1'],
    ['sql.table', "INSERT INTO information_schema.sql_parts (feature_id) VALUES ('a')"],
    ['sql.table', 'DELETE FROM shop.U&"\\043e" WHERE id = 1'],
    // More or other than one statement.
    ['sql.oneSelect', 'DELETE FROM shop.orders WHERE id = 1; DROP TABLE shop.orders'],
    ['sql.oneSelect', 'EXPLAIN ANALYZE DELETE FROM shop.orders WHERE id = 1'],
    ['sql.oneSelect', 'PREPARE p AS DELETE FROM shop.orders WHERE id = 1'],
    ['sql.oneSelect', 'COPY (DELETE FROM shop.orders WHERE id = 1 RETURNING 1) TO STDOUT'],
    ['sql.oneSelect', 'MERGE INTO shop.orders o USING shop.a ON true WHEN MATCHED THEN DELETE'],
    ['sql.oneSelect', 'TRUNCATE shop.orders'],
    ['sql.oneSelect', 'DO $$ BEGIN DELETE FROM shop.orders; END $$'],
    ['sql.syntax', 'DELETE FROM shop.orders WHERE id = ?'],
  ];

  it.each(hostile)('is denied by %s: %j', async (rule, text) => {
    const { result, findings } = await validateSql(text);
    expect(result).toBe('denied');
    expect(findings.map((finding) => finding.rule)).toContain(rule);
    await expect(readDataChange(text)).rejects.toThrow(/not a data change that is allowed|syntax error/);
  });

  it('is told all that is wrong, where it is and what to write', async () => {
    const { findings } = await validateSql('UPDATE orders SET n = pg_sleep(9) WHERE 1 = 1 RETURNING n');
    expect(findings.map(({ rule, position }) => [rule, position])).toEqual([
      ['sql.clause', 57],
      ['sql.table', 8],
      ['sql.value', 23],
      ['sql.columnName', 41],
    ]);
    expect(findings.every(({ reason, remedy }) => reason !== '' && remedy !== '')).toBe(true);
  });
});

describe('what an allowed change does', () => {
  it('is read with its condition rebuilt and its parameters numbered anew', async () => {
    const change = await readDataChange(
      `UPDATE shop."Or""ders" SET a = $1, b = b + $4 WHERE NOT ("x y" <> $3::int AND c <> 'it''s' OR d BETWEEN -1 AND $2) OR f IN (1.5, NULL, true) AND g IS NOT NULL AND h LIKE 'a%'`,
    );
    expect(change).toMatchObject({ kind: 'update', schema: 'shop', table: 'Or"ders', columns: ['a', 'b'], parameters: [1, 4, 3, 2] });
    if (change.kind !== 'update') throw new Error('not an update');
    expect(toQuery(change.where, ['p1', 'p2', 'p3', 'p4'])).toEqual({
      text: `((NOT (((t."x y" <> CAST($1 AS integer)) AND (t."c" <> 'it''s')) OR (t."d" BETWEEN (-1) AND $2))) OR ((t."f" IN ((1.5), NULL, TRUE)) AND (t."g" IS NOT NULL) AND (t."h" LIKE 'a%')))`,
      values: ['p3', 'p2'],
    });
  });

  it('keeps a text that looks like a parameter or ends like a quote', async () => {
    const change = await readDataChange(String.raw`DELETE FROM shop.a WHERE b = 'x''$1\' OR c = E'\'$2\n'`);
    if (change.kind !== 'delete') throw new Error('not a delete');
    expect(toQuery(change.where, [])).toEqual({ text: `((t."b" = 'x''$1\\') OR (t."c" = '''$2\n'))`, values: [] });
  });

  it('has the inserted values that can be known', async () => {
    expect(await readDataChange("INSERT INTO shop.a (id, at, n) VALUES ($2, now(), DEFAULT), (7, '2026-01-01'::date, NULL)")).toEqual({
      kind: 'insert',
      schema: 'shop',
      table: 'a',
      columns: ['id', 'at', 'n'],
      rows: [
        [[2], null, null],
        [['(7)'], ['CAST(', "'2026-01-01'", ' AS date)'], ['NULL']],
      ],
      parameters: [2],
      names: [],
    });
  });

  it('names what it sets and compares, once each', async () => {
    const text = `UPDATE shop.a SET b = b + 1, "odd ""\\" = '"ColumnRef":{"fields":[{"String":{"sval":"no"' WHERE c = $1 AND (b IS NULL OR d IN (1))`;
    expect((await readDataChange(text)).names).toEqual(['b', 'odd "\\', 'c', 'd']);
    expect((await readDataChange('DELETE FROM shop.a WHERE c = $1')).names).toEqual(['c']);
  });
});
