import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { createRecorder } from '../../db/recorder.js';
import { decisions, executions, gates, plans } from '../../db/schema.js';
import type { Step } from '../../domain/plan.js';
import { needsHuman, rollbackClosed } from '../../domain/updates.js';
import { aPlan, aStep } from '../builders.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { digest, haveClosedIncident, haveGate, haveIncident } from '../api/records.js';
import { until } from '../harness/until.js';
import { openTerminal, type Terminal } from './terminal.js';

const WEEK_MS = 7 * 86_400_000;
const fileStep = aStep({ type: 'config-patch', target: 'checkout-config', script: '[]', parameters: [], reach: 'file', wayBack: { kind: 'snapshot', of: 'file', keptMs: WEEK_MS } });

let api: Terminal['api'];
let start: Terminal['start'];
let run: Terminal['run'];
beforeAll(async () => {
  ({ api, start, run } = await openTerminal());
});
afterAll(closeApis);

const decisionsOf = (incidentId: string) => api.db.select().from(decisions).where(eq(decisions.incidentId, incidentId));
const stateOf = async (gateId: string) => (await api.db.select().from(gates).where(eq(gates.id, gateId)))[0]?.state;

async function havePlan(incidentId: string, ...steps: readonly Step[]): Promise<void> {
  const plan = aPlan({ incidentId, title: 'Restore', steps });
  const confidence = { value: 86, tier: 'HIGH', factors: [], caps: [] } as const;
  await api.db.insert(plans).values({ incidentId, version: 1, scriptId: plan.scriptId, category: 'configuration', digest, canonical: JSON.stringify(plan), confidence, rehearsal: [] });
}

/** An incident that has changed a file, whose snapshot is kept. */
async function haveRun(incidentId: string): Promise<string> {
  await havePlan(incidentId, fileStep);
  await haveExecution(incidentId, 'execute', { snapshot: 'before', snapshotKeptUntil: new Date(Date.now() + WEEK_MS) });
  return incidentId;
}

const haveExecution = (incidentId: string, kind: 'execute' | 'rollback', row: Partial<typeof executions.$inferInsert> = {}) =>
  api.db.insert(executions).values({ key: randomUUID(), kind, workspaceId, incidentId, grantId: randomUUID(), claimId: randomUUID(), digest, stepId: '1', target: 'checkout-config', state: 'succeeded', handle: '{}', ...row });

const asSupervisor = { caller: 'supervisor' } as const;

