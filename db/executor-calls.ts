import { and, asc, eq, isNull, lt, or, sql } from 'drizzle-orm';
import type { Connection, Database } from './database.js';
import { notify } from './channels.js';
import { executorCalls, executorOutput, executors } from './schema.js';

type Row = typeof executorCalls.$inferSelect;
export type Beginning = NonNullable<Row['beginning']>;
export type NewCall = Pick<Row, 'id' | 'workspaceId' | 'queue' | 'place' | 'kind' | 'key' | 'request'>;

/** How long each side of a call is believed to live after its last word. */
const LEASE_MS = 10_000;
const RENEW_AFTER_MS = 3_000;
/** Within which an executor worker counts as there. */
export const SEEN_MS = 30_000;
// What a call may have on its way before its worker has to wait.
const MAX_WAITING_CHARACTERS = 4_194_304;

const inMs = (ms: number) => sql`clock_timestamp() + ${ms} * interval '1 millisecond'`;
const isDue = sql`clock_timestamp() - ${SEEN_MS} * interval '1 millisecond'`;

/** Wakes whoever waits for a call of this queue. */
export const toWakeWord = (workspaceId: string, queue: string): string => `executor:${workspaceId}:${queue}`;

/** The side of a call that asks: the control worker's. */
export const createExecutorCalls = (db: Database) => ({
  async place(call: NewCall): Promise<void> {
    // What nobody waits for any more; its output goes with it.
    await db.delete(executorCalls).where(and(eq(executorCalls.workspaceId, call.workspaceId), lt(executorCalls.waiterUntil, sql`now() - interval '1 hour'`)));
    await db.insert(executorCalls).values({ ...call, waiterUntil: inMs(LEASE_MS) });
    await notify(db, 'tail', toWakeWord(call.workspaceId, call.queue));
  },

  /** Says that somebody still waits, and what there is by now: each line of output once. Undefined where the call is gone. */
  async attend(id: string) {
    const isLost = sql<boolean>`${executorCalls.workerUntil} < clock_timestamp()`;
    const isOfPlace = or(isNull(executorCalls.place), eq(executors.place, executorCalls.place));
    const seen = db.select().from(executors).where(and(eq(executors.workspaceId, executorCalls.workspaceId), eq(executors.queue, executorCalls.queue), isOfPlace, sql`${executors.lastSeenAt} > ${isDue}`));
    const isDueForRenewal = sql<boolean>`${executorCalls.waiterUntil} < ${inMs(LEASE_MS - RENEW_AFTER_MS)}`;
    const [call] = await db
      .select({ workerId: executorCalls.workerId, isLost, handle: executorCalls.handle, beginning: executorCalls.beginning, answer: executorCalls.answer, isSeen: sql<boolean>`exists ${seen}`, isDueForRenewal })
      .from(executorCalls)
      .where(eq(executorCalls.id, id));
    if (call === undefined) return undefined;
    if (call.isDueForRenewal) await db.update(executorCalls).set({ waiterUntil: inMs(LEASE_MS) }).where(eq(executorCalls.id, id));
    // Read after the answer was: whoever answers has sent its lines before.
    const chunks = await db.delete(executorOutput).where(eq(executorOutput.callId, id)).returning({ firstLine: executorOutput.firstLine, text: executorOutput.text });
    return { isTaken: call.workerId !== null, isLost: call.isLost === true, isSeen: call.isSeen, handle: call.handle, beginning: call.beginning, answer: call.answer, output: chunks.toSorted((one, other) => one.firstLine - other.firstLine) };
  },

  /** Answers the worker that asked to begin; only who waits for the call may. */
  async tellBeginning(id: string, beginning: Beginning): Promise<boolean> {
    const told = await db
      .update(executorCalls)
      .set({ beginning })
      .where(and(eq(executorCalls.id, id), or(isNull(executorCalls.beginning), eq(executorCalls.beginning, beginning))))
      .returning({ id: executorCalls.id });
    return told.length > 0;
  },

  async abort(id: string): Promise<void> {
    await db.update(executorCalls).set({ isAborted: true }).where(eq(executorCalls.id, id));
  },

  async remove(id: string): Promise<void> {
    await db.delete(executorCalls).where(eq(executorCalls.id, id));
  },
});

