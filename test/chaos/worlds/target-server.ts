import { join } from 'node:path';
import pg from 'pg';
import { openHome } from '../../../cli/local/home.js';
import { openLedger } from '../../../cli/local/ledger.js';
import type { Surroundings } from '../../../cli/local/piece.js';
import { anyFreePort } from '../../../cli/local/ports.js';
import { ensureDatabase, startPostgres } from '../../../cli/local/postgres.js';

/** The Postgres that Sluice watches: a server of its own, which nobody kills, and which can say what was changed in it. */
export async function openTargetServer(folder: string, say: (line: string) => void, stopping: AbortSignal): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const home = await openHome(join(folder, 'target'));
  const surroundings: Surroundings = { home, ledger: openLedger(home.processes), pieces: new Map(), say, stopping };
  const first = await startPostgres(surroundings, anyFreePort);
  await query(first.urlOf('postgres'), "alter system set wal_level = 'logical'");
  await first.piece.stop();
  const server = await startPostgres(surroundings, anyFreePort);
  return { url: await ensureDatabase(server, 'target'), stop: () => server.piece.stop() };
}

/** One statement on a connection of its own, so that it outlives whatever was killed before. */
export async function query<Row extends pg.QueryResultRow>(url: string, text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'harness' });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
