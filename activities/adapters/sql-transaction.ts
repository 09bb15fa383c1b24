import type pg from 'pg';
import { Fault } from '../faults.js';
import { messageOf } from './sql-refusal.js';

const LOCK_TIMEOUT_MS = 5_000;
// A transaction whose client was lost without a word must not hold its locks for long.
const IDLE_TIMEOUT_MS = 30_000;
const FIND_OUT_TRIES = 10;
const FIND_OUT_EVERY_MS = 2_000;
const END_EVERY_MS = 100;

const FIXED_PATH = 'set local search_path = pg_catalog, pg_temp';
// As the role has it, after Postgres' own names.
const OWN_PATH = `select set_config('search_path', concat_ws(', ', 'pg_catalog', nullif(reset_val, ''), 'pg_temp'), true) from pg_settings where name = 'search_path'`;

// Fixed, so that rows read as text at two times are equal when the rows are, and can be read back exactly;
// and so that names and quotes mean on the target what they meant to the validator.
const SETTINGS = `
  ${FIXED_PATH}; set local standard_conforming_strings = on; set local timezone = 'UTC'; set local datestyle = 'ISO, YMD';
  set local intervalstyle = postgres; set local extra_float_digits = 3; set local bytea_output = hex; set local lc_monetary = 'C'; set local xmloption = content;
  set local lock_timeout = ${LOCK_TIMEOUT_MS}; set local idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS};
  select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`;

/** Gives a connection of its own to the target, so that one which does not answer any more is not asked again. */
export type Connect = <Result>(use: (client: pg.Client) => Promise<Result>) => Promise<Result>;

const modes = { readOnly: 'isolation level repeatable read, read only', readWrite: 'isolation level read committed, read write' } as const;

/** Begins a transaction in which rows and values are written the same way whatever the role or database is set to. */
export async function openTransaction(client: pg.Client, mode: keyof typeof modes): Promise<void> {
  await client.query(`begin transaction ${modes[mode]}; ${SETTINGS}`);
}

/** Writes where triggers, checks and what else it fires find their names by the role's own path. */
export async function onOwnPath<Result>(client: pg.Client, write: () => Promise<Result>): Promise<Result> {
  await client.query(OWN_PATH);
  const result = await write();
  await client.query(FIXED_PATH);
  return result;
}

/** A transaction as others can ask for it. `history` is the server and its timeline: on another, its number may be another's. */
export interface TransactionName {
  readonly history: string;
  readonly xid: string;
  readonly pid: number;
  readonly backendStart: string;
}

const HISTORY = `(select system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) from pg_control_system())`;

/** Names the transaction that `client` is in, so that the name stays its own even when the server crashes. */
export async function nameTransaction(client: pg.Client, connect: Connect): Promise<TransactionName> {
  const { rows } = await client.query<TransactionName>(`
    select ${HISTORY} as history, pg_current_xact_id()::text as xid, pg_backend_pid() as pid,
           (select to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from pg_stat_activity where pid = pg_backend_pid()) as "backendStart"`);
  const [name] = rows;
  if (name === undefined) throw new Error('the target did not name its transaction');
  // A crash forgets numbers that were not yet on its disk and gives them out again; a commit of a later one makes it remember all before.
  await connect((other) => other.query(`begin; set local synchronous_commit = local; select pg_logical_emit_message(true, 'sluice', ''); commit`));
  return name;
}

/** How a transaction ended; one that is still open is ended, and waited for. Throws `outcomeUnknown` when the target cannot tell. */
export async function findOutcome(connect: Connect, name: TransactionName, target: string, wait: (ms: number) => Promise<unknown>): Promise<'committed' | 'aborted'> {
  const unknown = (because: string, cause?: unknown) => new Fault('outcomeUnknown', `whether transaction ${name.xid} of ${target} was committed cannot be found out: ${because}`, { cause });
  for (let left = FIND_OUT_TRIES; ; left -= 1) {
    try {
      return await connect((client) => awaitOutcome(client, name, unknown, wait));
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (left <= 1) throw unknown(messageOf(error), error);
      await wait(FIND_OUT_EVERY_MS);
    }
  }
}

async function awaitOutcome(client: pg.Client, name: TransactionName, unknown: (because: string) => Fault, wait: (ms: number) => Promise<unknown>): Promise<'committed' | 'aborted'> {
  for (let left = IDLE_TIMEOUT_MS / END_EVERY_MS; left > 0; left -= 1) {
    const { rows } = await client.query<{ history: string }>(`select ${HISTORY} as history`);
    if (rows[0]?.history !== name.history) throw unknown('it is another server now, or one that was restored');
    const { rows: answer } = await client.query<{ status: string | null }>('select pg_xact_status($1::text::xid8) as status', [name.xid]);
    const status = answer[0]?.status ?? null;
    if (status === 'committed' || status === 'aborted') return status;
    if (status === null) throw unknown('it is so long ago that the target has forgotten it');
    // Whoever opened it is lost, or has lost us; it could still commit.
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start = $2', [name.pid, name.backendStart]);
    await wait(END_EVERY_MS);
  }
  throw new Error('it is still open, and does not end when it is told to');
}
