import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Connection } from './database.js';
import { SEEN_MS } from './executor-calls.js';
import { type ExecutorCapabilities, executorCalls, executors } from './schema.js';

export interface ExecutorPresence {
  readonly workspaceId: string;
  readonly queue: string;
  readonly workerId: string;
  readonly place: string;
  readonly version: string;
  readonly capabilities: ExecutorCapabilities;
}

/** Notes that an executor worker asked for work. */
export async function noteExecutor(db: Connection, presence: ExecutorPresence): Promise<void> {
  const { place, version, capabilities } = presence;
  await db
    .insert(executors)
    .values(presence)
    .onConflictDoUpdate({ target: [executors.workspaceId, executors.queue, executors.workerId], set: { place, version, capabilities, lastSeenAt: sql`now()` } });
}

/** The executor workers of the last day, by queue; each with how many calls it has in hand. */
export async function listExecutors(db: Connection, workspaceId: string) {
  const isHeld = and(eq(executorCalls.workspaceId, executors.workspaceId), eq(executorCalls.workerId, executors.workerId), sql`${executorCalls.answer} is null`, sql`${executorCalls.workerUntil} > now()`);
  const calls = sql<number>`(select count(*)::int from ${executorCalls} where ${isHeld})`;
  const isUp = sql<boolean>`${executors.lastSeenAt} > now() - ${SEEN_MS} * interval '1 millisecond'`;
  return db
    .select({ queue: executors.queue, workerId: executors.workerId, version: executors.version, capabilities: executors.capabilities, startedAt: executors.startedAt, lastSeenAt: executors.lastSeenAt, isUp, calls })
    .from(executors)
    .where(and(eq(executors.workspaceId, workspaceId), gt(executors.lastSeenAt, sql`now() - interval '1 day'`)))
    .orderBy(asc(executors.queue), asc(executors.startedAt));
}
