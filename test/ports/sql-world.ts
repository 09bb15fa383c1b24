import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { createSqlExecutor } from '../../activities/adapters/sql-executor.js';
import { openTargetConnections } from '../../activities/adapters/target-connections.js';
import { aPolicy } from '../builders.js';
import type { Target, Workspace } from '../../domain/watch.js';

export const target: Extract<Target, { kind: 'postgres' }> = {
  kind: 'postgres',
  name: 'shop-db',
  connection: { env: 'TARGET_URL' },
  executor: 'sql',
  detectors: [{ kind: 'postgres', thresholds: { blockedSessions: 2, lockWait: 1, idleInTransaction: 1, longQuery: 60_000, connections: 99, queryLatency: 5_000 } }],
};

export const workspace: Workspace = {
  id: 'w',
  targets: [target],
  alertRules: [],
  channels: [],
  sweepEveryMs: null,
  startingPolicy: aPolicy(),
};

/** The real executor with connections of its own to one database. */
export function openSqlExecutor(url: string, pause: (ms: number) => Promise<unknown> = wait) {
  const connections = openTargetConnections(() => url);
  return { connections, executor: createSqlExecutor(connections, { readWorkspace: () => workspace }, pause), close: () => connections.close() };
}

/** A connection that does not mind being ended. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'test' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Transactions that our connections to a database have open, a line each. */
export async function listOpenTransactions(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ line: string }>(
    `select pid || ' ' || state as line from pg_stat_activity where application_name = 'sluice' and datname = current_database() and xact_start is not null`,
  );
  return rows.map(({ line }) => line);
}
