import pg from 'pg';
import type { SecretReference, Target, Workspace } from '../../domain/watch.js';
import { Fault } from '../faults.js';

/** Where it is a place, such as a file's path, it is no secret: it may be told. */
export type ReadSecret = (reference: SecretReference, is?: 'place') => string;
type PostgresTarget = Extract<Target, { kind: 'postgres' }>;

const CONNECT_TIMEOUT_MS = 5_000;
// Measuring a database must not be what hangs it, nor hang on it.
const QUERY_TIMEOUT_MS = 8_000;
// The server ends a run in time; only a server that does not answer any more is given up here.
const GIVE_UP_AFTER_MS = 2_000;

/** By this name our sessions are known, to us and to others. */
export const APPLICATION_NAME = 'sluice';

/** Connections to watched databases, one pool each. Every connection says that it is ours. */
export function openTargetConnections(readSecret: ReadSecret) {
  const pools = new Map<string, pg.Pool>();

  function poolOf(workspaceId: string, target: PostgresTarget): pg.Pool {
    const key = `${workspaceId}/${target.name}`;
    const known = pools.get(key);
    if (known !== undefined) return known;
    const pool = new pg.Pool({
      ...toOptions(readSecret(target.connection), { application_name: APPLICATION_NAME, query_timeout: QUERY_TIMEOUT_MS }),
      max: 2,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 10_000,
    });
    // An idle connection that breaks is replaced by the next query, which reports what it meets.
    pool.on('error', () => {});
    // One that is in use says nothing to the pool when it breaks; the query that meets it does.
    pool.on('connect', (client) => client.on('error', () => {}));
    pools.set(key, pool);
    return pool;
  }

  function findTarget(workspace: Workspace, name: string): PostgresTarget {
    const target = workspace.targets.find((candidate) => candidate.name === name);
    if (target?.kind !== 'postgres') throw new Fault('targetMissing', `target ${name} is no Postgres in sluice.yaml`);
    return target;
  }

  function executorTarget(workspace: Workspace, name: string): PostgresTarget {
    const target = findTarget(workspace, name);
    if (target.executor !== 'sql') throw new Fault('targetMissing', `target ${name} has no sql executor in sluice.yaml`);
    return target;
  }

  /** A connection of its own, ended after `use`. The server stops any statement after `timeoutMs`. */
  async function connectTo<Result>({ connection }: PostgresTarget, timeoutMs: number, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = new pg.Client({
      ...toOptions(readSecret(connection), { application_name: APPLICATION_NAME, statement_timeout: timeoutMs, query_timeout: timeoutMs + GIVE_UP_AFTER_MS }),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    // What breaks the connection is reported by the query that meets it.
    client.on('error', () => {});
    try {
      await client.connect();
      return await use(client);
    } finally {
      // Not awaited: a server that does not answer does not say goodbye either.
      client.end().catch(() => {});
    }
  }

  return {
    poolOf,
    /** The pool of a target that SQL may run on. */
    executorPool: (workspace: Workspace, name: string): pg.Pool => poolOf(workspace.id, executorTarget(workspace, name)),
    /** The pool of a target that is only looked at. */
    readerPool: (workspace: Workspace, name: string): pg.Pool => poolOf(workspace.id, findTarget(workspace, name)),
    withExecutor: async <Result>(workspace: Workspace, name: string, timeoutMs: number, use: (client: pg.Client) => Promise<Result>): Promise<Result> =>
      connectTo(executorTarget(workspace, name), timeoutMs, use),
    withReader: async <Result>(workspace: Workspace, name: string, timeoutMs: number, use: (client: pg.Client) => Promise<Result>): Promise<Result> =>
      connectTo(findTarget(workspace, name), timeoutMs, use),
    async close(): Promise<void> {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

export type TargetConnections = ReturnType<typeof openTargetConnections>;

/** Options of a connection. What stands in a connection string would win over them, so they are written into it, too. */
function toOptions(connectionString: string, settings: Readonly<Record<string, string | number>>) {
  if (!URL.canParse(connectionString)) return { ...settings, connectionString };
  const url = new URL(connectionString);
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, `${value}`);
  return { ...settings, connectionString: url.href };
}
