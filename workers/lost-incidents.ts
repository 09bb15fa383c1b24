import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { incidentWorkflowId } from '../contracts/messages.js';
import type { Database } from '../db/database.js';
import { listUnderWay, readStanding, RecipientAway } from '../db/outbox.js';
import type { Log } from './log.js';
import type { Starter } from './start-incident.js';
import { callTemporal } from './temporal-away.js';

const PAGE = 100;

/**
 * Starts anew the workflow of every open incident that has none running: somebody terminated it, or Temporal's database was lost while ours was kept.
 * Otherwise its gate would wait for ever and its alert would be counted and never heard.
 */
export async function restartLost(options: {
  readonly db: Database;
  readonly client: Client;
  readonly starter: Starter;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { db, client, starter, log, signal } = options;
  let after: string | null = null;
  while (!signal.aborted) {
    const page: Awaited<ReturnType<typeof listUnderWay>> = await listUnderWay(db, after, PAGE);
    for (const { id, workspaceId } of page) {
      try {
        await callTemporal(client, signal, async () => {
          if (await isRunning(client, incidentWorkflowId(workspaceId, id))) return;
          const standing = await readStanding(db, id);
          if (standing.kind !== 'underWay') return;
          await starter.restart(standing.incident);
          log.warn({ incidentId: id }, 'its workflow was gone: restarted');
        });
      } catch (error) {
        if (error instanceof RecipientAway) throw error;
        log.warn({ err: error, incidentId: id }, 'has no workflow and could not be restarted, tried again later');
      }
    }
    after = page.at(-1)?.id ?? null;
    if (page.length < PAGE) return;
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
