import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IncidentDetail, IncidentPage } from '../../contracts/http.js';
import { decisions, gates, incidents, measurements, plans } from '../../db/schema.js';
import { canonicalize } from '../../domain/canonical.js';
import { type Plan, toDigestible } from '../../domain/plan.js';
import type { Signal } from '../../domain/signal.js';
import { type Api, closeApis, detailOf, problemOf, openApi } from './open-api.js';
import { digest, haveClosedIncident, haveGate, haveIncident } from './records.js';

let api: Api;
beforeAll(async () => {
  api = await openApi({ temporalUi: { url: 'http://127.0.0.1:8233/', namespace: 'default' } });
});
afterAll(closeApis);

const signal = (name: string, value: number | null): Signal => ({ target: 'shop-db', name, title: name, unit: 'ms', value, threshold: 100, better: 'lower' });
const get = async (incidentId: string) => (await api.call('viewer', 'GET', `/api/incidents/${incidentId}`)).json<IncidentDetail>();

describe('the list of incidents', () => {
  it('is read in pages, newest first, without losing or doubling one, even when they opened at the same moment', async () => {
    const paged = await openApi();
    const openedAt = new Date('2026-11-22T08:00:00Z');
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await haveIncident(paged.db, { openedAt }));
    ids.push(await haveIncident(paged.db, { openedAt: new Date('2026-11-22T09:00:00Z') }));
    await haveIncident(paged.db, { workspaceId: 'elsewhere' });
    const read: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: IncidentPage = (await paged.call('viewer', 'GET', `/api/incidents?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)).json();
      read.push(...page.incidents.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(read[0]).toBe(ids[5]);
    expect(read.toSorted()).toEqual(ids.toSorted());
  });

  it('shows the open, the closed or all', async () => {
    const open = await haveIncident(api.db);
    const closed = await haveClosedIncident(api.db);
    const list = async (state: string) => (await api.call('viewer', 'GET', `/api/incidents?state=${state}&limit=200`)).json<IncidentPage>().incidents.map(({ id }) => id);
    expect(await list('open')).toEqual(expect.arrayContaining([open]));
    expect(await list('open')).not.toEqual(expect.arrayContaining([closed]));
    expect(await list('closed')).toEqual([closed]);
    expect(await list('all')).toEqual(expect.arrayContaining([open, closed]));
  });

  it('says how often an alert was told', async () => {
    for (let n = 0; n < 3; n += 1) await api.call('agent', 'POST', '/api/alerts/json', { title: 'Loud', fingerprint: 'loud' });
    const { incidents: list } = (await api.call('viewer', 'GET', '/api/incidents')).json<IncidentPage>();
    expect(list.find(({ title }) => title === 'Loud')).toMatchObject({ alerts: 3, trigger: 'alert', phase: 'DETECTION', status: 'IN_PROGRESS', outcome: null });
  });
});

describe('an incident', () => {
  it('begins with nothing known', async () => {
    const incidentId = await haveIncident(api.db);
    expect(await get(incidentId)).toMatchObject({ id: incidentId, rootCause: null, plan: null, gate: null, before: [], now: [], measuredAt: null, alerts: 0 });
  });

  it('shows its newest plan and gate, what people said there, and what was measured before and last', async () => {
    const incidentId = await haveIncident(api.db);
    const plan: Plan = {
      workspaceId: 'shop',
      incidentId,
      version: 2,
      title: 'Database Connection Reset',
      scriptId: randomUUID(),
      risk: 'MEDIUM',
      estimatedDurationMs: 10_000,
      authors: [],
      derivedFromText: false,
      measuredAt: '2026-11-22T08:15:00.000Z',
      policyVersion: 1,
      tier: 'HIGH',
      ruling: { kind: 'gate', approvalsNeeded: 2, roleNeeded: 'supervisor', reviewNeeded: false },
      steps: [
        { stepId: '1', type: 'sql', target: 'shop-db', script: 'SELECT 1', parameters: ['4711', 'then'], reach: 'session', wayBack: { kind: 'oneWay', because: 'a terminated session cannot be brought back' }, findings: [], pins: null, timeoutMs: 30_000, queue: null, sandbox: null },
      ],
    };
    const confidence = { value: 86, tier: 'HIGH' as const, factors: [{ name: 'root cause', points: 46 }], caps: [] };
    const rehearsal = [{ stepId: '1', lines: ['session 4711'] }];
    const row = { incidentId, scriptId: plan.scriptId, category: 'idleTransaction' as const, confidence, rehearsal, canonical: canonicalize(toDigestible(plan)) };
    await api.db.insert(plans).values([
      { ...row, version: 1, digest: 'cd'.repeat(32) },
      { ...row, version: 2, digest },
    ]);
    await haveGate(api.db, incidentId, { state: 'changesRequested', settledAt: new Date(), openedAt: new Date('2026-11-22T08:00:00Z') });
    const gate = await haveGate(api.db, incidentId, { approvalsNeeded: 2, roleNeeded: 'supervisor' });
    await api.db.insert(decisions).values({ id: randomUUID(), workspaceId: 'shop', incidentId, gateId: gate.id, verdict: 'approve', digest, person: 'ana', role: 'supervisor', reason: 'seen', signature: 'unread' });
    const measure = (purpose: 'detection' | 'verification', minute: number, signals: readonly Signal[]) =>
      api.db.insert(measurements).values({ id: randomUUID(), incidentId, purpose, planVersion: 0, measuredAt: new Date(2026, 10, 22, 8, minute), signals, facts: [] });
    await measure('detection', 1, [signal('calm', 5), signal('slow', 150), signal('slower', 2_450)]);
    await measure('verification', 3, [signal('slow', 20), signal('calm', 5), signal('slower', 38)]);

    const detail = await get(incidentId);
    expect(detail.plan).toMatchObject({ version: 2, digest, title: 'Database Connection Reset', steps: [{ script: 'SELECT 1', parameters: ['4711', 'then'] }], confidence, rehearsal });
    expect(detail.gate).toMatchObject({ id: gate.id, state: 'open', approvalsNeeded: 2, roleNeeded: 'supervisor', approvals: [{ person: 'ana', reason: 'seen' }], settledBy: null, updateId: gate.updateId });
    expect(detail.before.map(({ name, value }) => [name, value])).toEqual([['slower', 2_450], ['slow', 150]]);
    expect(detail.now.map(({ name, value }) => [name, value])).toEqual([['slower', 38], ['slow', 20]]);
    expect(detail.measuredAt).toBe(new Date(2026, 10, 22, 8, 3).toISOString());
    expect(detail.temporalUrl).toBe(`http://127.0.0.1:8233/namespaces/default/workflows/incident%3Ashop%3A${incidentId}`);
  });

  it('says who settled its gate', async () => {
    const incidentId = await haveIncident(api.db);
    const gate = await haveGate(api.db, incidentId);
    await api.call('responder', 'POST', `/api/incidents/${incidentId}/decisions`, { gateId: gate.id, digest, verdict: 'reject', reason: 'wrong session' });
    expect((await get(incidentId)).gate).toMatchObject({ state: 'rejected', settledBy: { person: 'responder-person', role: 'responder', reason: 'wrong session' } });
  });

  it('is unknown to another workspace, whatever is asked of it', async () => {
    const incidentId = await haveIncident(api.db);
    const gate = await haveGate(api.db, incidentId);
    const before = await api.db.select().from(gates);
    const asOutsider = (method: 'GET' | 'POST', path: string, body?: object) => api.call('outsider', method, `/api/incidents/${incidentId}${path}`, body);
    expect(problemOf(await asOutsider('GET', ''))).toEqual([404, 'unknown-incident']);
    expect(problemOf(await asOutsider('GET', '/tail'))).toEqual([404, 'unknown-incident']);
    expect(problemOf(await asOutsider('POST', '/decisions', { gateId: gate.id, digest, verdict: 'approve' }))).toEqual([404, 'unknown-incident']);
    expect(problemOf(await asOutsider('POST', '/cancel', { reason: 'x' }))).toEqual([404, 'unknown-incident']);
    expect(problemOf(await api.call('outsider', 'POST', '/api/ai/sre/approve', { updateId: gate.updateId, approved: true }))).toEqual([404, 'unknown-gate']);
    expect(await api.db.select().from(gates)).toEqual(before);
  });

  it('that is nobody’s is unknown', async () => {
    expect(detailOf(await api.call('viewer', 'GET', `/api/incidents/${randomUUID()}`), 404, 'unknown-incident')).toContain('GET /api/incidents');
    expect(await api.db.select().from(incidents)).not.toEqual([]);
  });
});
