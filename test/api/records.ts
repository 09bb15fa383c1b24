import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.js';
import { decisions, gates, incidents, outbox } from '../../db/schema.js';
import { appendTail, appendUpdate } from '../../db/tail-writer.js';
import { toUpdate } from '../../domain/incident.js';
import { workspaceId } from './open-api.js';

/** What the API may write, all of it: a refused request leaves it as it was. */
export async function readWrites(db: Database) {
  return { incidents: await db.select().from(incidents), gates: await db.select().from(gates), decisions: await db.select().from(decisions), outbox: await db.select().from(outbox) };
}

export async function haveIncident(db: Database, row: Partial<typeof incidents.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  await db.insert(incidents).values({
    id,
    workspaceId,
    trigger: 'alert',
    title: 'checkout is slow',
    fingerprint: id,
    labels: {},
    severityThreshold: 'LOW',
    ...row,
  });
  return id;
}

export async function haveClosedIncident(db: Database): Promise<string> {
  const incidentId = await haveIncident(db, { phase: 'CLOSED', status: 'SUCCESS', outcome: 'RESOLVED', closedAt: new Date() });
  await appendTail(db, incidentId, [{ key: 'done', event: 'done', body: { done: { outcome: 'RESOLVED' } } }]);
  return incidentId;
}

export const digest = 'ab'.repeat(32);

export async function haveGate(db: Database, incidentId: string, row: Partial<typeof gates.$inferInsert> = {}) {
  const id = randomUUID();
  const update = toUpdate({ phase: 'EXECUTION_GATE', status: 'PENDING_HUMAN_APPROVAL', text: 'Action required' });
  const updateId = (await appendUpdate(db, incidentId, `gate:${id}`, update)) ?? '';
  const [gate] = await db
    .insert(gates)
    .values({ id, incidentId, workspaceId, kind: 'execution', digest, planVersion: 1, mode: 'people', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false, excluded: [], updateId, ...row })
    .returning();
  if (gate === undefined) throw new Error('no gate');
  return gate;
}

export const say = (db: Database, incidentId: string, text: string) =>
  appendUpdate(db, incidentId, randomUUID(), toUpdate({ phase: 'DETECTION', status: 'IN_PROGRESS', text }));

export const print = (db: Database, incidentId: string, text: string, firstLine = 1) =>
  appendTail(db, incidentId, [{ key: randomUUID(), event: 'output', body: { output: { stream: 'stdout', text, firstLine } } }]);

export const finish = (db: Database, incidentId: string) => appendTail(db, incidentId, [{ key: 'done', event: 'done', body: { done: { outcome: 'RESOLVED' } } }]);
