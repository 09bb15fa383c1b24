import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { Change, ChangeOptions, Executor } from '../../activities/ports.js';
import type { Step, ValidStep } from '../../domain/plan.js';
import { type BlockedDatabase, openBlockedDatabase } from '../harness/blocked-database.js';
import { until } from '../harness/until.js';
import { describeExecutor, type ExecutorWorld, freezeStep } from './executor-contract.js';
import { openHangingProxy } from './hanging-proxy.js';
import { openRole } from './open-role.js';
import { connect, listOpenTransactions, openSqlExecutor } from './sql-world.js';

let database: BlockedDatabase;
let client: pg.Client;
let sql: ReturnType<typeof openSqlExecutor>;
let tables = 0;
const newTable = (): string => `shop.t${(tables += 1)}`;
beforeAll(async () => {
  database = await openBlockedDatabase();
  client = await connect(database.url);
  await client.query(`
    create schema shop;
    create table shop.effects (xid xid8 primary key);
    create function shop.note() returns boolean language plpgsql as $$ begin
      insert into shop.effects values (pg_current_xact_id()) on conflict do nothing; return true; end $$;
    create function shop.fire() returns trigger language plpgsql as $$ begin perform shop.note(); return null; end $$`);
  sql = openSqlExecutor(database.url);
});
afterAll(async () => {
  await sql.close();
  await client.end();
  await database.close();
});

const aValidStep = (script: string, parameters: readonly string[] = [], over: Partial<ValidStep> = {}): ValidStep => ({
  stepId: '1', type: 'sql', target: 'shop-db', script, parameters, reach: 'row', findings: [], timeoutMs: 10_000, queue: null, sandbox: null, ...over,
});
const imagesOf = async (table: string): Promise<readonly string[]> =>
  (await client.query<{ image: string }>(`select (t.*)::text as image from ${table} as t order by 1`)).rows.map(({ image }) => image);

/** Rows that a step adds to. The target counts each transaction that writes one of them, by a check that passes. */
async function openWorld(make: (table: string) => string): Promise<ExecutorWorld> {
  const table = newTable();
  await client.query(`create table ${table} (id int primary key, n int, note text); insert into ${table} values (1, 10, 'a'), (2, 20, null), (3, 30, 'c'); ${make(table)}`);
  const { executor, close } = openSqlExecutor(database.url);
  const step = await freezeStep(executor, 'w', aValidStep(`UPDATE ${table} SET n = n + $2 WHERE id IN (1, $1)`, ['2', '5']));
  const before = await imagesOf(table);
  return {
    executor,
    workspaceId: 'w',
    step,
    effects: async () => (await client.query('select from shop.effects')).rowCount ?? 0,
    leftovers: () => listOpenTransactions(client),
    disturb: () => client.query(`update ${table} set note = 'mine' where id = 2`),
    restoredExactly: async () => (await imagesOf(table)).join() === before.join(),
    close,
  };
}
describe('like any executor', () => {
  describeExecutor('a change of rows', { wayBack: 'snapshot', open: () => openWorld((table) => `alter table ${table} add check (shop.note())`) });
});
describe('like any executor without a way back', () => {
  describeExecutor('a change of rows', {
    wayBack: 'oneWay',
    open: () => openWorld((table) => `create trigger fires after insert or update or delete on ${table} execute function shop.fire()`),
  });
});

/** Runs with everything noted, as far as a test does not say otherwise. */
async function run(executor: Executor, change: Change, over: Partial<ChangeOptions> = {}) {
  let handle = '';
  const options = { begin: async (noted: string) => void (handle = noted), signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {}, ...over };
  return { result: await executor.run('w', change, options), handle };
}
const toExecution = async (step: Step, executor = sql.executor): Promise<Change> => ({ kind: 'execute', step, key: 'a'.repeat(32), snapshot: await executor.snapshot('w', step) });
const toRollback = ({ step, snapshot }: Change, left: string): Change => ({ kind: 'rollback', step, key: 'b'.repeat(32), snapshot: snapshot ?? '', left });
const freeze = (script: string, parameters: readonly string[] = [], over: Partial<ValidStep> = {}) => freezeStep(sql.executor, 'w', aValidStep(script, parameters, over));
const settle = (change: Change, handle: string, executor = sql.executor) => executor.settle('w', change, handle, { signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} });

