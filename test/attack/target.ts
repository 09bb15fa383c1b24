import pg from 'pg';
import { query } from '../chaos/worlds/target-server.js';

const SLOT = 'attack_changes';

/** What runs are to change: a row for each incident, whose committed changes the server's own log counts. */
export interface Target {
  readonly url: string;
  add(actor: string): Promise<void>;
  mayDelete(actor: string): Promise<boolean>;
  /** Whoever has access to the target changes it; that is no effect of ours. */
  set(actor: string, rights: string): Promise<void>;
  /** How often a row was changed, by whomever but `set`. */
  countEffects(actor: string): Promise<number>;
  close(): Promise<void>;
}

export async function openTarget(url: string): Promise<Target> {
  await query(url, `create schema app; create table app.actors (name text primary key, rights text not null); create publication attack for table app.actors`);
  await query(url, 'select pg_create_logical_replication_slot($1, $2)', [SLOT, 'pgoutput']);
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  const changes = new Map<string, number>();
  const ours = new Map<string, number>();
  const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  let reading: Promise<void> = Promise.resolve();

  /** Takes what was committed since it was last asked. 85 is the letter U, with which the log marks an update. */
  async function readLog(): Promise<void> {
    const { rows } = await pool.query<{ change: string }>(
      `select encode(data, 'escape') as change from pg_logical_slot_get_binary_changes('${SLOT}', null, null, 'proto_version', '1', 'publication_names', 'attack') where get_byte(data, 0) = 85`,
    );
    for (const { change } of rows) add(changes, /actor-[0-9a-f-]{36}/.exec(change)?.[0] ?? 'unknown');
  }

  return {
    url,
    async add(actor) {
      await pool.query(`insert into app.actors values ($1, 'all')`, [actor]);
    },
    async mayDelete(actor) {
      const { rows } = await pool.query<{ rights: string }>('select rights from app.actors where name = $1', [actor]);
      return rows[0]?.rights === 'all';
    },
    async set(actor, rights) {
      const { rowCount } = await pool.query('update app.actors set rights = $2 where name = $1', [actor, rights]);
      if (rowCount === 1) add(ours, actor);
    },
    async countEffects(actor) {
      // A slot is read by one at a time; what was committed before this call is in what is read after it.
      reading = reading.then(readLog);
      await reading;
      return (changes.get(actor) ?? 0) - (ours.get(actor) ?? 0);
    },
    close: () => pool.end(),
  };
}
