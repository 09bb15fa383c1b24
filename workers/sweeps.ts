import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { sweepScheduleId, taskQueue } from '../contracts/messages.js';
import type { Workspace } from '../domain/watch.js';

/** Makes the schedules what sluice.yaml says: one for each workspace that is swept, and none else. */
export async function arrangeSweeps(client: Client, workspaces: readonly Workspace[]): Promise<void> {
  const wanted = new Set<string>();
  for (const { id: workspaceId, sweepEveryMs } of workspaces) {
    if (sweepEveryMs === null) continue;
    wanted.add(sweepScheduleId(workspaceId));
    await arrange(client, workspaceId, sweepEveryMs);
  }
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(sweepScheduleId('')) && !wanted.has(scheduleId)) await client.schedule.getHandle(scheduleId).delete();
  }
}

async function arrange(client: Client, workspaceId: string, everyMs: number): Promise<void> {
  const scheduleId = sweepScheduleId(workspaceId);
  const spec = { intervals: [{ every: everyMs }] };
  const action = { type: 'startWorkflow', workflowType: 'detectionSweep', taskQueue, args: [{ workspaceId }] } as const;
  // A sweep that comes late says nothing that the next one does not.
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: everyMs };
  try {
    await client.schedule.create({ scheduleId, spec, action, policies });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((previous) => ({ ...previous, spec, action: { ...previous.action, ...action }, policies }));
  }
}