async function aTable(columns: string, rows = ''): Promise<string> {
  const table = newTable();
  await client.query(`create table ${table} (${columns})${rows === '' ? '' : `; insert into ${table} values ${rows}`}`);
  return table;
}

describe('what a change of rows leaves and takes back', () => {
  const columns = `id numeric, at timestamptz, name text, exact numeric(30, 10), rough real, rougher double precision, day date, span interval, raw bytea, doc json, docb jsonb,
    list text[], grid int[][], bounds tstzrange, spans int4multirange, pair shop.pair, mood shop.mood, code char(5), bits varbit, place point, cost money, page xml, flags boolean, nothing text, here inet,
    twice numeric generated always as (id * 2) stored, number int generated always as identity, "odd ""name" text, primary key (id, at)`;
  const rows = String.raw`
    (1.50, '2026-11-22 08:12:03.123456+05:30', E'quote " back \\ slash, comma (paren)\nline\ttab', 0.1000000000, 0.1::real + 0.2::real, 0.1::float8 + 0.2::float8, '4713-01-01 BC', '-1 mon +2 days -03:04:05.678901',
     '\x00ff5c27', '{"b":  1,"a" : [1,  2],"b":2}', '{"b": 1, "a": 2}', array['', 'NULL', null, 'a"b\c{},'], '[0:1][5:6]={{1,2},{3,null}}', '[2026-01-01 00:00+00, infinity)', '{[1,3),[5,9)}',
     row(1, ' x "y" '), 'ok!', 'ab', B'1010001', '(0.1,1e-300)', 1234.56, '<a b="c"> <!-- d --></a>', true, null, '10.0.0.1/8', default, default, 'x'),
    (-2, 'infinity', '', 'NaN', 'NaN', '-infinity', 'infinity', 'infinity', '', 'null', '[]', '{}', '{}', 'empty', '{}', null, null, null, null, null, null, null, null, null, null, default, default, ''),
    (3, '-infinity', repeat('ü€𝄞', 2000), -12345678901234567890.0123456789, 1e-45, 5e-324, '0001-01-01', '178000000 years', decode(repeat('00ff', 500), 'hex'), '1', '1', array[[['a']]], null, '(,)', null,
     row(null, null), 'so so', '', '', '(-0,0)', '-0.01', 'text', false, 'NULL', '::1', default, default, null)`;
  let table: string;
  const name = () => new URL(database.url).pathname.slice(1);
  beforeAll(async () => {
    await client.query(`
      create type shop.pair as (a int, b text); create type shop.mood as enum ('ok!', 'so so'); create schema evil;
      create function evil.wrong(int, int) returns boolean language sql as 'select true'; create operator evil.= (leftarg = int, rightarg = int, function = evil.wrong)`);
    table = await aTable(columns, rows);
    // What the target is set to must not matter.
    for (const setting of [
      `search_path = evil, pg_catalog`, `datestyle = 'German'`, `timezone = 'Asia/Kolkata'`, `intervalstyle = sql_standard`, `extra_float_digits = -15`, `bytea_output = escape`,
      'standard_conforming_strings = off', 'default_transaction_read_only = on', 'xmloption = document', 'synchronous_commit = off',
    ]) await client.query(`alter database ${name()} set ${setting}`);
  });
  afterAll(() => client.query(`alter database ${name()} reset all`));
  /** Bit for bit, as Postgres sends it. */
  const bitsOf = async () => {
    const { rows: [row] } = await client.query<{ bits: string }>(`select string_agg(encode(record_send(t), 'hex'), E'\\n' order by id) as bits from ${table} as t`);
    return row?.bits;
  };

  it.each([
    ['updated', () => `UPDATE ${table} SET name = $1, exact = exact + 1, rough = 0, rougher = 1, day = '2026-01-01', span = '1 day', raw = 'x', doc = '{}', docb = DEFAULT, list = '{}', grid = NULL, bounds = 'empty', spans = '{}', pair = '(2,z)', mood = 'so so', code = 'z', bits = '0', place = '(1,1)', cost = '1', page = 'p', flags = false, nothing = 'x', here = NULL, "odd ""name" = NULL WHERE id < 100`],
    ['deleted', () => `DELETE FROM ${table} WHERE id < 100 AND $1 = 'never' OR id BETWEEN -5 AND 5 AND name <> $1`],
  ])('is every type of value, bit for bit, when rows were %s', async (_name, script) => {
    const text = script().replace("$1 = 'never'", "name = 'never'");
    const before = await bitsOf();
    const { executor, close } = openSqlExecutor(database.url);
    const step = await freezeStep(executor, 'w', aValidStep(text, ['new']));
    const change = await toExecution(step, executor);
    const { result, handle } = await run(executor, change);
    expect(result).toMatchObject({ kind: 'done', summary: expect.stringMatching(/3 rows/) });
    expect(await bitsOf()).not.toBe(before);
    expect((await run(executor, toRollback(change, handle))).result).toMatchObject({ kind: 'done' });
    expect(await bitsOf()).toBe(before);
    await close();
  });
});

