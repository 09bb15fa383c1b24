import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import pg from 'pg';
import { appendAudit } from '../../db/audit-writer.js';
import { isAway } from '../../db/away.js';
import { type Database, openRequestDatabase } from '../../db/database.js';
import { readSwitches, throwSwitch } from '../../db/kill-switch.js';
import { openIncident } from '../../db/open-incident.js';
import * as schema from '../../db/schema.js';
import { appendUpdate } from '../../db/tail-writer.js';
import { createToken } from '../../db/tokens.js';
import { toUpdate } from '../../domain/incident.js';
import { allTables, freshDatabase, type FreshDatabase } from '../harness/database.js';

const workspaces = ['one', 'two'] as const;

let database: FreshDatabase;
const incidentOf = new Map<string, string>();
const inside = (workspaceId: string): Database => database.requests.in(workspaceId);
const denied = { cause: { code: '42501' } };

beforeAll(async () => {
  database = await freshDatabase();
  for (const workspaceId of workspaces) incidentOf.set(workspaceId, await fill(database.db, workspaceId));
});
afterAll(() => database.close());

/** Has a row of each table that a request could ask for. */
async function fill(db: Database, workspaceId: string): Promise<string> {
  const { incidentId } = await open(db, workspaceId);
  await appendUpdate(db, incidentId, 'first', toUpdate({ phase: 'DETECTION', status: 'IN_PROGRESS', text: workspaceId }));
  await db.insert(schema.measurements).values({ id: randomUUID(), incidentId, purpose: 'detection', planVersion: 0, measuredAt: new Date(), signals: [], facts: [] });
  await db.transaction((tx) => appendAudit(tx, workspaceId, { kind: 'key.made', actor: 'a', subject: 's', details: {} }));
  await createToken(db, { workspaceId, person: `${workspaceId}-person`, role: 'admin' });
  await throwSwitch(db, { workspaceId, scope: 'workspace', on: true, person: 'a', reason: 'r' });
  return incidentId;
}

const open = (db: Database, workspaceId: string) =>
  openIncident(db, { id: randomUUID(), workspaceId, trigger: 'alert', title: workspaceId, fingerprint: randomUUID(), startedBy: null, labels: {}, targets: ['db'], severityThreshold: 'LOW', severity: null });

/** What is asked on a connection that just broke is asked again. */
async function untilThere<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error)) throw error;
    }
  }
}

const read = async (db: Database, query: string) => (await db.execute(sql.raw(query))).rows;

describe('every table', () => {
  it('tells rows of a workspace from those of another', async () => {
    const unguarded = await database.asOwner(`
      select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
      and not (relrowsecurity
        and exists (select from pg_policies where tablename = relname and roles = '{sluice_app}' and qual = 'true')
        and exists (select from pg_policies where tablename = relname and roles = '{sluice_api}' and qual ~ 'sluice.workspace'))`);
    expect(unguarded).toEqual([]);
    const named = await database.asOwner(`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`);
    expect(named).toHaveLength(allTables.length);
  });

  it.each(allTables.map((table) => [getTableName(table), table] as const))('shows a request what is of its workspace, and without one nothing: %s', async (name, table) => {
    const whose = 'workspaceId' in getTableColumns(table) ? 'workspace_id' : '(select workspace_id from incidents where id = incident_id)';
    const seen = (db: Database) => read(db, `select distinct ${whose} as whose from ${name} where ${whose} <> '*'`);
    const there = await seen(database.db);
    expect(await seen(inside('one'))).toEqual(there.filter((row) => row['whose'] === 'one'));
    expect(await seen(inside('nowhere'))).toEqual([]);
  });
});

