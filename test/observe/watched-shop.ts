import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { SHOP_TABLES } from '../../cli/demo/shop/database.js';
import { until } from '../harness/until.js';
import { openRole } from '../ports/open-role.js';
import type { Watched } from './watched.js';

const WAITERS = 4;
const ROWS = `select md5(string_agg(concat_ws(' ', sku, stock, xmin, ctid), ',' order by sku)) as rows from shop.products`;

/** The demo's shop as a database of its own, which Sluice may look at and nothing else. */
export async function openShop(place: string): Promise<Watched> {
  const serverUrl = process.env['TEST_DATABASE_URL'] ?? '';
  const server = new pg.Client({ connectionString: serverUrl });
  server.on('error', () => {});
  await server.connect();
  const name = `week_${randomUUID().replaceAll('-', '')}`;
  await server.query(`create database ${name}`);
  const role = await openRole(serverUrl);
  await role.grantMonitor();
  const toUrl = (of: string): string => Object.assign(new URL(of), { pathname: `/${name}` }).href;
  const opened = new Set<pg.Client>();

  async function connect(applicationName: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: toUrl(serverUrl), application_name: applicationName });
    client.on('error', () => {});
    await client.connect();
    opened.add(client);
    return client;
  }

  async function end(client: pg.Client): Promise<void> {
    opened.delete(client);
    await client.end();
  }

  const owner = await connect('shop-owner');
  await owner.query(SHOP_TABLES);
  const readRows = async (): Promise<string> => (await owner.query<{ rows: string }>(ROWS)).rows[0]?.rows ?? '';
  const waiting = async (): Promise<number> => (await owner.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).rowCount ?? 0;
  const atFirst = await readRows();
  let holder: pg.Client | undefined;
  let waiters: readonly pg.Client[] = [];
  let answers: readonly Promise<unknown>[] = [];
  const effects: string[] = [];

  return {
    place,
    targets: { [`shop-${place}`]: { kind: 'postgres', connection: { env: `WEEK_SHOP_${place.toUpperCase()}` }, postgres: { blockedSessions: WAITERS - 1 } } },
    variables: { [`WEEK_SHOP_${place.toUpperCase()}`]: toUrl(role.url) },
    async break() {
      holder = await connect('shop-report');
      await holder.query('begin; update shop.products set stock = stock');
      waiters = await Promise.all(Array.from({ length: WAITERS }, () => connect('shop-client')));
      answers = waiters.map((waiter) => waiter.query('select from shop.products where sku = 1 for update').catch((error: unknown) => effects.push(`a client of ${place} was cut off: ${String(error)}`)));
      await until('clients that wait', async () => (await waiting()) === WAITERS);
    },
    async mend() {
      // It is still in its transaction, so nobody has ended it.
      await holder?.query('rollback').catch((error: unknown) => effects.push(`the session that held the locks of ${place} was ended: ${String(error)}`));
      await Promise.all(answers);
      await Promise.all([...(holder === undefined ? [] : [holder]), ...waiters].map(end));
    },
    async findEffects() {
      const { rows } = await owner.query<{ killed: number }>('select sessions_killed::int as killed from pg_stat_database where datname = current_database()');
      const killed = rows[0]?.killed ?? 0;
      return [...effects, ...(killed === 0 ? [] : [`${killed} sessions of ${place} were terminated`]), ...((await readRows()) === atFirst ? [] : [`rows of ${place} were written`])];
    },
    async close() {
      await Promise.allSettled([...opened].map(end));
      await server.query(`drop database ${name} with (force)`);
      await role.drop();
      await server.end();
    },
  };
}
