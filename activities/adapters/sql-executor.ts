import type { Reach } from '../../domain/reach.js';
import type { Executor, Watch } from '../ports.js';
import { createSqlDataExecutor } from './sql-data-executor.js';
import { createSqlSessionExecutor } from './sql-session-executor.js';
import type { TargetConnections } from './target-connections.js';

/** Runs SQL that was validated, with its parameters bound: session control, or changes of rows. */
export function createSqlExecutor(connections: TargetConnections, watch: Watch, wait: (ms: number) => Promise<unknown>): Executor {
  const bySession = createSqlSessionExecutor(connections, watch, wait);
  const byRow = createSqlDataExecutor(connections, watch, wait);
  function pick({ reach }: { readonly reach: Reach }): Executor {
    if (reach === 'session') return bySession;
    if (reach === 'row') return byRow;
    throw new Error(`SQL does not reach a ${reach}`);
  }
  return {
    rehearse: (workspaceId, step) => pick(step).rehearse(workspaceId, step),
    snapshot: (workspaceId, step) => pick(step).snapshot(workspaceId, step),
    run: (workspaceId, change, options) => pick(change.step).run(workspaceId, change, options),
    settle: (workspaceId, change, handle, options) => pick(change.step).settle(workspaceId, change, handle, options),
  };
}
