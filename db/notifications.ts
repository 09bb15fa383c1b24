import { and, asc, desc, eq, isNull, lte, sql } from 'drizzle-orm';
import type { Confidence } from '../domain/confidence.js';
import type { Delivery, NotificationKind } from '../domain/notification.js';
import { isOnlyAsking, toldUpdate } from '../domain/notification.js';
import type { Plan } from '../domain/plan.js';
import { notify } from './channels.js';
import { readClock } from './clock.js';
import type { Connection, Database } from './database.js';
import { gates, incidents, notifications, plans, tail } from './schema.js';
import { appendTail } from './tail-writer.js';

type NotificationRow = typeof notifications.$inferSelect;

/** One of a workspace's channels by its name in sluice.yaml, with notifications that wait. */
export type Lane = Pick<NotificationRow, 'workspaceId' | 'channel'>;

/** A notification that is due, with what it tells of as it is now. */
export interface DueNotification {
  readonly row: NotificationRow;
  readonly incident: typeof incidents.$inferSelect;
  readonly gate: typeof gates.$inferSelect | null;
  readonly plan: FrozenPlan | null;
}

interface FrozenPlan {
  readonly plan: Plan;
  readonly confidence: Confidence;
}

export interface Dispatcher {
  /** What the tail calls the channel. */
  readonly shownAs: string;
  readonly deliver: (due: DueNotification) => Promise<Delivery>;
  readonly isOver: () => boolean;
}

// Longer than any delivery may take: whoever holds one for so long is gone.
const LEASE_SECONDS = 60;
const MAX_RETRY_MS = 600_000;
const GIVE_UP_AFTER_MS = 86_400_000;

const isWaiting = and(isNull(notifications.deliveredAt), isNull(notifications.gaveUpAt));
const isDue = and(isWaiting, lte(notifications.dueAt, sql`now()`));
const inLane = ({ workspaceId, channel }: Lane) => and(eq(notifications.workspaceId, workspaceId), eq(notifications.channel, channel));
const fromNow = (ms: number) => sql`clock_timestamp() + make_interval(secs => ${ms / 1_000})`;

/** Asks for people to be told in each of these channels; call it in the transaction of what they are told of. A repeat tells nobody again. */
export async function addNotifications(
  tx: Connection,
  telling: {
    readonly workspaceId: string;
    readonly incidentId: string;
    /** Names what it tells of within the incident. */
    readonly key: string;
    readonly kind: NotificationKind;
    readonly gateId: string | null;
    readonly channels: readonly string[];
    readonly text: string;
    readonly onlyFor?: string;
  },
): Promise<void> {
  const { channels, ...rest } = telling;
  if (channels.length === 0) return;
  await tx
    .insert(notifications)
    .values([...new Set(channels)].map((channel) => ({ ...rest, channel })))
    .onConflictDoNothing({ target: [notifications.incidentId, notifications.key, notifications.channel] });
}

/** The channels in which something is due. */
export async function listDueLanes(db: Database): Promise<readonly Lane[]> {
  return db.selectDistinct({ workspaceId: notifications.workspaceId, channel: notifications.channel }).from(notifications).where(isDue);
}

/**
 * Delivers what is due in one channel, oldest first, until nothing is or `isOver` says so. What is tried again comes after what was due before, and two
 * dispatchers deliver side by side, so people may hear of a later thing first. No transaction is open meanwhile: each is leased, so two dispatchers never
 * take the same one, and what a dead one held is tried again after the lease. So it is told at least once.
 */
export async function deliverNotifications(db: Database, lane: Lane, dispatcher: Dispatcher): Promise<void> {
  const { deliver, isOver, shownAs } = dispatcher;
  while (!isOver()) {
    const due = await lease(db, lane);
    if (due === undefined) return;
    if (due.gate !== null && due.gate.state !== 'open' && isOnlyAsking(due.row.kind)) {
      await db.update(notifications).set({ gaveUpAt: sql`now()`, lastError: 'its gate was settled before' }).where(and(eq(notifications.id, due.row.id), isWaiting));
      continue;
    }
    const delivery = await deliver(due);
    // Cut short by our own end: that says nothing about the channel.
    if (isOver() && delivery.kind !== 'delivered') await db.update(notifications).set({ dueAt: sql`now()`, attempts: due.row.attempts - 1 }).where(eq(notifications.id, due.row.id));
    else await note(db, due.row, shownAs, delivery);
  }
}

