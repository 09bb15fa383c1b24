import pg from 'pg';
import type { SecretReference, Target, Workspace } from '../../domain/watch.js';
import { Fault } from '../faults.js';

export type ReadSecret = (reference: SecretReference) => string;
type PostgresTarget = Extract<Target, { kind: 'postgres' }>;

const CONNECT_TIMEOUT_MS = 5_000;
// Measuring a database must not be what hangs it, nor hang on it.
const QUERY_TIMEOUT_MS = 8_000;

/** Connections to watched databases, one pool each. Every connection says that it is ours. */
export function openTargetConnections(readSecret: ReadSecret) {
  const pools = new Map<string, pg.Pool>();

  function poolOf(workspaceId: string, target: PostgresTarget): pg.Pool {
    const key = `${workspaceId}/${target.name}`;
    const known = pools.get(key);
    if (known !== undefined) return known;
    const pool = new pg.Pool({
      connectionString: readSecret(target.connection),
      application_name: 'sluice',
      max: 2,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      idleTimeoutMillis: 10_000,
    });
    // An idle connection that breaks is replaced by the next query, which reports what it meets.
    pool.on('error', () => {});
    pools.set(key, pool);
    return pool;
  }

  return {
    poolOf,
    /** The pool of a target that SQL may run on. */
    executorPool(workspace: Workspace, name: string): pg.Pool {
      const target = workspace.targets.find((candidate) => candidate.name === name);
      if (target?.kind !== 'postgres' || target.executor !== 'sql') {
        throw new Fault('targetMissing', `target ${name} has no sql executor in sluice.yaml`);
      }
      return poolOf(workspace.id, target);
    },
    async close(): Promise<void> {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

export type TargetConnections = ReturnType<typeof openTargetConnections>;
