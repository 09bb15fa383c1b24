import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Report } from '../../contracts/http-report.js';
import { adoptPolicy } from '../../db/policies.js';
import { executions, plans } from '../../db/schema.js';
import { canonicalize } from '../../domain/canonical.js';
import { type Plan, toDigestible } from '../../domain/plan.js';
import type { RootCause } from '../../domain/root-cause.js';
import { aPlan, aPolicy, aStep } from '../builders.js';
import { type Api, type Caller, closeApis, detailOf, openApi, workspaceId } from './open-api.js';
import { until } from '../harness/until.js';
import { haveGate, haveIncident } from './records.js';

const DAY_MS = 86_400_000;
const now = Date.parse('2026-11-22T12:00:00Z');
const ago = (ms: number): Date => new Date(now - ms);
const ended = (outcome: 'RECOVERED' | 'RESOLVED' | 'ROLLED_BACK', openedAt: Date, tookMs: number) => ({ phase: 'CLOSED', status: 'SUCCESS', outcome, openedAt, closedAt: new Date(openedAt.getTime() + tookMs) }) as const;
const rootCause: RootCause = { category: 'massDeletion', details: 'x', affectedSystems: [], confidence: 80, evidence: ['x'], suggestedActions: [], aims: [] };
const fileStep = aStep({ type: 'config-patch', target: 'config', reach: 'file', wayBack: { kind: 'snapshot', of: 'file', keptMs: 1 } });
const restoring = { title: 'Restore', scriptId: null, steps: [fileStep, { ...fileStep, stepId: '2' }] };

let api: Api;
beforeAll(async () => {
  api = await openApi();
  for (const id of [workspaceId, 'elsewhere']) await adoptPolicy(api.db, id, aPolicy({ autonomy: 'observe' }));
});
afterAll(closeApis);

async function havePlan(incidentId: string, over: Partial<Plan> = {}, verifiedWell: boolean | null = null): Promise<string> {
  const plan = aPlan({ incidentId, ...over });
  const digest = randomUUID();
  const { version, scriptId, tier } = plan;
  await api.db.insert(plans).values({ incidentId, version, scriptId, category: 'idleTransaction', digest, canonical: canonicalize(toDigestible(plan)), confidence: { value: 86, tier, factors: [], caps: [] }, rehearsal: [], verifiedWell });
  return digest;
}

async function haveRun(incidentId: string, digest: string, over: Partial<typeof executions.$inferInsert> = {}): Promise<void> {
  const row = { key: randomUUID(), kind: 'execute', workspaceId, incidentId, grantId: randomUUID(), claimId: randomUUID(), digest, stepId: '1', target: 'shop-db', state: 'succeeded', handle: '{}' } as const;
  await api.db.insert(executions).values({ ...row, ...over });
}

const get = (query: Readonly<Record<string, string>>, caller: Caller = 'viewer') => api.call(caller, 'GET', `/api/report?${new URLSearchParams(query).toString()}`);
const read = async (since: Date, until = new Date(now), caller: Caller = 'viewer') => (await get({ since: since.toISOString(), until: until.toISOString() }, caller)).json<Report>();

