import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { incidentWorkflowId, rollbackWorkflowId } from '../contracts/messages.js';
import { listRollbacksUnderWay } from '../db/ask-rollback.js';
import type { Database } from '../db/database.js';
import { listUnderWay, readStanding, RecipientAway } from '../db/outbox.js';
import type { Workspace } from '../domain/watch.js';
import type { Log } from './log.js';
import type { Starter } from './start-incident.js';
import { startRollback } from './start-rollback.js';
import { callTemporal } from './temporal-away.js';

const PAGE = 100;

/** What has a row and needs a workflow. */
interface Waiting {
  readonly incidentId: string;
  readonly workflowId: string;
  readonly restart: () => Promise<void>;
}

/**
 * Starts anew the workflow of every open incident, and of every rollback, that has none running: somebody terminated it, or Temporal's database was lost
 * while ours was kept. Otherwise its gate would wait for ever and its alert would be counted and never heard.
 */
export async function restartLost(options: {
  readonly db: Database;
  readonly client: Client;
  readonly workspaces: readonly Workspace[];
  readonly starter: Starter;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { db, client, workspaces, starter, log, signal } = options;

  async function look({ incidentId, workflowId, restart }: Waiting): Promise<void> {
    try {
      await callTemporal(client, signal, async () => {
        if (!(await isRunning(client, workflowId))) await restart();
      });
    } catch (error) {
      if (error instanceof RecipientAway) throw error;
      log.warn({ err: error, incidentId, workflowId }, 'has no workflow and could not be restarted, tried again later');
    }
  }

  let after: string | null = null;
  while (!signal.aborted) {
    const page: Awaited<ReturnType<typeof listUnderWay>> = await listUnderWay(db, after, PAGE);
    for (const { id, workspaceId } of page) {
      await look({
        incidentId: id,
        workflowId: incidentWorkflowId(workspaceId, id),
        async restart() {
          const standing = await readStanding(db, id);
          if (standing.kind !== 'underWay') return;
          await starter.restart(standing.incident);
          log.warn({ incidentId: id }, 'its workflow was gone: restarted');
        },
      });
    }
    after = page.at(-1)?.id ?? null;
    if (page.length < PAGE) break;
  }
  for (const { incident, decisionId } of await listRollbacksUnderWay(db)) {
    if (signal.aborted) return;
    await look({
      incidentId: incident.id,
      workflowId: rollbackWorkflowId(incident.workspaceId, incident.id),
      async restart() {
        await startRollback(db, client, workspaces, incident, decisionId);
        log.warn({ incidentId: incident.id }, 'its rollback was gone: restarted');
      },
    });
  }
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
