import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type RollbackInput, rollbackWorkflowId, taskQueue } from '../contracts/messages.js';
import { readPolicy } from '../db/policies.js';
import { readRollbackRequest } from '../db/ask-rollback.js';
import type { Database } from '../db/database.js';
import type { IncidentRow } from '../db/outbox.js';
import { withoutMarkup } from '../domain/current-details.js';
import type { Workspace } from '../domain/watch.js';

/** Starts the workflow that takes back a closed incident; one that is at it already is left alone. */
export async function startRollback(db: Database, client: Client, workspaces: readonly Workspace[], { id: incidentId, workspaceId, title }: IncidentRow, decisionId: string): Promise<void> {
  if (!workspaces.some(({ id }) => id === workspaceId)) throw new Error(`workspace ${workspaceId} is not in sluice.yaml; add it and restart the worker`);
  const request = await readRollbackRequest(db, decisionId);
  if (request === undefined) throw new Error(`decision ${decisionId} asks for no rollback`);
  const input: RollbackInput = { workspaceId, incidentId, decisionId, ...request, policy: (await readPolicy(db, workspaceId)).policy };
  try {
    await client.workflow.start('rollback', {
      taskQueue,
      workflowId: rollbackWorkflowId(workspaceId, incidentId),
      args: [input],
      searchAttributes: { SluiceWorkspace: [workspaceId], SluicePhase: ['CLOSED'], SluiceGate: ['none'] },
      staticSummary: withoutMarkup(`Take back: ${title}`).slice(0, 120),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
