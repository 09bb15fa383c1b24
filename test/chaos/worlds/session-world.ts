import pg from 'pg';
import { query } from './target-server.js';
import type { World } from './world.js';

const WAITERS = 4;
const COUNT = 'select sessions_killed::int as killed from pg_stat_database where datname = current_database()';

/** Sessions of a client wait for one of its own that is idle in transaction. Counted is how many sessions the server was made to end. */
export async function openSessionWorld(serverUrl: string, tappedUrl: string): Promise<World> {
  await query(serverUrl, 'create table if not exists stock (sku text primary key, n int not null)');
  const countKilled = async (): Promise<number> => (await query<{ killed: number }>(serverUrl, COUNT))[0]?.killed ?? 0;

  return {
    workspace: `
    stabilization: 1s
    targets:
      database: { kind: postgres, connection: { env: CHAOS_SESSIONS }, executor: sql, postgres: { blockedSessions: 2 } }`,
    environment: { CHAOS_SESSIONS: tappedUrl },
    prepare: async () => {},
    close: async () => {},

    async breakIt(name) {
      const clients: pg.Client[] = [];
      let isOver = false;
      async function connect(): Promise<pg.Client> {
        const client = new pg.Client({ connectionString: serverUrl, application_name: name });
        client.on('error', () => {});
        // A client that was cut off comes again, as they do, and must then be left in peace.
        client.once('end', () => {
          if (!isOver) connect().catch(() => {});
        });
        await client.connect();
        clients.push(client);
        return client;
      }
      await query(serverUrl, 'insert into stock values ($1, 0)', [name]);
      const before = await countKilled();
      const holder = await connect();
      await holder.query('begin');
      await holder.query('update stock set n = n where sku = $1', [name]);
      for (let waiter = 0; waiter < WAITERS; waiter += 1) {
        const client = await connect();
        client.query('update stock set n = n + 1 where sku = $1', [name]).catch(() => {});
      }
      return {
        countEffects: async () => (await countKilled()) - before,
        isAsItBroke: async () => false,
        isAtRest: async () => true,
        onChange: () => {},
        async close() {
          isOver = true;
          await Promise.allSettled(clients.map((client) => client.end()));
        },
      };
    },
  };
}