describe('a report', () => {
  it('counts what was opened in its span, its beginning and not its end, in its own workspace', async () => {
    const day = ago(300 * DAY_MS);
    for (const openedAt of [day, new Date(day.getTime() + DAY_MS), new Date(day.getTime() - 1)]) await haveIncident(api.db, { openedAt });
    await haveIncident(api.db, { openedAt: day, workspaceId: 'elsewhere' });
    expect(await read(day, new Date(day.getTime() + DAY_MS))).toMatchObject({ workspaceId, since: day.toISOString(), opened: 1, stillOpen: 1, outcomes: {} });
    expect(await read(day, new Date(now), 'outsider')).toMatchObject({ workspaceId: 'elsewhere', opened: 1 });
  });

  it('says how many recovered with nothing run, and how long that took', async () => {
    const day = ago(200 * DAY_MS);
    for (const tookMs of [1_000, 2_000, 9_000]) await haveIncident(api.db, ended('RECOVERED', day, tookMs));
    await haveIncident(api.db, ended('RESOLVED', day, 90_000));
    const claimed = await haveIncident(api.db, ended('RECOVERED', day, 3_000));
    await haveRun(claimed, 'd', { state: 'void', handle: null });
    const changed = await haveIncident(api.db, ended('RECOVERED', day, 90_000));
    await haveRun(changed, 'd');
    expect(await read(day, ago(199 * DAY_MS))).toMatchObject({ opened: 6, outcomes: { RECOVERED: 5, RESOLVED: 1 }, recovered: { count: 4, medianMs: 2_500, p90Ms: 7_200 } });
  });

  it('says of each fix what it would have done, and what became of it', async () => {
    const day = ago(100 * DAY_MS);
    const observed = await haveIncident(api.db, ended('RECOVERED', day, 1_000));
    await haveGate(api.db, observed, { digest: await havePlan(observed), mode: 'nobody', state: 'withdrawn', settledAt: day });
    const waiting = await haveIncident(api.db, { openedAt: day });
    await haveGate(api.db, waiting, { digest: await havePlan(waiting), mode: 'nobody' });
    const good = await haveIncident(api.db, ended('RESOLVED', day, 1_000));
    await haveRun(good, await havePlan(good, restoring, true));
    const back = await haveIncident(api.db, ended('ROLLED_BACK', day, 1_000));
    const digest = await havePlan(back, restoring, false);
    await haveRun(back, digest);
    await haveRun(back, digest, { stepId: '2' });
    await haveRun(back, digest, { kind: 'rollback' });
    const { fixes } = await read(day, ago(99 * DAY_MS));
    const none = { ran: 0, verifiedWell: 0, rolledBack: 0, observed: 0, recovered: 0 };
    expect(fixes).toEqual([
      { title: 'Database Connection Reset', scriptId: aPlan().scriptId, risk: 'MEDIUM', tier: 'HIGH', proposed: 2, wouldRun: 0, wouldWait: 2, ...none, observed: 2, recovered: 1 },
      { title: 'Restore', scriptId: null, risk: 'MEDIUM', tier: 'HIGH', proposed: 2, wouldRun: 2, wouldWait: 0, ...none, ran: 2, verifiedWell: 1, rolledBack: 1 },
    ]);
  });

  it('counts an incident once, by the last plan that was proposed for it', async () => {
    const day = ago(20 * DAY_MS);
    const incidentId = await haveIncident(api.db, ended('RESOLVED', day, 1_000));
    await haveRun(incidentId, await havePlan(incidentId, { version: 9 }, false));
    await haveRun(incidentId, await havePlan(incidentId, { version: 10, ...restoring }, true));
    const { fixes } = await read(day, ago(19 * DAY_MS));
    expect(fixes).toMatchObject([{ title: 'Restore', proposed: 1, wouldRun: 1, wouldWait: 0, ran: 1, verifiedWell: 1 }]);
  });

  it('says how many needed a person, and for what there was no plan', async () => {
    const day = ago(50 * DAY_MS);
    const ask = async (incidentId: string) => {
      await haveGate(api.db, incidentId, { kind: 'needsHuman', state: 'withdrawn', settledAt: day, digest: null });
      await haveGate(api.db, incidentId, { kind: 'needsHuman', digest: null });
      return incidentId;
    };
    await ask(await haveIncident(api.db, { openedAt: day, rootCause }));
    await ask(await haveIncident(api.db, { openedAt: day }));
    await havePlan(await ask(await haveIncident(api.db, { openedAt: day, rootCause })));
    await haveIncident(api.db, { openedAt: day, rootCause });
    const { needsHuman, withoutPlan } = await read(day, ago(49 * DAY_MS));
    expect(needsHuman).toBe(3);
    expect(withoutPlan).toHaveLength(2);
    expect(withoutPlan).toEqual(expect.arrayContaining([{ rootCause: 'massDeletion', count: 1 }, { rootCause: null, count: 1 }]));
  });

  it('is of the last seven days where nobody says since when', async () => {
    const { since, until } = (await get({})).json<Report>();
    expect(Date.parse(until) - Date.parse(since)).toBe(7 * DAY_MS);
  });

  it('is one of at most two that are made at a time', async () => {
    const waiting = async () => (await api.asOwner(`select from pg_locks where not granted and relation = 'incidents'::regclass`)).length;
    const last = { since: ago(DAY_MS).toISOString(), until: ago(0).toISOString() };
    const both = await api.db.transaction(async (tx) => {
      await tx.execute('lock table incidents in access exclusive mode');
      const begun = [get(last), get(last)];
      await until('both of them', async () => (await waiting()) === 2);
      expect(detailOf(await get(last), 503, 'unavailable')).toBe('2 reports are being made already. Send the same request again in a few seconds.');
      return begun;
    });
    expect((await Promise.all(both)).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect((await get(last)).statusCode).toBe(200);
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['ends before it begins', { since: '2026-11-22T00:00:00Z', until: '2026-11-21T00:00:00Z' }],
    ['is longer than a year', { since: '2024-11-22T00:00:00Z', until: '2026-11-22T00:00:00Z' }],
    ['begins in the future', { since: '2999-11-22T00:00:00Z' }],
    ['begins before there was a clock', { since: '0000-01-01T00:00:00Z', until: '0000-02-01T00:00:00Z' }],
    ['has a second that no calendar has', { since: '2026-06-30T23:59:60Z', until: '2026-11-22T00:00:00Z' }],
  ];
  it.each(wrong)('whose span %s is refused', async (_, query) => {
    expect(detailOf(await get(query), 400, 'invalid-request')).toMatch(/since must be a moment before/);
  });
});
