import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askRollback } from '../../db/ask-rollback.js';
import { readAuditPage } from '../../db/audit-reads.js';
import { decisions, executions, incidents } from '../../db/schema.js';
import { readEntry } from '../../domain/audit.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { testSign } from '../harness/signatures.js';

const workspaceId = 'shop';
const actor = { person: 'sam', role: 'supervisor', workspaceId } as const;
const HOUR_MS = 3_600_000;

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const digest = randomBytes(32).toString('hex');

async function haveIncident(row: Partial<typeof incidents.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  await database.db.insert(incidents).values({ id, workspaceId, trigger: 'alert', title: 't', fingerprint: id, labels: {}, severityThreshold: 'LOW', phase: 'CLOSED', status: 'SUCCESS', outcome: 'RESOLVED', closedAt: new Date(), ...row });
  return id;
}
async function haveRun(incidentId: string, row: Partial<typeof executions.$inferInsert> = {}): Promise<void> {
  await database.db.insert(executions).values({
    key: randomBytes(16).toString('hex'),
    kind: 'execute',
    workspaceId,
    incidentId,
    grantId: randomUUID(),
    claimId: randomUUID(),
    digest,
    stepId: '1',
    target: 'db',
    state: 'succeeded',
    handle: 'a',
    snapshotKeptUntil: new Date(Date.now() + HOUR_MS),
    ...row,
  });
}
const ask = (incidentId: string, id = randomUUID()) => askRollback(database.db, testSign, { id, incidentId, actor, reason: 'customers complain' });
const readLast = async () => (await readAuditPage(database.db, workspaceId, { order: 'newest', cursor: null, limit: 1 })).map(({ entry }) => readEntry(entry))[0];

describe('a request to take back what an incident had changed', () => {
  it('is on record as a decision where it is taken', async () => {
    const incidentId = await haveIncident();
    await haveRun(incidentId);
    expect(await ask(incidentId)).toEqual({ kind: 'asked' });
    expect(await readLast()).toMatchObject({ kind: 'decision.counted', actor: 'sam', subject: incidentId });
  });

  const refusals: Record<string, (incidentId: string) => Promise<unknown>> = {
    nothingToRollBack: async () => {},
    rolledBack: async (incidentId) => {
      await haveRun(incidentId);
      await haveRun(incidentId, { kind: 'rollback' });
    },
    underWay: (incidentId) => haveRun(incidentId),
    snapshotExpired: (incidentId) => haveRun(incidentId, { snapshotKeptUntil: new Date(Date.now() - HOUR_MS) }),
    open: (incidentId) => haveRun(incidentId),
  };
  const rows: Record<string, Partial<typeof incidents.$inferInsert>> = { open: { phase: 'VERIFICATION', outcome: null, closedAt: null }, underWay: { status: 'IN_PROGRESS' } };

  it.each(Object.keys(refusals))('is on record as refused where it is %s', async (because) => {
    const incidentId = await haveIncident(rows[because]);
    await refusals[because]?.(incidentId);
    expect(await ask(incidentId)).toMatchObject({ kind: because });
    expect(await readLast()).toMatchObject({ kind: 'decision.refused', actor: 'sam', subject: incidentId, details: { verdict: 'rollBack', role: 'supervisor', because } });
    expect((await database.db.select().from(decisions)).filter((row) => row.incidentId === incidentId)).toEqual([]);
  });

  it('is on record as refused where its id stands for another decision', async () => {
    const [incidentId, other] = [await haveIncident(), await haveIncident()];
    await haveRun(incidentId);
    await haveRun(other);
    const id = randomUUID();
    await ask(incidentId, id);
    expect(await ask(other, id)).toEqual({ kind: 'conflict' });
    expect(await readLast()).toMatchObject({ kind: 'decision.refused', subject: other, details: { because: 'conflict' } });
  });

  it('leaves no record in a workspace that does not have the incident', async () => {
    const before = await readLast();
    expect(await ask(await haveIncident({ workspaceId: 'elsewhere' }))).toEqual({ kind: 'unknownIncident' });
    expect(await readLast()).toEqual(before);
  });
});
