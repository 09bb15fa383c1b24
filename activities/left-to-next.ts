// Temporal's words for why a worker is to stop although nobody wants what it does to end.
const reasons: readonly string[] = ['WORKER_SHUTDOWN', 'TIMED_OUT', 'NOT_FOUND', 'PAUSED', 'RESET', 'HEARTBEAT_DETAILS_CONVERSION_FAILED'];

/** Whether what was begun goes on, and the attempt that follows looks after it; else it is to end. */
export const isLeftToNext = ({ aborted, reason }: AbortSignal): boolean => aborted && reason instanceof Error && reasons.includes(reason.message);
