import { chmod, link, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createConfigPatchExecutor } from '../../activities/adapters/config-patch-executor.js';
import { createDetectors } from '../../activities/adapters/detectors.js';
import { openKubernetes } from '../../activities/adapters/kubernetes-client.js';
import { createSqlExecutor } from '../../activities/adapters/sql-executor.js';
import { openTargetConnections, type TargetConnections } from '../../activities/adapters/target-connections.js';
import type { Executor } from '../../activities/ports.js';
import type { ValidStep } from '../../domain/plan.js';
import type { SessionFact } from '../../domain/signal.js';
import type { Target, Workspace } from '../../domain/watch.js';
import { aStep } from '../builders.js';
import { type BlockedDatabase, openBlockedDatabase } from '../harness/blocked-database.js';
import { until } from '../harness/until.js';
import { openRole } from './open-role.js';
import { connect, target, workspace } from './sql-world.js';

const { clientOf } = openKubernetes(() => '');

/** A database that Sluice may read, without anybody who could run something there. */
const observed = { ...target, executor: null } satisfies Target;
const toWorkspace = (...targets: readonly Target[]): Workspace => ({ ...workspace, targets });

let database: BlockedDatabase;
let owner: pg.Client;
let role: Awaited<ReturnType<typeof openRole>>;
let connections: TargetConnections;
let sql: Executor;
let folder: string;
beforeAll(async () => {
  database = await openBlockedDatabase();
  owner = await connect(database.url);
  role = await openRole(database.url);
  await role.grantMonitor();
  await owner.query(`create schema shop; create table shop.actors (name text primary key, can_delete boolean); insert into shop.actors values ('bot', true), ('ana', true)`);
  await owner.query(`grant usage on schema shop to ${role.name}; grant select on shop.actors to ${role.name}; alter role ${role.name} set default_transaction_read_only = on`);
  connections = openTargetConnections(() => role.url);
  sql = createSqlExecutor(connections, { readWorkspace: () => toWorkspace(observed) }, async () => {});
  folder = await mkdtemp(join(tmpdir(), 'sluice-observed-'));
});
afterAll(async () => {
  await connections.close();
  await owner.query(`drop owned by ${role.name}`);
  await role.drop();
  await owner.end();
  await database.close();
  await chmod(folder, 0o755);
  await rm(folder, { recursive: true });
});

const notRun = async (executor: Executor, step: ValidStep, wayBack: 'oneWay' | 'snapshot'): Promise<void> => {
  const frozen = aStep({ ...step, wayBack: wayBack === 'oneWay' ? { kind: 'oneWay', because: 'x' } : { kind: 'snapshot', of: 'rows', keptMs: 1 } });
  const options = { begin: async () => {}, signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} };
  await expect(executor.run('w', { kind: 'execute', step: frozen, key: 'a'.repeat(32), snapshot: '' }, options)).rejects.toMatchObject({ kind: 'targetMissing' });
};

describe('what is only observed is rehearsed in full by whoever may only read, and not run', () => {
  it('a session, by a role with pg_monitor', async () => {
    const pid = await database.block();
    const detectors = createDetectors(connections, clientOf, () => role.url, { listActiveSevere: async () => [], readLastKnownGood: async () => undefined }, () => new Date());
    const holder = await until('the session that others wait for', async () =>
      (await detectors.measure([observed], { workspaceId: 'w', incidentId: null })).facts.find((fact): fact is SessionFact => fact.kind === 'session' && fact.pid === pid && fact.blocks > 0),
    );
    const step = aStep({ parameters: [`${pid}`, holder.backendStart] });
    expect(await sql.rehearse('w', step)).toMatchObject({ found: true, lines: [expect.stringContaining('idle in transaction')], wayBack: { kind: 'oneWay' } });
    await notRun(sql, step, 'oneWay');
    expect(await database.isAlive(pid)).toBe(true);
  });

  it('rows, by a role that may select them', async () => {
    const step: ValidStep = { ...aStep(), script: 'UPDATE shop.actors SET can_delete = false WHERE name = $1', parameters: ['bot'], reach: 'row' };
    const rehearsed = await sql.rehearse('w', step);
    expect(rehearsed).toMatchObject({ found: true, lines: ['1 row of shop.actors would be updated', '- name bot: can_delete true'], wayBack: { kind: 'snapshot' }, pins: { before: expect.any(String) } });
    await notRun(sql, step, 'snapshot');
    expect((await owner.query('select from shop.actors where can_delete')).rowCount).toBe(2);
  });

  it('a configuration file that cannot be replaced', async () => {
    const path = join(folder, 'shop.json');
    await writeFile(path, '{"timeoutMs": 5}');
    // Root may write where nobody may; a second name hinders all alike.
    await link(path, join(folder, 'other.json'));
    await chmod(path, 0o444);
    await chmod(folder, 0o555);
    const before = await stat(path);
    const toExecutor = (executor: 'config-patch' | null): Executor =>
      createConfigPatchExecutor({ readWorkspace: () => toWorkspace({ kind: 'config-file', name: 'config', path, executor, serves: [], detectors: [] }) }, () => '');
    const script = '[{"op":"test","path":"/timeoutMs","value":5},{"op":"replace","path":"/timeoutMs","value":2000}]';
    const step: ValidStep = { ...aStep(), type: 'config-patch', target: 'config', script, parameters: [], reach: 'file' };
    expect(await toExecutor('config-patch').rehearse('w', step)).toMatchObject({ found: false });
    expect(await toExecutor(null).rehearse('w', step)).toMatchObject({ found: true, lines: expect.arrayContaining(['+{"timeoutMs": 2000}']), wayBack: { kind: 'snapshot' } });
    await notRun(toExecutor(null), step, 'snapshot');
    expect(await readFile(path, 'utf8')).toBe('{"timeoutMs": 5}');
    expect((await stat(path)).ctimeMs).toBe(before.ctimeMs);
  });
});