describe('sluice rollback, while the incident is open,', () => {
  const haveOpenGate = async (row: Parameters<typeof haveGate>[2] = {}) => haveGate(api.db, await haveRun(await haveIncident(api.db)), { kind: 'needsHuman', offersRollback: true, ...row });

  it('decides for exactly the gate and digest that were shown, once the person says yes', async () => {
    const { id, incidentId } = await haveOpenGate();
    expect(await run(`rollback ${incidentId} --reason worse`, { ...asSupervisor, types: 'no' })).toMatchObject({ code: 1, err: expect.stringContaining('Not taken back.') });
    expect(await stateOf(id)).toBe('open');
    const taken = await run(`rollback ${incidentId} --reason worse`, { ...asSupervisor, types: 'yes' });
    expect([taken.code, await stateOf(id)]).toEqual([0, 'rollbackRequested']);
    expect(taken.err).toContain(`digest ${digest}`);
    expect(await decisionsOf(incidentId)).toMatchObject([{ gateId: id, digest, verdict: 'rollBack', reason: 'worse', person: 'supervisor-person' }]);
  });

  it('needs --yes where nobody can be asked, a reason, and a supervisor', async () => {
    const { id, incidentId } = await haveOpenGate();
    expect(await run(`rollback ${incidentId} --reason worse`, asSupervisor)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(await run(`rollback ${incidentId} --yes`, asSupervisor)).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
    expect(await run(`rollback ${incidentId} --yes --reason worse`)).toMatchObject({ code: 1, err: expect.stringContaining('needs supervisor') });
    expect(await stateOf(id)).toBe('open');
    expect(await run(`rollback ${incidentId} --yes --reason worse`, asSupervisor)).toMatchObject({ code: 0 });
  });

  it('says why there is nothing to take back', async () => {
    const waiting = await haveGate(api.db, await haveIncident(api.db));
    expect(await run(`rollback ${waiting.incidentId} --yes --reason x`, asSupervisor)).toMatchObject({ code: 1, err: expect.stringContaining('has not run') });
    const working = await haveIncident(api.db);
    expect(await run(`rollback ${working} --yes --reason x`, asSupervisor)).toMatchObject({ code: 1, err: expect.stringContaining('waits at no gate') });
    const oneWay = await haveIncident(api.db);
    await havePlan(oneWay, aStep());
    await haveGate(api.db, oneWay, { kind: 'verification' });
    expect(await run(`rollback ${oneWay} --yes --reason x`, asSupervisor)).toMatchObject({ code: 1, err: expect.stringContaining('Step 1 on shop-db cannot be undone: a terminated session') });
    for (const incidentId of [waiting.incidentId, working, oneWay]) expect(await decisionsOf(incidentId)).toEqual([]);
  });
});

describe('sluice rollback, after the incident was closed,', () => {
  let incidentId: string;
  beforeEach(async () => {
    incidentId = await haveRun(await haveClosedIncident(api.db));
  });

  /** Does what the workflow does when it is through. */
  async function endRollback(succeeded: boolean): Promise<void> {
    const asked = await until('the request', async () => (await decisionsOf(incidentId)).find(({ verdict }) => verdict === 'rollBack'));
    if (succeeded) await haveExecution(incidentId, 'rollback');
    await createRecorder(api.db).closeRollback({ incidentId }, asked.id, rollbackClosed(succeeded, 'Restore was looked at'), succeeded);
  }

  it('asks for it and follows what is told from there until it is taken back', async () => {
    const rollback = start(`rollback ${incidentId} --reason worse`, { ...asSupervisor, types: 'yes' });
    await endRollback(true);
    expect(await rollback.code).toBe(0);
    expect(rollback.printed.join('\n')).toBe(
      '↩️ CLOSED [IN_PROGRESS]\n   Rollback asked for by supervisor-person (supervisor): "worse"\n↩️ CLOSED [SUCCESS]\n   ROLLED_BACK. Restore was looked at',
    );
    expect(await run(`rollback ${incidentId} --yes --reason again`, asSupervisor)).toMatchObject({ code: 1, err: expect.stringContaining('taken back before') });
  });

  it('ends with 1 when it was left as it is', async () => {
    const rollback = start(`rollback ${incidentId} --yes --reason worse`, asSupervisor);
    await endRollback(false);
    expect([await rollback.code, rollback.complained.at(-1)]).toEqual([1, 'It was not taken back.']);
  });

  it('ends with 1 and what to do when it could not be taken back and waits for a person', async () => {
    const rollback = start(`rollback ${incidentId} --yes --reason worse`, asSupervisor);
    await until('the request', async () => (await decisionsOf(incidentId)).find(({ verdict }) => verdict === 'rollBack'));
    await createRecorder(api.db).recordUpdate(incidentId, 'conflict', needsHuman('CLOSED', randomUUID(), ['Step 1 was not taken back'], 'rollback'));
    expect([await rollback.code, rollback.complained.at(-1)]).toEqual([1, expect.stringContaining(`sluice reject ${incidentId} --reason TEXT`)]);
  });

  it('asks for nothing unless the person says yes', async () => {
    expect(await run(`rollback ${incidentId} --reason worse`, asSupervisor)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(await run(`rollback ${incidentId} --reason worse`, { ...asSupervisor, types: 'y' })).toMatchObject({ code: 1 });
    expect(await decisionsOf(incidentId)).toEqual([]);
  });

  it('is not asked for twice at a time', async () => {
    const rollback = start(`rollback ${incidentId} --yes --reason worse`, asSupervisor);
    await until('the request', async () => rollback.printed.length > 0);
    expect(await run(`rollback ${incidentId} --yes --reason worse`, asSupervisor)).toMatchObject({ code: 1, err: expect.stringContaining('being taken back already') });
    await endRollback(true);
    expect(await rollback.code).toBe(0);
  });
});

describe('sluice show, tail and reject', () => {
  it('say of each step and of the whole whether it can be taken back, and until when', async () => {
    const incidentId = await haveRun(await haveClosedIncident(api.db));
    expect((await run(`show ${incidentId}`)).out).toMatch(new RegExp(`way back  until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC: sluice rollback ${incidentId} --reason TEXT\n[^]*reach file\n     can be taken back until it is 7d old`));
    const open = await haveIncident(api.db);
    await havePlan(open, aStep());
    const { out } = await run(`show ${open}`);
    expect(out).toContain('reach session\n     cannot be undone: a terminated session cannot be brought back');
    expect(out).not.toContain('sluice rollback');
  });

  it('tell both ends of an incident that was taken back', async () => {
    const incidentId = await haveRun(await haveClosedIncident(api.db));
    await createRecorder(api.db).closeRollback({ incidentId }, randomUUID(), rollbackClosed(true, 'Restore was taken back'), true);
    const { out } = await run(`tail ${incidentId} --json`);
    expect(out.split('\n').map((line) => JSON.parse(line))).toMatchObject([{ event: 'done', data: { outcome: 'RESOLVED' } }, { event: 'update' }, { event: 'done', data: { outcome: 'ROLLED_BACK' } }]);
  });

  it('ask before a rejection that takes the fix back', async () => {
    const { id, incidentId } = await haveGate(api.db, await haveRun(await haveIncident(api.db)), { kind: 'verification', offersRollback: true });
    expect(await run(`reject ${incidentId}`)).toMatchObject({ code: 2, err: expect.stringMatching(/This takes the fix back\.\n.*--yes/) });
    expect(await run(`reject ${incidentId}`, { types: 'no' })).toMatchObject({ code: 1, err: expect.stringMatching(/This takes the fix back\.\nType yes to take it back/) });
    expect(await stateOf(id)).toBe('open');
    expect(await run(`reject ${incidentId} --yes`)).toMatchObject({ code: 0 });
    expect(await stateOf(id)).toBe('rejected');
  });
});