describe('inserted rows', () => {
  it('are deleted again, and only they', async () => {
    const table = await aTable('id int, part text, n serial, primary key (id, part)', `(1, 'a')`);
    const before = await imagesOf(table);
    const change = await toExecution(await freeze(`INSERT INTO ${table} (part, id) VALUES ($1, 1), ('c', $2)`, ['b', '2']));
    const { result, handle } = await run(sql.executor, change);
    expect(result).toEqual({ kind: 'done', summary: `inserted 2 rows of ${table}` });
    expect(await imagesOf(table)).toHaveLength(3);
    expect((await run(sql.executor, toRollback(change, handle))).result).toMatchObject({ kind: 'done' });
    expect(await imagesOf(table)).toEqual(before);
  });

  it('stay when somebody made more of one of them', async () => {
    const table = await aTable('id int primary key, n int');
    const change = await toExecution(await freeze(`INSERT INTO ${table} (id) VALUES (1), (2)`));
    const { handle } = await run(sql.executor, change);
    await client.query(`update ${table} set n = 1 where id = 2`);
    expect((await run(sql.executor, toRollback(change, handle))).result).toEqual({ kind: 'conflict', summary: expect.stringContaining(`1 row (id 2) of ${table} changed since the step ran`) });
    expect(await imagesOf(table)).toHaveLength(2);
  });

  it('that are there already are not there to be inserted', async () => {
    const table = await aTable('id int primary key, n int', '(1, 2)');
    expect(await sql.executor.rehearse('w', aValidStep(`INSERT INTO ${table} (id) VALUES (1), (2)`))).toEqual({
      found: false, lines: [`${table} has 1 row with such a key already`, '- id 1'],
    });
  });
});

