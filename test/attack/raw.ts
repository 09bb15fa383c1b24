import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger } from '@temporalio/worker';
import { type RollbackInput, rollbackWorkflowId } from '../../contracts/messages.js';
import type { GateRow, Incident } from './incident.js';
import type { Lane } from './lane.js';

/** What the namespace lets anybody do who has access to it: reset, start, and have any activity run with any arguments. */

/** Resets the workflow to before the signal that it heard first; what was signalled comes again. */
export async function resetToGate({ arena }: Lane, { handle }: Incident): Promise<WorkflowHandle> {
  const { events } = await handle.fetchHistory();
  const signalled = events?.findIndex((event) => event.workflowExecutionSignaledEventAttributes) ?? -1;
  const completed = events?.slice(Math.max(0, signalled)).find((event) => event.workflowTaskCompletedEventAttributes);
  const answer: { readonly runId?: string } = await arena.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    requestId: randomUUID(),
    workflowExecution: { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
    workflowTaskFinishEventId: completed?.eventId ?? null,
    reason: 'attack',
  });
  return arena.client.workflow.getHandle(handle.workflowId, answer.runId);
}

/** Has the plan run as if it were claimed under this id. Answers with the name of what came of it. */
export async function runRaw({ arena }: Lane, incident: Incident, gate: GateRow, claimId: string): Promise<string> {
  const { id: incidentId, desk } = incident;
  const before = [{ target: 'shop-db', name: 'deletes', title: 'rows deleted', unit: 'count', value: 900, threshold: 100, better: 'lower' }] as const;
  const input = { workspaceId: desk.workspace.id, incidentId, gateId: gate.id, claimId, digest: gate.digest, before, measurementId: randomUUID(), stabilizationMs: 0 };
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  let said = '';
  try {
    await environment.run(async () => {
      const execution = await arena.activities.executeRemediation(input);
      said = 'because' in execution ? execution.because : execution.kind;
    });
  } catch (error) {
    if (error instanceof ApplicationFailure) return error.type ?? error.message;
    return error instanceof Error ? error.message : String(error);
  }
  return said;
}

export async function claimRaw({ arena }: Lane, incident: Incident, { id, digest }: Pick<GateRow, 'id' | 'digest'>): Promise<string> {
  const claim = await arena.activities.claimExecution({ workspaceId: incident.desk.workspace.id, incidentId: incident.id, gateId: id, digest, claimId: randomUUID() });
  return claim.kind === 'refused' ? claim.because : 'claimed';
}

/** Starts what takes a closed incident back, under whatever decision. */
export async function startRollback({ arena }: Lane, incident: Incident, digest: string, decisionId: string): Promise<WorkflowHandle> {
  const { id: incidentId, desk } = incident;
  const workspaceId = desk.workspace.id;
  const askedBy = { person: 'sam', role: 'supervisor', reason: 'so', at: new Date().toISOString() };
  const input: RollbackInput = { workspaceId, incidentId, decisionId, digest, title: desk.title, askedBy, policy: desk.policy };
  return arena.client.workflow.start('rollback', { taskQueue: arena.taskQueue, workflowId: rollbackWorkflowId(workspaceId, incidentId), args: [input] });
}
