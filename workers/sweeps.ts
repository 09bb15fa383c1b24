import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { sweepScheduleId, taskQueue } from '../contracts/messages.js';
import type { Workspace } from '../domain/watch.js';
import type { Log } from './log.js';

/** Makes our schedules what sluice.yaml says: one for each workspace that is swept, and none else. Those of another `installation` stay. */
export async function arrangeSweeps(client: Client, workspaces: readonly Workspace[], installation: string, log: Log): Promise<void> {
  const wanted = new Set<string>();
  for (const { id: workspaceId, sweepEveryMs } of workspaces) {
    if (sweepEveryMs === null) continue;
    wanted.add(sweepScheduleId(workspaceId));
    await arrange(client, { workspaceId, everyMs: sweepEveryMs, installation, log });
  }
  for await (const { scheduleId, memo } of client.schedule.list()) {
    const isOurs = scheduleId.startsWith(sweepScheduleId('')) && memo?.['installation'] === installation;
    if (isOurs && !wanted.has(scheduleId)) await client.schedule.getHandle(scheduleId).delete();
  }
}

interface Sweep {
  readonly workspaceId: string;
  readonly everyMs: number;
  readonly installation: string;
  readonly log: Log;
}

async function arrange(client: Client, { workspaceId, everyMs, installation, log }: Sweep): Promise<void> {
  const scheduleId = sweepScheduleId(workspaceId);
  const spec = { intervals: [{ every: everyMs }] };
  const action = { type: 'startWorkflow', workflowType: 'detectionSweep', taskQueue, args: [{ workspaceId }] } as const;
  // A sweep that comes late says nothing that the next one does not.
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: everyMs };
  const create = () => client.schedule.create({ scheduleId, spec, action, policies, memo: { installation } });
  try {
    await create();
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    const { memo } = await handle.describe();
    if (memo?.['installation'] === installation) {
      await handle.update((previous) => ({ ...previous, spec, action: { ...previous.action, ...action }, policies }));
      return;
    }
    // A memo cannot be changed. It is another's where two installations name a workspace alike, or ours from before the database moved.
    log.warn({ scheduleId }, 'the schedule was of another installation and is taken over; give each installation a Temporal namespace of its own');
    await handle.delete();
    await create();
  }
}
