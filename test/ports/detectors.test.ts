import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { measureAuditLog } from '../../activities/adapters/audit-log-detector.js';
import { createDetectors } from '../../activities/adapters/detectors.js';
import { openKubernetes } from '../../activities/adapters/kubernetes-client.js';
import { measurePostgres } from '../../activities/adapters/postgres-detector.js';
import { openTargetConnections, type TargetConnections } from '../../activities/adapters/target-connections.js';
import type { Detector, Target } from '../../domain/watch.js';
import { countSignals } from '../../domain/watch.js';
import { openBlockedDatabase, type BlockedDatabase } from '../harness/blocked-database.js';
import { openHangingProxy } from './hanging-proxy.js';
import { openRole } from './open-role.js';

const { clientOf } = openKubernetes(() => '');

let database: BlockedDatabase;
let connections: TargetConnections;
let server: Server;
let url: string;
const CHUNK = ' '.repeat(64 * 1024);
let sent = 0;
beforeAll(async () => {
  database = await openBlockedDatabase();
  connections = openTargetConnections(({ ...reference }) => ('env' in reference && reference.env === 'GONE' ? 'postgres://u:p@127.0.0.1:1/d' : database.url));
  server = createServer((request, response) => {
    const answers: Record<string, () => void> = {
      '/stats': () => response.end(JSON.stringify({ shop: { p99Ms: 1_900 }, text: 'x' })),
      '/broken': () => response.writeHead(503).end('{"shop":{"p99Ms":5}}'),
      '/html': () => response.end('<html>'),
      '/never': () => {},
      '/app/stats': () => response.end(JSON.stringify({ shop: { p99Ms: 7 } })),
      '/app?key=k': () => response.end(JSON.stringify({ shop: { p99Ms: 8 } })),
      '/app/stats?key=k&of=shop': () => response.end(JSON.stringify({ shop: { p99Ms: 9 } })),
      '/endless': () => {
        const more = () => {
          sent += CHUNK.length;
          response.write(CHUNK);
        };
        response.on('drain', more);
        more();
      },
    };
    answers[request.url ?? '']?.();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await connections.close();
  await database.close();
});

const severe = [{ id: 'i1', title: 'checkout is down', severity: 'CRITICAL' }];
const measure = (target: Target) =>
  createDetectors(
    connections,
    clientOf,
    () => url,
    { listActiveSevere: async (_workspace, except) => severe.filter(({ id }) => id !== except), readLastKnownGood: async () => undefined },
    () => new Date(),
  ).measure([target], { workspaceId: 'w', incidentId: null });
const values = async (target: Target) => Object.fromEntries((await measure(target)).signals.map(({ name, value }) => [name, value]));

describe('the HTTP probe', () => {
  const probe = (path: string, over: Partial<Extract<Detector, { kind: 'http-probe' }>> = {}): Target => ({
    kind: 'http',
    name: 'shop',
    url: { env: 'SHOP_URL' },
    detectors: [
      {
        kind: 'http-probe',
        path,
        timeoutMs: 300,
        availabilityPercent: 99,
        latencyMs: 1_000,
        readings: [{ name: 'p99', title: 'p99', field: 'shop.p99Ms', unit: 'ms', threshold: 100 }],
        ...over,
      },
    ],
  });

  it.each([
    ['/stats', { availability: 100, latency: expect.any(Number), p99: 1_900 }],
    ['/broken', { availability: 0, latency: null, p99: 5 }],
    ['/html', { availability: 100, latency: expect.any(Number), p99: null }],
    ['/never', { availability: 0, latency: null, p99: null }],
  ])('measures %s', async (path, expected) => expect(await values(probe(path))).toEqual(expected));

  it.each([
    ['/app', '/stats', 7],
    ['/app/', '/stats', 7],
    ['/app?key=k', '/', 8],
    ['/app?key=k', '/stats?of=shop', 9],
  ])('asks below the address %s for %s', async (base, path, p99) => {
    const [detector] = probe(path).detectors;
    expect(await values({ kind: 'http', name: 'shop', url: `${url}${base}`, detectors: detector === undefined ? [] : [detector] })).toMatchObject({ p99 });
  });

  it('stops reading a body without end after a megabyte or so', async () => {
    expect(await values(probe('/endless', { timeoutMs: 3_000 }))).toMatchObject({ availability: 100, p99: null });
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it.each(['text', 'shop', 'shop.__proto__', 'constructor.name', 'nothing.at.all'])('reads no number at %s', async (field) => {
    const { p99 } = await values(probe('/stats', { readings: [{ name: 'p99', title: 'p99', field, unit: 'ms', threshold: 1 }] }));
    expect(p99).toBeNull();
  });
});

describe('the Postgres detector', () => {
  const thresholds = { queryLatency: 1, lockWait: 1, blockedSessions: 1, idleInTransaction: 1, longQuery: 1, connections: 1 };
  const target = (env = 'TARGET'): Target => ({ kind: 'postgres', name: 'shop-db', connection: { env }, executor: null, detectors: [{ kind: 'postgres', thresholds }] });
  async function begin(connectionString: string, application = 'shop'): Promise<pg.Client> {
    const client = new pg.Client({ connectionString, application_name: application });
    client.on('error', () => {});
    await client.connect();
    await client.query('begin');
    return client;
  }

  it('is unavailable to a role that sees only its own sessions, and names the remedy', async () => {
    const role = await openRole(database.url);
    const own = openTargetConnections(() => role.url);
    const ask = () => createDetectors(own, clientOf, () => role.url, { listActiveSevere: async () => [], readLastKnownGood: async () => undefined }, () => new Date()).measure([target()], { workspaceId: 'w', incidentId: null });
    expect(await ask()).toMatchObject({
      signals: [{ name: 'postgres-availability', value: 0 }],
      facts: [{ kind: 'unreachable', because: expect.stringContaining(`grant pg_monitor to ${role.name}`) }],
    });
    await role.grantMonitor();
    expect((await ask()).signals[0]).toMatchObject({ name: 'postgres-availability', value: 100 });
    await own.close();
    await role.drop();
  });

  it('judges the sessions of its own database only, and counts the connections of all', async () => {
    const elsewhere = await Promise.all(Array.from({ length: 10 }, () => begin(process.env['TEST_DATABASE_URL'] ?? '')));
    const sluice = await begin(database.url, 'sluice');
    const { signals, facts } = await measure(target());
    expect(facts.filter(({ kind }) => kind === 'session')).toEqual([]);
    expect(signals.find(({ name }) => name === 'idleInTransaction')).toMatchObject({ value: 0 });
    const { rows } = await sluice.query<{ max: number }>("select current_setting('max_connections')::int as max");
    expect(signals.find(({ name }) => name === 'connections')?.value).toBeGreaterThanOrEqual(Math.floor((1_000 * (elsewhere.length + 1)) / (rows[0]?.max ?? 0)) / 10);
    const shop = await begin(database.url);
    expect((await measure(target())).facts.filter(({ kind }) => kind === 'session')).toMatchObject([{ applicationName: 'shop' }]);
    await Promise.all([...elsewhere, sluice, shop].map((client) => client.end()));
  });

  it('names the tables that may not vanish: the ordinary ones, in order, of no system schema', async () => {
    const owner = await begin(database.url);
    await owner.query(`
      create schema inventory;
      create table inventory."Z" (id int); create table inventory.a (id int);
      create table inventory.parted (id int) partition by range (id); create table inventory.part partition of inventory.parted for values from (1) to (2);
      create view inventory.seen as select * from inventory.a; create temporary table passing (id int)`);
    await owner.query('commit');
    const ask = async () => (await measure(target())).facts.flatMap((fact) => (fact.kind === 'objects' ? fact.names : [])).filter((name) => !name.startsWith('public.'));
    expect(await ask()).toEqual(['inventory.Z', 'inventory.a', 'inventory.parted']);
    await owner.query('drop table inventory.a cascade');
    expect(await ask()).toEqual(['inventory.Z', 'inventory.parted']);
    await owner.query('drop schema inventory cascade');
    await owner.end();
  });

  it('is told apart by our name, whatever name the address gives', async () => {
    const own = openTargetConnections(() => `${database.url}?application_name=shop`);
    const { rows } = await own
      .poolOf('w', { kind: 'postgres', name: 'shop-db', connection: { env: 'TARGET' }, executor: null, detectors: [] })
      .query('select application_name as name from pg_stat_activity where pid = pg_backend_pid()');
    expect(rows).toEqual([{ name: 'sluice' }]);
    await own.close();
  });
});

describe('a connection that does not answer any more', () => {
  const auditLog = { kind: 'audit-log', table: 'quiet', actionColumn: 'action', actorColumn: 'who', timeColumn: 'at', windowMs: 1, maxDeletes: 1 } as const;
  it.each([
    ['the Postgres detector', (pool: pg.Pool) => measurePostgres(pool, 'shop-db', { longQuery: 1 })],
    ['the audit log detector', (pool: pg.Pool) => measureAuditLog(pool, 'shop-db', auditLog)],
  ])('is not asked again by %s', async (_name, ask) => {
    const proxy = await openHangingProxy(database.url);
    const pool = new pg.Pool({ connectionString: proxy.url, max: 1, query_timeout: 500 });
    pool.on('error', () => {});
    await pool.query('create table if not exists quiet (action text, who text, at timestamptz)');
    await ask(pool);
    proxy.hang();
    await expect(ask(pool)).rejects.toThrow('timeout');
    await ask(pool);
    await pool.end();
    proxy.close();
  });
});

describe('the audit log detector', () => {
  const target = (table: string): Target => ({
    kind: 'postgres',
    name: 'shop-db',
    connection: { env: 'TARGET' },
    executor: null,
    detectors: [{ kind: 'audit-log', table, actionColumn: 'action', actorColumn: 'who', timeColumn: 'at', windowMs: 60_000, maxDeletes: 3 }],
  });

  it('counts the deletes of its window, by who did them', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`
      create schema log; create table log."Audit" (action text, who text, at timestamptz);
      insert into log."Audit" select 'DELETE', 'bob', now() from generate_series(1, 5);
      insert into log."Audit" values ('delete', 'ana', now()), ('UPDATE', 'bob', now()), ('DELETE', 'bob', now() - interval '1 hour')`);
    await client.end();
    const { signals, facts } = await measure(target('log.Audit'));
    expect(signals.find(({ name }) => name === 'deletes')).toMatchObject({ value: 6, threshold: 3 });
    expect(facts).toMatchObject([{ actor: 'bob', deletes: 5 }, { actor: 'ana', deletes: 1 }]);
  });

  it('takes a hostile name as a name', async () => {
    const { signals, facts } = await measure(target('audit"; drop schema log cascade; --'));
    expect(signals).toMatchObject([{ name: 'audit-log-availability', value: 0 }]);
    expect(facts).toMatchObject([{ kind: 'unreachable', because: expect.stringContaining('does not exist') }]);
    expect((await values(target('log.Audit')))['deletes']).toBe(6);
  });
});

describe('a database that cannot be asked', () => {
  it('is unavailable, and nothing else about it is said to be well', async () => {
    const target: Target = { kind: 'postgres', name: 'gone', connection: { env: 'GONE' }, executor: null, detectors: [{ kind: 'postgres', thresholds: { lockWait: 1, queryLatency: 1 } }] };
    expect(await measure(target)).toMatchObject({
      signals: [{ name: 'postgres-availability', value: 0 }],
      facts: [{ kind: 'unreachable', because: expect.stringContaining('ECONNREFUSED') }],
    });
  });
});

describe('the detector of open incidents', () => {
  it('counts SEV-0/1 incidents that are open in the workspace', async () => {
    const target: Target = { kind: 'workspace', name: 'all', detectors: [{ kind: 'active-incidents', maxIncidents: 1 }] };
    expect(await measure(target)).toMatchObject({ signals: [{ name: 'activeIncidents', value: 1 }], facts: [{ kind: 'activeIncident', title: 'checkout is down' }] });
  });
});

it('as many signals are measured as are announced', async () => {
  const target: Target = {
    kind: 'postgres',
    name: 'shop-db',
    connection: { env: 'TARGET' },
    executor: null,
    detectors: [
      { kind: 'postgres', thresholds: { queryLatency: 1, lockWait: 1, blockedSessions: 1, idleInTransaction: 1, longQuery: 1, connections: 1 } },
      { kind: 'audit-log', table: 'log.Audit', actionColumn: 'action', actorColumn: 'who', timeColumn: 'at', windowMs: 60_000, maxDeletes: 3 },
    ],
  };
  expect((await measure(target)).signals).toHaveLength(countSignals(target));
});
