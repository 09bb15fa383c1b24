import type pg from 'pg';
import { countWaiters } from '../../domain/blocking.js';
import type { Fact, Signal } from '../../domain/signal.js';
import { MAX_OBJECTS } from '../../domain/verification.js';
import type { PostgresSignal } from '../../domain/watch.js';
import { APPLICATION_NAME } from './target-connections.js';
import { refuseBlindness, VIEWER, type Viewer } from './session-view.js';

interface SessionRow {
  readonly pid: number;
  readonly backend_start: string;
  readonly state: string;
  readonly application_name: string;
  readonly user_name: string;
  readonly state_age_ms: number;
  readonly query_age_ms: number;
  readonly lock_wait_ms: number;
  readonly blocked_by: readonly number[];
}

// waitstart is unset for a moment after a wait begins; the statement's age stands in for it.
const SESSIONS = `
  select a.pid,
         to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as backend_start,
         coalesce(a.state, 'unknown') as state,
         coalesce(a.application_name, '') as application_name,
         coalesce(a.usename, '') as user_name,
         coalesce(extract(epoch from clock_timestamp() - a.state_change) * 1000, 0)::float8 as state_age_ms,
         coalesce(extract(epoch from clock_timestamp() - a.query_start) * 1000, 0)::float8 as query_age_ms,
         case when a.wait_event_type = 'Lock'
              then coalesce(extract(epoch from clock_timestamp() - coalesce(l.waitstart, a.query_start)) * 1000, 0)
              else 0 end::float8 as lock_wait_ms,
         pg_blocking_pids(a.pid) as blocked_by
    from pg_stat_activity a
    left join lateral (select min(waitstart) as waitstart from pg_locks where pid = a.pid and not granted) l on true
   where a.backend_type = 'client backend' and a.datname = current_database() and a.application_name <> $1`;

// The limit is the cluster's, and so is what counts against it.
const CONNECTIONS = `
  select (100.0 * (select count(*) from pg_stat_activity where backend_type = 'client backend')
          / current_setting('max_connections')::int)::float8 as percent, ${VIEWER}`;

// What may not vanish while somebody makes the trouble vanish. Partitions come and go as their table is cared for.
const TABLES = `
  select (n.nspname || '.' || c.relname) collate "C" as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
     and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
   order by 1 limit ${MAX_OBJECTS}`;

const titles: Record<PostgresSignal, { readonly title: string; readonly unit: Signal['unit'] }> = {
  queryLatency: { title: 'query latency', unit: 'ms' },
  lockWait: { title: 'longest lock wait', unit: 'ms' },
  blockedSessions: { title: 'blocked sessions', unit: 'count' },
  idleInTransaction: { title: 'longest idle in transaction', unit: 'ms' },
  longQuery: { title: 'longest running query', unit: 'ms' },
  connections: { title: 'connections used', unit: 'percent' },
};

const MAX_FACTS = 50;

/** Measures latency, locks, sessions and connections of one Postgres, from its own statistics. Throws when it cannot be asked. */
export async function measurePostgres(
  pool: pg.Pool,
  target: string,
  thresholds: Readonly<Partial<Record<PostgresSignal, number>>>,
): Promise<{ readonly signals: readonly Signal[]; readonly facts: readonly Fact[] }> {
  const client = await pool.connect();
  try {
    const startedMs = performance.now();
    await client.query('select 1');
    const queryLatency = performance.now() - startedMs;
    const { rows: connections } = await client.query<Viewer & { percent: number }>(CONNECTIONS);
    refuseBlindness(connections);
    const { rows: sessions } = await client.query<SessionRow>(SESSIONS, [APPLICATION_NAME]);
    const { rows: tables } = await client.query<{ name: string }>(TABLES);
    const longest = (pick: (row: SessionRow) => number): number => Math.max(0, ...sessions.map(pick));
    const values: Record<PostgresSignal, number> = {
      queryLatency,
      lockWait: longest((row) => row.lock_wait_ms),
      blockedSessions: sessions.filter((row) => row.blocked_by.length > 0).length,
      idleInTransaction: longest((row) => (row.state.startsWith('idle in transaction') ? row.state_age_ms : 0)),
      longQuery: longest((row) => (row.state === 'active' ? row.query_age_ms : 0)),
      connections: connections[0]?.percent ?? 0,
    };
    const names: readonly PostgresSignal[] = ['queryLatency', 'lockWait', 'blockedSessions', 'idleInTransaction', 'longQuery', 'connections'];
    const signals = names.flatMap((name): readonly Signal[] => {
      const threshold = thresholds[name];
      return threshold === undefined ? [] : [{ target, name, ...titles[name], value: Math.round(values[name] * 10) / 10, threshold, better: 'lower' }];
    });
    client.release();
    return { signals, facts: [...toFacts(target, sessions), { kind: 'objects', id: `${target}/objects`, target, of: 'tables', names: tables.map(({ name }) => name) }] };
  } catch (error) {
    // A connection whose answer is still out must not answer the next question.
    client.release(true);
    throw error;
  }
}

/** The sessions that matter: those that others wait for, and those idle in transaction, most waited for first. */
function toFacts(target: string, sessions: readonly SessionRow[]): readonly Fact[] {
  const waiters = countWaiters(sessions.map(({ pid, blocked_by: blockedBy }) => ({ pid, blockedBy })));
  return sessions
    .map((row): Extract<Fact, { kind: 'session' }> => ({
      kind: 'session',
      id: `${target}/session/${row.pid}@${row.backend_start}`,
      target,
      pid: row.pid,
      backendStart: row.backend_start,
      state: row.state,
      stateAgeMs: Math.round(row.state_age_ms),
      applicationName: row.application_name,
      userName: row.user_name,
      blocks: waiters.get(row.pid) ?? 0,
      isBlocked: row.blocked_by.length > 0,
    }))
    .filter((fact) => fact.blocks > 0 || fact.state.startsWith('idle in transaction'))
    .toSorted((a, b) => b.blocks - a.blocks || b.stateAgeMs - a.stateAgeMs)
    .slice(0, MAX_FACTS);
}
