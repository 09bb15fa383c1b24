import { randomUUID } from 'node:crypto';
import pg from 'pg';

const WAITERS = 4;

/** A database on the test run's server in which one session holds a lock that others wait for. */
export async function openBlockedDatabase() {
  const serverUrl = process.env['TEST_DATABASE_URL'] ?? '';
  const name = `blocked_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`create database ${name}`);
  const clients: pg.Client[] = [];

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url.href, application_name: 'test' });
    client.on('error', () => {});
    await client.connect();
    clients.push(client);
    return client;
  }

  const setUp = await connect();
  await setUp.query('create table stock (sku int primary key, n int); insert into stock values (1, 10)');

  /** Blocks again, or the first time; returns the pid of the session that holds the lock. */
  async function block(): Promise<number> {
    const holder = await connect();
    await holder.query('begin; update stock set n = n');
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    for (let waiter = 0; waiter < WAITERS; waiter += 1) {
      const client = await connect();
      client.query('update stock set n = n').catch(() => {});
    }
    return rows[0]?.pid ?? 0;
  }

  return {
    url: url.href,
    block,
    async isAlive(pid: number): Promise<boolean> {
      const { rowCount } = await server.query('select from pg_stat_activity where pid = $1 and datname = $2', [pid, name]);
      return rowCount === 1;
    },
    /** As a person would end it by hand. */
    async end(pid: number): Promise<void> {
      await server.query('select pg_terminate_backend($1, 5000)', [pid]);
    },
    async close(): Promise<void> {
      await server.query(`drop database ${name} with (force)`);
      await Promise.allSettled(clients.map((client) => client.end()));
      await server.end();
    },
  };
}

export type BlockedDatabase = Awaited<ReturnType<typeof openBlockedDatabase>>;
