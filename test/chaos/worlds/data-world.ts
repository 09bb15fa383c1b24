import pg from 'pg';
import { query } from './target-server.js';
import type { World } from './world.js';

const SCRIPT = 'UPDATE app.actors SET can_delete = false WHERE name = $1';
const SLOT = 'chaos_changes';

const SCHEMA = `
  create schema app;
  create table app.actors (name text primary key, can_delete boolean not null);
  -- Whoever may delete does.
  create view app.audit as select name as actor, 'DELETE' as action, now() as created_at from app.actors, generate_series(1, 20) where can_delete;
  create publication chaos for table app.actors;`;

/** An actor that deletes too much, whose right to is taken away. Counted are the committed changes of its row, as the server's own log has them. */
export async function openDataWorld(serverUrl: string, tappedUrl: string): Promise<World> {
  await query(serverUrl, SCHEMA);
  await query(serverUrl, 'select pg_create_logical_replication_slot($1, $2)', [SLOT, 'pgoutput']);

  return {
    workspace: `
    stabilization: 1s
    targets:
      database:
        kind: postgres
        connection: { env: CHAOS_DATA }
        executor: sql
        auditLog: { table: app.audit, window: 10s, maxDeletes: 5 }`,
    environment: { CHAOS_DATA: tappedUrl },
    async prepare(author) {
      await author.post('/api/sre/scripts', {
        workspaceId: 'data',
        name: 'Revoke Right To Delete',
        description: 'Takes away the right to delete of whoever deletes too much.',
        type: 'SQL',
        command: SCRIPT,
        parameters: ['actor'],
        category: 'massDeletion',
        risk: 'MEDIUM',
        estimatedDuration: 1_000,
      });
    },
    close: async () => {},

    async breakIt(name) {
      const read = async (): Promise<string | undefined> => (await query<{ row: string }>(serverUrl, 'select actors::text as row from app.actors where name = $1', [name]))[0]?.row;
      await query(serverUrl, 'insert into app.actors values ($1, true)', [name]);
      const broken = await read();
      return {
        async countEffects() {
          // 85 is the letter U, with which the log marks an update.
          const [row] = await query<{ updates: number }>(
            serverUrl,
            `select count(*)::int as updates from pg_logical_slot_peek_binary_changes('${SLOT}', null, null, 'proto_version', '1', 'publication_names', 'chaos')
              where get_byte(data, 0) = 85 and position(convert_to($1, 'UTF8') in data) > 0`,
            [name],
          );
          return row?.updates ?? 0;
        },
        isAsItBroke: async () => (await read()) === broken,
        isAtRest: async () => true,
        onChange: () => {},
        async close() {
          await query(serverUrl, 'delete from app.actors where name = $1', [name]);
          await query(serverUrl, `select from pg_logical_slot_get_binary_changes(${pg.escapeLiteral(SLOT)}, null, null, 'proto_version', '1', 'publication_names', 'chaos')`);
        },
      };
    },
  };
}