describe('a request', () => {
  it('without a workspace sees and writes nothing', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('set role sluice_api');
    expect((await client.query('select from incidents')).rowCount).toBe(0);
    await expect(client.query(`insert into outbox (workspace_id, incident_id, message) values ('one', '${incidentOf.get('one') ?? ''}', '{}')`)).rejects.toThrow('row-level security');
    await client.end();
  });

  it('changes nothing of another workspace, even where it names it', async () => {
    for (const change of ["update incidents set title = 'x'", "update tail set key = 'x'", 'update gates set settled_at = now()', "update kill_switches set is_on = false where workspace_id = 'two'"]) {
      expect([change, (await inside('three').execute(sql.raw(change))).rowCount]).toEqual([change, 0]);
    }
  });

  it('writes no row for another workspace, and none about an incident of another', async () => {
    const theirs = incidentOf.get('two') ?? '';
    await expect(open(inside('one'), 'two')).rejects.toMatchObject(denied);
    await expect(inside('one').insert(schema.outbox).values({ workspaceId: 'one', incidentId: theirs, message: { kind: 'resolved' } })).rejects.toMatchObject(denied);
    await expect(appendUpdate(inside('one'), theirs, 'x', toUpdate({ phase: 'DETECTION', status: 'IN_PROGRESS', text: 'x' }))).rejects.toMatchObject(denied);
    await expect(inside('one').transaction((tx) => appendAudit(tx, 'two', { kind: 'key.made', actor: 'a', subject: 's', details: {} }))).rejects.toMatchObject(denied);
  });

  it('sees the kill switch of all workspaces and cannot throw it', async () => {
    const all = { workspaceId: 'one', scope: 'all', on: true, person: 'a', reason: 'r' } as const;
    await expect(throwSwitch(inside('one'), all)).rejects.toMatchObject(denied);
    await throwSwitch(database.db, all);
    expect((await readSwitches(inside('one'), 'one')).all?.isOn).toBe(true);
    await inside('one').execute(sql`update kill_switches set is_on = false`);
    expect(await readSwitches(database.db, 'one')).toMatchObject({ all: { isOn: true }, workspace: { isOn: false } });
  });

  it.each([
    'select token_hash from tokens',
    "update tokens set role = 'admin'",
    'update tokens set expires_at = now()',
    'delete from tokens',
    "update audit set entry = 'x'",
    'delete from audit',
    'truncate audit',
    "update executions set state = 'succeeded'",
    'insert into plans select * from plans',
    'delete from incidents',
    "update policies set reason = 'x'",
    "update decisions set person = 'x'",
    'delete from outbox',
  ])('may not: %s', async (statement) => {
    await expect(inside('one').execute(sql.raw(statement))).rejects.toMatchObject({ cause: { code: '42501', message: expect.stringContaining('permission denied') } });
  });
});

it('lets a page of a long tail cost as many looks at its incident as it has rows', async () => {
  await database.asOwner(`
    insert into incidents (id, workspace_id, trigger, title, fingerprint, labels, severity_threshold) select gen_random_uuid(), 'one', 'alert', 'one', 'many ' || n, '{}', 'LOW' from generate_series(1, 5000) n;
    insert into tail (incident_id, seq, key, event, body) select '${incidentOf.get('one') ?? ''}', n, 'line ' || n, 'output', '{}' from generate_series(2, 5000) n;
    analyze`);
  const { rows } = await inside('one').execute<{ 'QUERY PLAN': string }>(sql`explain (analyze) select * from tail where incident_id = ${incidentOf.get('one')} and seq > 1 order by seq limit 50`);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Index Scan using incidents_pkey on incidents .*loops=50\)/);
  expect(plan).not.toContain('Seq Scan');
});

describe('a connection that serves many workspaces', () => {
  it('never shows one what is of another, whatever broke before', async () => {
    const requests = openRequestDatabase(database.url, { max: 2 });
    const look = async (db: Pick<Database, 'execute'>) => (await db.execute(sql`select distinct title from incidents`)).rows;
    const ways: readonly ((db: Database) => Promise<unknown>)[] = [
      look,
      (db) => db.transaction(look),
      (db) => db.transaction(async (tx) => tx.transaction(look)),
      (db) => db.transaction(async (tx) => { await look(tx); throw new Error('no'); }).catch(() => look(db)),
      (db) => db.execute(sql`select 1 / 0`).catch(() => look(db)),
      (db) => db.transaction((tx) => tx.execute(sql`select 1 / 0`)).catch(() => look(db)),
      (db) => db.execute(sql`select pg_terminate_backend(pg_backend_pid())`).catch(() => look(db)),
    ];
    const seen = await Promise.all(Array.from({ length: 700 }, async (_, index) => {
      const workspaceId = workspaces[(index * 7 + Math.floor(index / 3)) % 2] ?? 'one';
      return [workspaceId, await untilThere(async () => ways[index % ways.length]?.(requests.in(workspaceId)))] as const;
    }));
    expect(seen.filter(([workspaceId, rows]) => JSON.stringify(rows) !== JSON.stringify([{ title: workspaceId }]))).toEqual([]);
    await requests.close();
  });
});