describe('a rehearsal of a change of rows', () => {
  it('says what would be touched, a few rows of it, on lines of their own', async () => {
    const table = await aTable('id int primary key, name text', Array.from({ length: 7 }, (_, index) => `(${index + 1}, 'a')`).join());
    expect(await sql.executor.rehearse('w', aValidStep(`DELETE FROM ${table} WHERE id > 0`))).toEqual({
      found: true,
      lines: [`7 rows of ${table} would be deleted`, ...[1, 2, 3, 4, 5].map((id) => `- id ${id}`), 'and 2 more'],
      wayBack: { kind: 'snapshot', of: 'rows' },
      pins: { before: expect.stringMatching(/^[0-9a-f]{64}$/), after: null },
    });
  });

  it('shows of a row its key and what the change sets and compares, on a line, and no secret', async () => {
    const table = await aTable('id int primary key, name text, "odd ""n" int, password_hash text, token text, card text', String.raw`(1, E'a\n\u202eb', null, '$2b$12$HASH', 't0k3n', '4111')`);
    const rehearse = async (script: string) => (await sql.executor.rehearse('w', aValidStep(script, ['t0k3n']))).lines.slice(1);
    expect(await rehearse(`UPDATE ${table} SET name = 'b', "odd ""n" = "odd ""n" + 1, password_hash = 'x' WHERE token = $1`)).toEqual(['- id 1: name a·b, odd "n null, password_hash •••, token •••']);
    expect(await rehearse(`DELETE FROM ${table} WHERE name LIKE 'a%' AND id = 1`)).toEqual(['- id 1: name a·b']);
  });

  it('and a conflict show no key that is a secret', async () => {
    const table = await aTable('token text primary key, n int', "('t0k3n', 1)");
    const script = `UPDATE ${table} SET n = 2 WHERE n = 1`;
    expect((await sql.executor.rehearse('w', aValidStep(script))).lines).toEqual([`1 row of ${table} would be updated`, '- token •••: n 1']);
    const change = await toExecution(await freeze(script));
    await client.query(`insert into ${table} values ('0th3r', 1)`);
    expect((await run(sql.executor, change)).result).toEqual({ kind: 'conflict', summary: `1 row (token •••) of ${table} changed since it was rehearsed` });
  });

  const whys: readonly (readonly [why: string, make: (table: string) => string, script: (table: string) => string])[] = [
    ['has no primary key', (table) => `alter table ${table} drop constraint ${table.slice(5)}_pkey`, (table) => `DELETE FROM ${table} WHERE id = 1`],
    ['triggers of', (table) => `create trigger fires after delete on ${table} for each row execute function shop.fire()`, (table) => `DELETE FROM ${table} WHERE id = 1`],
    ['triggers of', (table) => `create trigger fires before insert on ${table} for each row execute function shop.fire()`, (table) => `DELETE FROM ${table} WHERE id = 1`],
    ['rules of', (table) => `create rule logs as on update to ${table} do also notify x`, (table) => `UPDATE ${table} SET n = 2 WHERE id = 1`],
    ['foreign keys', (table) => `create table ${table}_child (id int references ${table} on delete cascade)`, (table) => `DELETE FROM ${table} WHERE id = 1`],
    ['foreign keys', (table) => `create table ${table}_child (id int references ${table} on delete set null)`, (table) => `INSERT INTO ${table} (id) VALUES (9)`],
    ['foreign keys', (table) => `alter table ${table} add unique (n); create table ${table}_child (n int references ${table} (n) on update set default)`, (table) => `UPDATE ${table} SET n = 2 WHERE id = 1`],
    ['primary key', () => '', (table) => `UPDATE ${table} SET id = 7 WHERE id = 1`],
    ['inherit', (table) => `create table ${table}_child () inherits (${table})`, (table) => `DELETE FROM ${table} WHERE id = 1`],
    ['numbered by Postgres', (table) => `alter table ${table} add number int generated always as identity`, (table) => `UPDATE ${table} SET number = DEFAULT WHERE id = 1`],
    ['will know the keys', () => '', (table) => `INSERT INTO ${table} (n) VALUES (9)`],
    ['will know the keys', () => '', (table) => `INSERT INTO ${table} (id) VALUES (DEFAULT)`],
    ['1001 rows', (table) => `insert into ${table} select n + 1000 from generate_series(1, 1000) n`, (table) => `DELETE FROM ${table} WHERE id > 0`],
    ['more than is kept', (table) => `alter table ${table} add big text; update ${table} set big = repeat('x', 1100000)`, (table) => `DELETE FROM ${table} WHERE id = 1`],
  ];
  it.each(whys)('says that there is no way back: %s (%s, %s)', async (why, make, script) => {
    const table = await aTable('id serial primary key, n int', '(default, 1)');
    await client.query(make(table));
    const step = await freeze(script(table));
    expect(step).toMatchObject({ wayBack: { kind: 'oneWay', because: expect.stringContaining(why) }, pins: { before: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    expect((await run(sql.executor, { kind: 'execute', step, key: 'a', snapshot: null })).result).toMatchObject({ kind: 'done' });
  });

  it.each([
    ['triggers for something else', (table: string) => `create trigger fires before insert on ${table} for each row execute function shop.fire()`],
    ['triggers that are off', (table: string) => `create trigger fires before update on ${table} for each row execute function shop.fire(); alter table ${table} disable trigger fires`],
    ['foreign keys that forbid', (table: string) => `create table ${table}_child (id int references ${table})`],
    ['foreign keys that follow something else', (table: string) => `create table ${table}_child (id int references ${table} on delete cascade on update cascade)`],
  ])('finds a way back in spite of %s', async (_name, make) => {
    const table = await aTable('id int primary key, n int', '(1, 1)');
    await client.query(make(table));
    expect(await freeze(`UPDATE ${table} SET n = 2 WHERE id = 1`)).toMatchObject({ wayBack: { kind: 'snapshot' } });
  });

  it('finds nothing where no row is touched, nothing is a table, or nothing may be read', async () => {
    const table = await aTable('id int primary key, n int', '(1, 1)');
    await client.query(`create view ${table}_view as select * from ${table}`);
    const rehearse = async (script: string) => sql.executor.rehearse('w', aValidStep(script));
    expect(await rehearse(`DELETE FROM ${table} WHERE id = 2`)).toEqual({ found: false, lines: [`no row of ${table} is touched`] });
    expect(await rehearse(`DELETE FROM ${table}_view WHERE id = 1`)).toEqual({ found: false, lines: [`${table}_view is not a table`] });
    expect(await rehearse('DELETE FROM shop.gone WHERE id = 1')).toEqual({ found: false, lines: [expect.stringContaining('does not exist')] });
    expect(await rehearse(`DELETE FROM ${table} WHERE gone = 1`)).toEqual({ found: false, lines: [expect.stringContaining('does not exist')] });
    expect(await imagesOf(table)).toHaveLength(1);
  });
});

describe('a change of rows among others', () => {
  const aCounter = async () => {
    const table = await aTable('id int primary key, n int', '(1, 1), (2, 2)');
    return { table, step: await freeze(`UPDATE ${table} SET n = n + 1 WHERE n < 10`) };
  };

  it('waits for who is changing the same row, and then finds that it changed', async () => {
    const { table, step } = await aCounter();
    const change = await toExecution(step);
    const other = await connect(database.url);
    await other.query(`begin; update ${table} set n = 5 where id = 2`);
    const running = run(sql.executor, change);
    await until('the run to wait', async () => (await client.query(`select from pg_stat_activity where application_name = 'sluice' and wait_event_type = 'Lock'`)).rowCount === 1);
    await other.query('commit');
    expect((await running).result).toEqual({ kind: 'conflict', summary: `1 row (id 2) of ${table} changed since it was rehearsed` });
    expect(await imagesOf(table)).toEqual(['(1,1)', '(2,5)']);
    await other.end();
  });

  it('does not wait for ever', async () => {
    const { table, step } = await aCounter();
    const change = await toExecution({ ...step, timeoutMs: 300 });
    const other = await connect(database.url);
    await other.query(`begin; update ${table} set n = 5 where id = 2`);
    expect((await run(sql.executor, change)).result).toEqual({ kind: 'failed', summary: expect.stringContaining('timeout'), changed: false });
    await other.end();
  });

  it('that waits too long for others throws, and is made when it is tried again', async () => {
    const { table, step } = await aCounter();
    const change = await toExecution(step);
    const other = await connect(database.url);
    await other.query(`begin; update ${table} set n = n where id = 2`);
    await expect(run(sql.executor, change)).rejects.toMatchObject({ code: '55P03' });
    await other.query('commit');
    expect((await run(sql.executor, change)).result).toMatchObject({ kind: 'done' });
    expect(await imagesOf(table)).toEqual(['(1,2)', '(2,3)']);
    await other.end();
  });

  it('that is chosen to end a deadlock throws, and is made when it is tried again', async () => {
    const { table, step } = await aCounter();
    const change = await toExecution(step);
    const other = await connect(database.url);
    await other.query(`set deadlock_timeout = '1min'; begin; update ${table} set n = n where id = 2`);
    const running = run(sql.executor, change).catch((error: unknown) => error);
    await until('the run to wait', async () => (await client.query(`select from pg_stat_activity where application_name = 'sluice' and wait_event_type = 'Lock'`)).rowCount === 1);
    await other.query(`update ${table} set n = n where id = 1`);
    expect(await running).toMatchObject({ code: '40P01' });
    await other.query('commit');
    expect((await run(sql.executor, change)).result).toMatchObject({ kind: 'done' });
    await other.end();
  });

  it('is not made when there are more rows by then', async () => {
    const { table, step } = await aCounter();
    const change = await toExecution(step);
    await client.query(`insert into ${table} values (3, 3)`);
    expect((await run(sql.executor, change)).result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('1 row (id 3)') });
  });

  it('that its target refuses changes nothing, also where it refuses only at the end', async () => {
    const table = await aTable('id int primary key, n int unique deferrable initially deferred, check (n < 100)', '(1, 1), (2, 2)');
    for (const [script, why] of [[`UPDATE ${table} SET n = n + 99 WHERE n > 0`, 'check constraint'], [`UPDATE ${table} SET n = 2 WHERE n = 1`, 'unique constraint']] as const) {
      let began = false;
      const { result } = await run(sql.executor, await toExecution(await freeze(script)), { begin: async () => void (began = true) });
      expect(result).toEqual({ kind: 'failed', summary: expect.stringContaining(why), changed: false });
      expect(began).toBe(false);
    }
    expect(await imagesOf(table)).toEqual(['(1,1)', '(2,2)']);
  });

  it('that gained a trigger since is not made, and not taken back', async () => {
    const { table, step } = await aCounter();
    const change = await toExecution(step);
    const fires = `create trigger fires after update on ${table} execute function shop.fire()`;
    await client.query(fires);
    expect((await run(sql.executor, change)).result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('triggers') });
    await client.query(`drop trigger fires on ${table}`);
    const { handle } = await run(sql.executor, change);
    await client.query(fires);
    expect((await run(sql.executor, toRollback(change, handle))).result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('triggers') });
    expect(await imagesOf(table)).toEqual(['(1,2)', '(2,3)']);
  });

  it('is not taken back over a deleted row, a row that came back, or a new shape of its table', async () => {
    const { table, step } = await aCounter();
    const change = await toExecution(step);
    const { handle } = await run(sql.executor, change);
    await client.query(`alter table ${table} add extra int`);
    expect((await run(sql.executor, toRollback(change, handle))).result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('2 rows (id 1; id 2)') });
    await client.query(`alter table ${table} drop extra; delete from ${table} where id = 1`);
    expect((await run(sql.executor, toRollback(change, handle))).result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('1 row (id 1)') });
    const deletion = await toExecution(await freeze(`DELETE FROM ${table} WHERE id = 2`));
    const { handle: left } = await run(sql.executor, deletion);
    await client.query(`insert into ${table} values (2, 9)`);
    expect((await run(sql.executor, toRollback(deletion, left))).result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('1 row (id 2)') });
  });
});

