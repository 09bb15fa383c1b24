import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import type { Change } from '../../activities/ports.js';
import { openHome } from '../../cli/local/home.js';
import { openLedger } from '../../cli/local/ledger.js';
import { anyFreePort } from '../../cli/local/ports.js';
import { ensureDatabase, startPostgres } from '../../cli/local/postgres.js';
import { until } from '../harness/until.js';
import { freezeStep } from './executor-contract.js';
import { connect, openSqlExecutor } from './sql-world.js';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A Postgres of its own, to be killed. */
async function openServer() {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o711); // as root: Postgres's user must get through
  const home = await openHome(join(folder, 'home'));
  const server = await startPostgres({ home, ledger: openLedger(home.processes), pieces: new Map(), say: () => {}, stopping: new AbortController().signal }, anyFreePort);
  endings.push(() => server.piece.stop());
  const url = await ensureDatabase(server, 'target');
  return {
    url,
    /** Whoever keeps it starts it again. */
    kill: () => {
      const pid = server.piece.pid();
      if (pid !== null) process.kill(pid, 'SIGKILL');
    },
  };
}

it('a change whose number was noted right before its target crashed is known not to be made, also when others changed something since', async () => {
  const { url, kill } = await openServer();
  const client = await connect(url);
  // It writes its log to disk only when somebody waits for that.
  for (const setting of [`wal_writer_delay = '10s'`, `wal_writer_flush_after = '1GB'`, 'autovacuum = off']) await client.query(`alter system set ${setting}`);
  await client.query('select pg_reload_conf()');
  // Changes of an unlogged table write nothing to the log by themselves.
  await client.query('create schema shop; create unlogged table shop.stock (id int primary key, n int); create table shop.later (id int)');
  await client.query('insert into shop.stock values (1, 1)');
  const { executor, close } = openSqlExecutor(url);
  endings.push(close);
  const step = await freezeStep(executor, 'w', { stepId: '1', type: 'sql', target: 'shop-db', script: 'UPDATE shop.stock SET n = 2 WHERE id = 1', parameters: [], reach: 'row', findings: [], timeoutMs: 10_000, queue: null, sandbox: null });
  const change: Change = { kind: 'execute', step, key: 'a'.repeat(32), snapshot: await executor.snapshot('w', step) };
  let noted = '';
  const options = { signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} };
  const begin = async (handle: string) => {
    noted = handle;
    kill();
    throw new Error('died');
  };
  await expect(executor.run('w', change, { ...options, begin })).rejects.toThrow('died');
  await client.end().catch(() => {});
  const later = await until('the target to be back', () => connect(url).catch(() => undefined));
  for (let count = 0; count < 5; count += 1) await later.query('insert into shop.later values (1)');
  expect(await executor.settle('w', change, noted, options)).toEqual({ kind: 'notDone' });
  await later.end();
});