async function lease(db: Database, lane: Lane): Promise<DueNotification | undefined> {
  const next = db.select({ id: notifications.id }).from(notifications).where(and(inLane(lane), isDue)).orderBy(asc(notifications.createdAt)).limit(1).for('update', { skipLocked: true });
  const [row] = await db
    .update(notifications)
    .set({ dueAt: fromNow(LEASE_SECONDS * 1_000), attempts: sql`${notifications.attempts} + 1` })
    .where(eq(notifications.id, next))
    .returning();
  if (row === undefined) return undefined;
  const [incident] = await db.select().from(incidents).where(eq(incidents.id, row.incidentId));
  if (incident === undefined) throw new Error(`notification ${row.id} is of an incident that is not there`);
  const asked = row.gateId === null ? undefined : await readAsked(db, { ...row, gateId: row.gateId });
  return { row, incident, gate: asked?.gate ?? null, plan: asked?.plan ?? null };
}

/** A gate of this incident with the plan that it is about; undefined where the incident has no such gate. */
export async function readAsked(db: Connection, { workspaceId, incidentId, gateId }: { readonly workspaceId: string; readonly incidentId: string; readonly gateId: string }) {
  const [gate] = await db.select().from(gates).where(and(eq(gates.id, gateId), eq(gates.incidentId, incidentId), eq(gates.workspaceId, workspaceId)));
  if (gate === undefined) return undefined;
  const [plan] = gate.digest === null ? [] : await db.select().from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, gate.digest)));
  const frozen: FrozenPlan | null = plan === undefined ? null : { plan: JSON.parse(plan.canonical) as Plan, confidence: plan.confidence };
  return { gate, plan: frozen };
}

/** Writes down what became of a try; the tail says it of each delivery, of the first failure and of giving up. */
async function note(db: Database, row: NotificationRow, shownAs: string, tried: Delivery): Promise<void> {
  await db.transaction(async (tx) => {
    // First, as whoever adds notifications does: so no two wait for each other.
    const [incident] = await tx.select().from(incidents).where(eq(incidents.id, row.incidentId)).for('update');
    const delivery = giveUpInTime(row, tried, await readClock(tx));
    const isMine = and(eq(notifications.id, row.id), isWaiting, delivery.kind === 'delivered' ? undefined : eq(notifications.attempts, row.attempts));
    const [noted] = await tx.update(notifications).set(toChange(row, delivery)).where(isMine).returning({ id: notifications.id });
    if (noted === undefined || incident === undefined) return;
    if (delivery.kind === 'tryAgain' && delivery.afterMs !== null) await restLane(tx, row, delivery.afterMs);
    if (delivery.kind === 'tryAgain' && row.attempts > 1) return;
    if (await hasEnded(tx, row.incidentId)) return;
    await appendTail(tx, row.incidentId, [{ key: `told:${row.id}:${delivery.kind}`, event: 'update', body: { update: toldUpdate(incident, shownAs, row.kind, delivery) } }]);
  });
  await notify(db, 'tail', row.incidentId);
}

const toDelayMs = ({ attempts }: NotificationRow, afterMs: number | null): number => Math.max(Math.min(MAX_RETRY_MS, 1_000 * 2 ** Math.min(attempts - 1, 20)), afterMs ?? 0);

function giveUpInTime(row: NotificationRow, tried: Delivery, now: Date): Delivery {
  if (tried.kind !== 'tryAgain' || now.getTime() + toDelayMs(row, tried.afterMs) < row.createdAt.getTime() + GIVE_UP_AFTER_MS) return tried;
  return { kind: 'gaveUp', because: `${tried.because}; tried ${row.attempts} times within 24h` };
}

function toChange(row: NotificationRow, delivery: Delivery) {
  switch (delivery.kind) {
    case 'delivered':
      return { deliveredAt: sql`now()`, lastError: null };
    case 'tryAgain':
      return { dueAt: fromNow(toDelayMs(row, delivery.afterMs)), lastError: delivery.because.slice(0, 500) };
    case 'gaveUp':
      return { gaveUpAt: sql`now()`, lastError: delivery.because.slice(0, 500) };
  }
}

/** The channel asked to be left alone, whatever the next message is. */
async function restLane(tx: Connection, lane: Lane, afterMs: number): Promise<void> {
  await tx.update(notifications).set({ dueAt: sql`greatest(${notifications.dueAt}, ${fromNow(afterMs)})` }).where(and(inLane(lane), isWaiting));
}

/** Whether a `done` is the end of the tail: nobody would read on. */
async function hasEnded(tx: Connection, incidentId: string): Promise<boolean> {
  const [last] = await tx.select({ event: tail.event }).from(tail).where(eq(tail.incidentId, incidentId)).orderBy(desc(tail.seq)).limit(1);
  return last?.event === 'done';
}