describe('a change of rows by a role with a search_path of its own', () => {
  const byPath = (path: string) => openSqlExecutor(`${database.url}?options=${encodeURIComponent(`-c search_path=${path}`)}`);
  beforeAll(() => client.query(`
    create schema own; create table own.history_log (id int);
    create function own.log() returns trigger language plpgsql as $$ begin insert into history_log values (new.id); return null; end $$;
    create function own.allows(int) returns boolean language plpgsql as $$ begin return $1 < (select count(*) + 100 from history_log); end $$;
    create function own.same(varchar, varchar) returns boolean language sql as 'select true';
    create schema odd; create operator odd.= (leftarg = varchar, rightarg = varchar, function = own.same)`));
  const countLog = async () => (await client.query('select from own.history_log')).rowCount;

  it.each([
    ['at once', (table: string) => `create trigger logs after update on ${table} for each row execute function own.log()`],
    ['at the end', (table: string) => `create constraint trigger logs after update on ${table} deferrable initially deferred for each row execute function own.log()`],
  ])('lets triggers find what they mean by it, %s', async (_when, make) => {
    const table = await aTable('id int primary key, n int', '(1, 1)');
    await client.query(make(table));
    const { executor, close } = byPath('own');
    const before = await countLog();
    const step = await freezeStep(executor, 'w', aValidStep(`UPDATE ${table} SET n = 2 WHERE id = 1`));
    expect((await run(executor, { kind: 'execute', step, key: 'a', snapshot: null })).result).toMatchObject({ kind: 'done' });
    expect(await countLog()).toBe((before ?? 0) + 1);
    await close();
  });

  it('is taken back exactly, checks included, and names in its rows are written as ever', async () => {
    const table = await aTable('id int primary key, n int, what regclass', "(1, 1, 'own.history_log')");
    await client.query(`alter table ${table} add check (own.allows(n)) not valid`);
    const { executor, close } = byPath('own');
    const change = await toExecution(await freezeStep(executor, 'w', aValidStep(`UPDATE ${table} SET n = 2 WHERE id = 1`)), executor);
    const { result, handle } = await run(executor, change);
    expect(result).toMatchObject({ kind: 'done' });
    expect(JSON.parse(handle)).toMatchObject({ left: [{ image: '(1,2,own.history_log)' }] });
    expect((await run(executor, toRollback(change, handle))).result).toMatchObject({ kind: 'done' });
    expect(await imagesOf(table)).toEqual(['(1,1,own.history_log)']);
    await close();
  });

  it('is not made where its condition would mean other rows by that path', async () => {
    const table = await aTable('id varchar primary key, name varchar', "('1', 'a'), ('2', 'b')");
    const { executor, close } = byPath('odd');
    const change = await toExecution(await freezeStep(executor, 'w', aValidStep(`UPDATE ${table} SET name = 'c' WHERE name = 'a'`)), executor);
    expect((await run(executor, change)).result).toMatchObject({ kind: 'conflict', summary: expect.stringContaining('search_path') });
    expect(await imagesOf(table)).toEqual(['(1,a)', '(2,b)']);
    const plain = await toExecution(await freezeStep(executor, 'w', aValidStep(`UPDATE ${table} SET name = 'c' WHERE name IS NULL OR id < '2'`)), executor);
    const { handle } = await run(executor, plain);
    expect((await run(executor, toRollback(plain, handle))).result).toMatchObject({ kind: 'done' });
    expect(await imagesOf(table)).toEqual(['(1,a)', '(2,b)']);
    await close();
  });
});

