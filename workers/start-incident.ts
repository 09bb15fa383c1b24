import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy } from '@temporalio/client';
import { type IncidentInput, incidentWorkflowId, taskQueue } from '../contracts/messages.js';
import type { Database } from '../db/database.js';
import type { IncidentRow } from '../db/outbox.js';
import { readPolicy } from '../db/policies.js';
import { createRecorder } from '../db/recorder.js';
import { matchTargets } from '../domain/alert.js';
import { withoutMarkup } from '../domain/current-details.js';
import type { Workspace } from '../domain/watch.js';

/** Starts the workflow of an incident as sluice.yaml is now; one that is there already is left alone. */
export function createStarter(db: Database, client: Client, workspaces: readonly Workspace[]) {
  const recorder = createRecorder(db);

  async function start(incident: IncidentRow, workflowIdReusePolicy: WorkflowIdReusePolicy): Promise<void> {
    const { id: incidentId, workspaceId, trigger, severityThreshold } = incident;
    const workspace = workspaces.find(({ id }) => id === workspaceId);
    if (workspace === undefined) throw new Error(`workspace ${workspaceId} is not in sluice.yaml; add it and restart the worker`);
    const { policy } = await readPolicy(db, workspaceId);
    const targets = incident.targets ?? toTargets(workspace, incident.labels);
    await recorder.setTargets(incidentId, targets);
    const input: IncidentInput = { workspaceId, incidentId, trigger, severityThreshold, targets, policy };
    try {
      await client.workflow.start('incident', {
        taskQueue,
        workflowId: incidentWorkflowId(workspaceId, incidentId),
        workflowIdReusePolicy,
        args: [input],
        searchAttributes: { SluiceWorkspace: [workspaceId], SluicePhase: ['DETECTION'], SluiceGate: ['none'] },
        staticSummary: withoutMarkup(incident.title).slice(0, 120),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  return {
    start: (incident: IncidentRow) => start(incident, WorkflowIdReusePolicy.REJECT_DUPLICATE),
    /** Begins again at detection where the workflow was lost. */
    restart: (incident: IncidentRow) => start(incident, WorkflowIdReusePolicy.ALLOW_DUPLICATE),
  };
}

export type Starter = ReturnType<typeof createStarter>;

const toTargets = (workspace: Workspace, labels: Readonly<Record<string, string>>): readonly string[] =>
  (Object.keys(labels).length === 0 ? undefined : matchTargets(labels, workspace.alertRules)) ?? workspace.targets.map(({ name }) => name);
