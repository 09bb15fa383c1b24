import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { sweepScheduleId, taskQueue } from '../contracts/messages.js';
import type { Workspace } from '../domain/watch.js';

/** Makes the schedules what sluice.yaml says: one for each workspace that is swept, none for the others. */
export async function arrangeSweeps(client: Client, workspaces: readonly Workspace[]): Promise<void> {
  for (const { id: workspaceId, sweepEveryMs } of workspaces) {
    const scheduleId = sweepScheduleId(workspaceId);
    if (sweepEveryMs === null) {
      await client.schedule.getHandle(scheduleId).delete().catch(ignoreMissing);
      continue;
    }
    const spec = { intervals: [{ every: sweepEveryMs }] };
    const action = { type: 'startWorkflow', workflowType: 'detectionSweep', taskQueue, args: [{ workspaceId }] } as const;
    const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: sweepEveryMs };
    try {
      await client.schedule.create({ scheduleId, spec, action, policies });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await client.schedule.getHandle(scheduleId).update((previous) => ({ ...previous, spec, action: { ...previous.action, ...action }, policies }));
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
}