interface Holder {
  readonly workspaceId: string;
  readonly callId: string;
  readonly queue: string;
  readonly workerId: string;
}

const heldBy = ({ workspaceId, callId, queue, workerId }: Holder) => and(eq(executorCalls.id, callId), eq(executorCalls.workspaceId, workspaceId), eq(executorCalls.queue, queue), eq(executorCalls.workerId, workerId));

/** The oldest call of a queue that somebody still waits for; nobody else gets it. */
export async function takeCall(db: Connection, worker: { readonly workspaceId: string; readonly queue: string; readonly workerId: string; readonly place: string }): Promise<Row | undefined> {
  const isForPlace = or(isNull(executorCalls.place), eq(executorCalls.place, worker.place));
  const next = db
    .select({ id: executorCalls.id })
    .from(executorCalls)
    .where(and(eq(executorCalls.workspaceId, worker.workspaceId), eq(executorCalls.queue, worker.queue), isNull(executorCalls.workerId), isForPlace, sql`${executorCalls.waiterUntil} > clock_timestamp()`))
    .orderBy(asc(executorCalls.createdAt))
    .limit(1)
    .for('update', { skipLocked: true });
  const [taken] = await db
    .update(executorCalls)
    .set({ workerId: worker.workerId, workerUntil: inMs(LEASE_MS) })
    .where(and(eq(executorCalls.id, next), isNull(executorCalls.workerId)))
    .returning();
  return taken;
}

/** Says that the worker of a call lives. Undefined where the call is not its own, or gone. */
export async function beatCall(db: Connection, holder: Holder): Promise<{ readonly isAborted: boolean } | undefined> {
  const [beaten] = await db.update(executorCalls).set({ workerUntil: inMs(LEASE_MS) }).where(heldBy(holder)).returning({ isAborted: executorCalls.isAborted });
  return beaten;
}

/** Asks to begin under a handle, and what was answered by now. A call for which nobody waits any more is lost, for good. */
export async function askToBegin(db: Connection, holder: Holder, handle: string): Promise<{ readonly beginning: Beginning | null } | undefined> {
  const isGivenUp = sql`${executorCalls.beginning} is null and ${executorCalls.waiterUntil} < clock_timestamp()`;
  const [asked] = await db
    .update(executorCalls)
    .set({ handle, workerUntil: inMs(LEASE_MS), beginning: sql`case when ${isGivenUp} then 'lost' else ${executorCalls.beginning} end` })
    .where(and(heldBy(holder), or(isNull(executorCalls.handle), eq(executorCalls.handle, handle))))
    .returning({ beginning: executorCalls.beginning });
  return asked;
}

/** Takes lines in; the same ones again change nothing. `full`: what came before must be fetched first. Undefined where the call is gone, or is full and nobody waits for it. */
export async function addOutput(db: Connection, holder: Holder, chunk: { readonly firstLine: number; readonly text: string }): Promise<'added' | 'full' | undefined> {
  return db.transaction(async (tx) => {
    const [call] = await tx.update(executorCalls).set({ workerUntil: inMs(LEASE_MS) }).where(heldBy(holder)).returning({ id: executorCalls.id, workspaceId: executorCalls.workspaceId, isAbandoned: sql<boolean>`${executorCalls.waiterUntil} < clock_timestamp()` });
    if (call === undefined) return undefined;
    const [waiting] = await tx.select({ characters: sql<string>`coalesce(sum(length(${executorOutput.text})), 0)` }).from(executorOutput).where(eq(executorOutput.callId, call.id));
    // Nobody will fetch it; its worker must not wait for room for good.
    if (Number(waiting?.characters) > MAX_WAITING_CHARACTERS) return call.isAbandoned ? undefined : 'full';
    await tx.insert(executorOutput).values({ callId: call.id, workspaceId: call.workspaceId, ...chunk }).onConflictDoNothing();
    return 'added';
  });
}

/** Ends a call. The same answer again changes nothing. */
export async function answerCall(db: Connection, holder: Holder, answer: string): Promise<boolean> {
  const answered = await db.update(executorCalls).set({ answer, workerUntil: inMs(LEASE_MS) }).where(and(heldBy(holder), or(isNull(executorCalls.answer), eq(executorCalls.answer, answer)))).returning({ id: executorCalls.id });
  return answered.length > 0;
}