describe('a change of rows whose answer is lost', () => {
  const aChange = async (executor: Executor, timeoutMs = 10_000) => {
    const table = await aTable('id int primary key, n int', '(1, 1)');
    const step = await freezeStep(executor, 'w', aValidStep(`UPDATE ${table} SET n = n + 1 WHERE id = 1`, [], { timeoutMs }));
    return { table, change: await toExecution(step, executor) };
  };
  const endBackend = (handle: string) => client.query('select pg_terminate_backend($1, 5000)', [(JSON.parse(handle) as { pid: number }).pid]);

  it('has failed when its backend died before the commit, and can be settled so', async () => {
    const { table, change } = await aChange(sql.executor);
    let noted = '';
    const { result } = await run(sql.executor, change, { begin: async (handle) => { await endBackend(noted = handle); } });
    expect(result).toEqual({ kind: 'failed', summary: expect.stringContaining('before it was committed'), changed: false });
    expect(await settle(change, noted)).toEqual({ kind: 'notDone' });
    expect(await imagesOf(table)).toEqual(['(1,1)']);
  });

  it('is done when the commit went through and the target fell silent', async () => {
    const proxy = await openHangingProxy(database.url);
    const { executor, close } = openSqlExecutor(proxy.url);
    const { table, change } = await aChange(executor, 300);
    expect((await run(executor, change, { begin: async () => proxy.hang() })).result).toMatchObject({ kind: 'done' });
    expect(await imagesOf(table)).toEqual(['(1,2)']);
    await close();
    proxy.close();
  });

  it.each([
    ['another server', (handle: object) => ({ ...handle, history: '1/00000001' }), 'another server'],
    ['a server that was set back', (handle: object) => ({ ...handle, xid: '999999999' }), 'in the future'],
  ])('is unknown to %s', async (_name, alter, because) => {
    const { executor, close } = openSqlExecutor(database.url, async () => {});
    const { change } = await aChange(executor);
    const { handle } = await run(executor, change);
    await expect(settle(change, JSON.stringify(alter(JSON.parse(handle) as object)), executor)).rejects.toMatchObject({ kind: 'outcomeUnknown', message: expect.stringContaining(because) });
    await close();
  });

  it('is unknown when the target stays away', async () => {
    const { change } = await aChange(sql.executor);
    const { handle } = await run(sql.executor, change);
    const gone = openSqlExecutor('postgres://nobody:x@127.0.0.1:1/none', async () => {});
    await expect(settle(change, handle, gone.executor)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
    await gone.close();
  });

  it('is not made when it is called off while it is prepared', async () => {
    const { table, change } = await aChange(sql.executor);
    await expect(run(sql.executor, change, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    expect(await imagesOf(table)).toEqual(['(1,1)']);
    expect(await listOpenTransactions(client)).toEqual([]);
  });
});

it('a role with nothing but its grants on the table changes rows, takes them back and ends its own lost session', async () => {
  const role = await openRole(database.url);
  const table = await aTable('id int primary key, n int', '(1, 1)');
  await client.query(`grant usage on schema shop to ${role.name}; grant select, update on ${table} to ${role.name}`);
  const { executor, close } = openSqlExecutor(role.url);
  const change = await toExecution(await freezeStep(executor, 'w', aValidStep(`UPDATE ${table} SET n = 2 WHERE id = 1`)), executor);
  let lost = '';
  let wake = () => {};
  const running = run(executor, change, { begin: (handle) => new Promise<void>((resolve) => (lost = handle, wake = resolve)) });
  await until('the run to begin', async () => lost !== '');
  expect(await settle(change, lost, executor)).toEqual({ kind: 'notDone' });
  wake();
  expect((await running).result).toMatchObject({ kind: 'failed', changed: false });
  const { result, handle } = await run(executor, change);
  expect(result).toMatchObject({ kind: 'done' });
  expect((await run(executor, toRollback(change, handle))).result).toMatchObject({ kind: 'done' });
  expect(await imagesOf(table)).toEqual(['(1,1)']);
  await close();
  await client.query(`drop owned by ${role.name}`);
  await role.drop();
});
