import { describe, expect, it } from '@jest/globals';
import { seedScripts } from '../../domain/script-library.js';
import { validateSql } from '../../validation/sql/validate-sql.js';

const from = 'FROM pg_stat_activity';
const where = 'WHERE pid = $1 AND backend_start = $2';
const call = 'pg_terminate_backend(pid)';

describe('session control that aims at one session', () => {
  it.each([
    ...seedScripts.filter(({ type }) => type === 'SQL').map(({ command }) => command),
    `SELECT ${call} ${from} ${where}`,
    `select ${call} ${from} ${where};`,
    `SELECT pid, usename, state, pg_terminate_backend(pid, 0) AS "Done!" ${from} ${where}`,
    `SELECT pg_terminate_backend(pid, 25000) ${from} ${where}`,
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity ${where}`,
    `SELECT ${call} ${from} WHERE backend_start = $2 AND pid = $1`,
    `SELECT ${call} ${from} WHERE (pid = $1::int) AND ((backend_start = CAST($2 AS timestamp with time zone)))`,
    `SELECT "pg_terminate_backend"("pid") FROM "pg_stat_activity" WHERE "pid" = $1 AND "backend_start" = $2`,
    `/* ends it */ SELECT ${call} -- now\n ${from}\n\t${where}`,
    `SELECT PG_Terminate_Backend(PID) ${from} ${where}`,
  ])('is for people to review: %j', async (text) => {
    expect(await validateSql(text)).toEqual({ result: 'review', findings: [], reach: 'session' });
  });
});

describe('any other SQL', () => {
  const hostile: readonly (readonly [rule: string, text: string])[] = [
    // More or other than one SELECT.
    ['sql.oneSelect', '-- nothing'],
    ['sql.oneSelect', `SELECT ${call} ${from} ${where}; DROP TABLE orders`],
    ['sql.oneSelect', `SELECT ${call} ${from} ${where};SELECT 1`],
    ['sql.table', 'DELETE FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2'],
    ['sql.oneSelect', `EXPLAIN ANALYZE SELECT ${call} ${from} ${where}`],
    ['sql.oneSelect', `CREATE TABLE t AS SELECT ${call} ${from} ${where}`],
    ['sql.oneSelect', `COPY (SELECT ${call} ${from} ${where}) TO PROGRAM 'sh'`],
    ['sql.oneSelect', `PREPARE p AS SELECT ${call} ${from} ${where}`],
    ['sql.oneSelect', `DO $$ BEGIN PERFORM 1; END $$`],
    ['sql.oneSelect', 'SET search_path = evil'],
    // Clauses.
    ['sql.clause', `WITH x AS (DELETE FROM orders RETURNING 1) SELECT ${call} ${from} ${where}`],
    ['sql.clause', `SELECT ${call} INTO t ${from} ${where}`],
    ['sql.clause', `SELECT DISTINCT ${call} ${from} ${where}`],
    ['sql.clause', `SELECT ${call} ${from} ${where} ORDER BY pg_sleep(9)`],
    ['sql.clause', `SELECT ${call} ${from} ${where} LIMIT (SELECT pg_sleep(9))`],
    ['sql.clause', `SELECT ${call} ${from} ${where} OFFSET 1`],
    ['sql.clause', `SELECT ${call} ${from} ${where} ORDER BY pid FETCH FIRST 1 ROW WITH TIES`],
    ['sql.clause', `SELECT ${call} ${from} ${where} FOR UPDATE`],
    ['sql.clause', `SELECT ${call} ${from} ${where} GROUP BY pid`],
    ['sql.clause', `SELECT ${call} ${from} ${where} HAVING pg_sleep(9) IS NULL`],
    ['sql.clause', `SELECT ${call} ${from} ${where} WINDOW w AS (ORDER BY pid)`],
    ['sql.clause', `SELECT ${call} ${from} ${where} UNION ALL SELECT ${call} ${from} ${where}`],
    ['sql.clause', `SELECT ${call} ${from} ${where} EXCEPT SELECT true`],
    ['sql.clause', 'VALUES (pg_terminate_backend(1))'],
    // What it reads.
    ['sql.source', `SELECT ${call} FROM public.pg_stat_activity ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_temp.pg_stat_activity ${where}`],
    ['sql.source', `SELECT ${call} FROM "PG_CATALOG".pg_stat_activity ${where}`],
    ['sql.source', `SELECT ${call} FROM "pg_catalog.pg_stat_activity" ${where}`],
    ['sql.source', `SELECT ${call} FROM "pg_stat_activity " ${where}`],
    ['sql.source', `SELECT ${call} FROM shop.pg_catalog.pg_stat_activity ${where}`],
    ['sql.source', `SELECT ${call} FROM ONLY pg_stat_activity ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_stat_activity pid ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_stat_activity AS a(backend_start, pid) ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_stat_activity, orders ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_stat_activity NATURAL JOIN orders ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_stat_activity TABLESAMPLE SYSTEM (1) ${where}`],
    ['sql.source', `SELECT ${call} FROM (SELECT * FROM pg_stat_activity) AS pg_stat_activity ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_stat_get_activity(NULL) ${where}`],
    ['sql.source', `SELECT ${call} FROM ROWS FROM (pg_sleep(9)) ${where}`],
    ['sql.source', `SELECT ${call} FROM pg_stat_replication ${where}`],
    ['sql.source', `SELECT ${call} ${where}`],
    // What it aims at.
    ['sql.condition', `SELECT ${call} ${from}`],
    ['sql.condition', `SELECT ${call} ${from} WHERE true`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1`],
    ['sql.condition', `SELECT ${call} ${from} WHERE backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 AND pid = $1`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 OR backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} ${where} OR true`],
    ['sql.condition', `SELECT ${call} ${from} WHERE NOT (pid = $1 AND backend_start = $2)`],
    ['sql.condition', `SELECT ${call} ${from} ${where} AND pg_sleep(9) IS NULL`],
    ['sql.condition', `SELECT ${call} ${from} ${where} AND $3`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $2 AND backend_start = $1`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $3 AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = 4711 AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid <> $1 AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 AND backend_start >= $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid IN ($1) AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = ANY ($1) AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE (pid, backend_start) = ($1, $2)`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid OPERATOR(public.=) $1 AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 AND backend_start = $2::date`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 AND backend_start = $2::timestamptz(0)`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 AND backend_start = $2::evil.timestamptz`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1::"int" AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1::int[] AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid::text = $1 AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE backend_start::date = $2 AND pid = $1`],
    ['sql.condition', `SELECT ${call} ${from} WHERE "PID" = $1 AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 AND backend_start = $2 COLLATE "C"`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = (SELECT $1) AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE (pid = $1 AND backend_start = $2) IS NOT FALSE`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 -- AND backend_start = $2`],
    ['sql.condition', `SELECT ${call} ${from} WHERE pid = $1 /* AND backend_start = $2 */`],
    // What it calls.
    ['sql.oneCall', `SELECT pid ${from} ${where}`],
    ['sql.oneCall', `SELECT ${call}, ${call} ${from} ${where}`],
    ['sql.call', `SELECT pg_sleep(9) ${from} ${where}`],
    ['sql.call', `SELECT ${call}, pg_sleep(9) ${from} ${where}`],
    ['sql.call', `SELECT public.pg_terminate_backend(pid) ${from} ${where}`],
    ['sql.call', `SELECT shop.pg_catalog.pg_terminate_backend(pid) ${from} ${where}`],
    ['sql.call', `SELECT "PG_TERMINATE_BACKEND"(pid) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(1) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend($1) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(leader_pid) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid + 1) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid::int) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend((SELECT 1)) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid => pid) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(VARIADIC pid) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(DISTINCT pid) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid ORDER BY pg_sleep(9)) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid) FILTER (WHERE true) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid) OVER () ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(*) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend() ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, 25001) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, -1) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, 1.5) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, '5') ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, NULL) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, $3) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, 99999999999) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(5, 5) ${from} ${where}`],
    ['sql.call', `SELECT pg_cancel_backend(pid) ${from} ${where}`],
    ['sql.call', `SELECT pg_catalog.pg_cancel_backend(pid) ${from} ${where}`],
    ['sql.call', `SELECT pg_terminate_backend(pid, 5, 5) ${from} ${where}`],
    // What it shows.
    ['sql.column', `SELECT ${call}, query ${from} ${where}`],
    ['sql.column', `SELECT ${call}, * ${from} ${where}`],
    ['sql.column', `SELECT ${call}, pg_stat_activity ${from} ${where}`],
    ['sql.column', `SELECT ${call}, (pg_stat_activity).query ${from} ${where}`],
    ['sql.column', `SELECT ${call}, pid.pg_terminate_backend ${from} ${where}`],
    ['sql.column', `SELECT ${call}, (SELECT 1) ${from} ${where}`],
    ['sql.column', `SELECT ${call} OR true ${from} ${where}`],
    ['sql.column', `SELECT ${call}::text ${from} ${where}`],
    ['sql.column', `SELECT CASE WHEN ${call} THEN 1 END ${from} ${where}`],
    ['sql.column', `SELECT ${call}, current_user ${from} ${where}`],
    ['sql.column', `SELECT ${call}, 'x' ${from} ${where}`],
    ['sql.column', `SELECT ${call}, $1 ${from} ${where}`],
    ['sql.column', `SELECT ARRAY[${call}] ${from} ${where}`],
    ['sql.column', `SELECT ROW(${call}) ${from} ${where}`],
    ['sql.column', `SELECT COALESCE(${call}) ${from} ${where}`],
    ['sql.column', `SELECT ${call} IS TRUE ${from} ${where}`],
    // What cannot be read as it looks.
    ['sql.characters', `SELECT pg_terminate_b\u0430ckend(pid) ${from} ${where}`],
    ['sql.characters', `SELECT\u00a0${call} ${from} ${where}`],
    ['sql.characters', `SELECT ${call} ${from} ${where} -- \u202e evil`],
    ['sql.characters', `SELECT ${call} ${from} ${where}\u0000; DROP TABLE orders`],
    ['sql.characters', `SELECT ${call} ${from} ${where} \ud800`],
    ['sql.characters', `\ufeffSELECT ${call} ${from} ${where}`],
    ['sql.call', `SELECT U&"pg!0061" UESCAPE '!' (pid) ${from} ${where}`],
    ['sql.syntax', `SELECT ${call} ${from} ${where} /* open`],
    ['sql.syntax', `SELEC ${call} ${from} ${where}`],
    ['sql.syntax', `SELECT ${call} ${from} WHERE pid = ? AND backend_start = ?`],
    ['sql.syntax', ''],
    ['sql.syntax', '\\! rm -rf /'],
    ['sql.size', `SELECT ${call} ${from} ${where} ${' '.repeat(2_000)}`],
  ];

  it.each(hostile)('is denied by %s: %j', async (rule, text) => {
    const { result, findings } = await validateSql(text);
    expect(result).toBe('denied');
    expect(findings.map((finding) => finding.rule)).toContain(rule);
  });

  it('is denied when it nests as deep as its size allows, and the parser still works afterwards', async () => {
    const deep = `SELECT ${'('.repeat(900)}1${')'.repeat(900)}`;
    expect((await validateSql(deep)).result).toBe('denied');
    expect((await validateSql(`SELECT ${call} ${from} ${where}`)).result).toBe('review');
  });

  it('is told where it is wrong and what to write', async () => {
    const { findings } = await validateSql(`SELECT ${call}, pg_sleep(9) ${from} WHERE pid = $1`);
    expect(findings.map(({ rule, position }) => [rule, position])).toEqual([
      ['sql.call', 35],
      ['sql.oneCall', 8],
      ['sql.condition', 75],
    ]);
    expect(findings.every(({ reason, remedy }) => reason !== '' && remedy !== '')).toBe(true);
  });
});
