import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { Search } from './search.js';

export const places = ['history', 'database', 'logs', 'API'] as const;

/** What is kept to the byte to be put back, and is shown to nobody. */
const kept: Readonly<Record<string, readonly string[]>> = { executions: ['snapshot'], last_known_good: ['content'] };

export interface Installation {
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  readonly logs: string;
  readonly apiUrl: string;
  /** An admin's of each workspace, and an incident of it. */
  readonly readers: readonly { readonly token: string; readonly incidentIds: readonly string[] }[];
}

/** Looks everywhere where what scripts print, and what is said of them, is stored or shown. */
export async function searchPlaces(search: Search, { temporalAddress, databaseUrl, logs, apiUrl, readers }: Installation): Promise<void> {
  await searchHistories(search, temporalAddress);
  await searchTables(search, databaseUrl);
  for (const file of await readdir(logs)) for (const line of (await readFile(join(logs, file), 'utf8')).split('\n')) search.look('logs', line);
  for (const reader of readers) await searchAnswers(search, apiUrl, reader);
}

async function searchHistories(search: Search, address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection });
    for await (const { workflowId, runId, searchAttributes, memo } of workflow.list()) {
      const handle = workflow.getHandle(workflowId, runId);
      search.look('history', [searchAttributes, memo, await handle.fetchHistory(), (await handle.describe()).raw]);
    }
  } finally {
    await connection.close();
  }
}

async function searchTables(search: Search, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>("select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'");
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: unknown }>(`select to_jsonb(t) - $1::text[] as row from ${pg.escapeIdentifier(name)} t`, [kept[name] ?? []]);
      search.look('database', rows);
    }
  } finally {
    await client.end();
  }
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Every route that is read, as the API itself lists them; the tail both as JSON, page by page, and as a stream. */
async function searchAnswers(search: Search, apiUrl: string, { token, incidentIds }: Installation['readers'][number]): Promise<void> {
  const get = async (path: string, accept = 'application/json'): Promise<string> =>
    (await fetch(new URL(path, apiUrl), { headers: { authorization: `Bearer ${token}`, accept }, signal: AbortSignal.timeout(60_000) })).text();
  const { paths } = JSON.parse(await get('/openapi.json')) as OpenApi;
  for (const path of Object.keys(paths).filter((each) => 'get' in (paths[each] ?? {}))) {
    const filled = path.includes('{incidentId}') ? incidentIds.map((id) => path.replace('{incidentId}', id)) : [path];
    // What remains to be named is one of a list that is read as well.
    for (const each of filled.filter((one) => !one.includes('{'))) search.look('API', await get(each));
  }
  for (const id of incidentIds) {
    for (let after = 0, isOver = false; !isOver; ) {
      const page = JSON.parse(await get(`/api/incidents/${id}/tail?limit=100&after=${after}`)) as { readonly entries: readonly unknown[]; readonly nextAfter: number };
      search.look('API', page);
      isOver = page.entries.length === 0;
      after = page.nextAfter;
    }
    search.look('API', await get(`/api/incidents/${id}/tail`, 'text/event-stream'));
  }
}
