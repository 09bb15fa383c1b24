import type { ActivityFailure } from '@temporalio/workflow';
import { TimeoutFailure } from '@temporalio/workflow';

/** Why an activity failed, in the words of whoever threw. */
export const explain = (error: ActivityFailure): string =>
  isTimeout(error) ? 'no worker could do it in time' : (error.cause?.message ?? error.message);

/** Nobody said no: there was nobody to do it, or it took too long. */
export const isTimeout = (error: ActivityFailure): boolean => error.cause instanceof TimeoutFailure;
