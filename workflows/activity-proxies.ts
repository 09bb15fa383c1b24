import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ChangeActivities, CloseActivities, ReadActivities, ReasonActivities, RecordActivities, WatchActivities } from '../contracts/activities.js';

// One row per kind of work. Each bounds one attempt (startToClose); all but Watch and Record bound the whole effort (scheduleToClose).
// The whole effort outlasts an outage of all workers that somebody is likely to notice; after it, a person is asked.
export const read = proxyActivities<ReadActivities>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '15 seconds',
});
export const reason = proxyActivities<ReasonActivities>({
  startToCloseTimeout: '3 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '15 seconds',
});
export const change = proxyActivities<ChangeActivities>({
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '10 seconds',
  // What was stopped has to say how far it came.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});
export const watch = proxyActivities<WatchActivities>({
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '15 seconds',
  // A sleeping target is asked again soon: what is watched goes on while we wait.
  retry: { maximumInterval: '10 seconds' },
});
// The record may be late but never missing, so only the attempt is bounded.
export const record = proxyLocalActivities<RecordActivities>({ startToCloseTimeout: '10 seconds', retry: { maximumInterval: '10 seconds' } });
export const close = proxyActivities<CloseActivities>({ startToCloseTimeout: '10 seconds', retry: { maximumInterval: '30 seconds' } });
