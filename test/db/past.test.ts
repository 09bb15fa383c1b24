import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import type { Judgement } from '../../activities/ports.js';
import { createLedgerRecords } from '../../db/ledger-records.js';
import { holdTargets, readPast } from '../../db/past.js';
import { adoptPolicy } from '../../db/policies.js';
import { executions, incidents, plans } from '../../db/schema.js';
import { canonicalize } from '../../domain/canonical.js';
import { toDigestible } from '../../domain/plan.js';
import { aPlan, aPolicy, aStep } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';

const HOUR_MS = 3_600_000;
const policy = aPolicy({ triesWithinMs: 24 * HOUR_MS });

let database: FreshDatabase;
let workspaceId: string;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  workspaceId = `w-${randomUUID()}`;
  await adoptPolicy(database.db, workspaceId, policy);
});

const ago = (ms: number) => sql`now() - ${ms} * interval '1 millisecond'`;
async function haveIncident(row: Partial<typeof incidents.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  await database.db.insert(incidents).values({ id, workspaceId, trigger: 'alert', title: 't', fingerprint: id, labels: {}, severityThreshold: 'LOW', ...row });
  return id;
}
const closed = { phase: 'CLOSED', status: 'SUCCESS', outcome: 'RESOLVED', closedAt: new Date() } as const;

interface Ran {
  readonly incident?: Partial<typeof incidents.$inferInsert>;
  readonly script?: string;
  readonly endedAgoMs?: number;
  readonly row?: Partial<typeof executions.$inferInsert>;
}
/** A fix of `db` by another incident. */
async function haveRun({ incident = closed, script = aStep().script, endedAgoMs = 1_000, row = {} }: Ran = {}): Promise<string> {
  const incidentId = row.incidentId ?? (await haveIncident(incident));
  const digest = randomBytes(32).toString('hex');
  const confidence = { value: 86, tier: 'HIGH', factors: [], caps: [] } as const;
  const scriptId = randomUUID();
  const canonical = canonicalize(toDigestible(aPlan({ workspaceId, incidentId, scriptId, title: 'Another name', steps: [aStep({ target: row.target ?? 'db', script, parameters: ['99'] })] })));
  await database.db.insert(plans).values({ incidentId, version: Math.ceil(Math.random() * 1e6), scriptId, category: 'idleTransaction', digest, canonical, confidence, rehearsal: [] });
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
    handle: '{}',
    startedAt: ago(endedAgoMs),
    endedAt: ago(endedAgoMs),
    ...row,
  });
  return incidentId;
}
const toFix = (incidentId: string, targets: readonly string[] = ['db']) => aPlan({ workspaceId, incidentId, steps: targets.map((target) => aStep({ target })) });
const readPastOf = async (...targets: readonly string[]) => readPast(database.db, toFix(await haveIncident(), targets.length === 0 ? undefined : targets), [policy]);

describe('what was done to a target before', () => {
  it('is nothing where nothing ran', async () => {
    expect(await readPastOf()).toEqual({ sinceFixMs: null, tries: 0, wasTakenBack: false });
  });

  it('is when the last fix ended, and how often this one ran', async () => {
    await haveRun({ endedAgoMs: 5 * HOUR_MS });
    await haveRun({ endedAgoMs: 2 * HOUR_MS, script: 'select 2' });
    const { sinceFixMs, tries } = await readPastOf('another', 'db');
    expect(tries).toBe(1);
    expect(sinceFixMs).toBeGreaterThanOrEqual(2 * HOUR_MS);
    expect(sinceFixMs).toBeLessThan(2 * HOUR_MS + 60_000);
  });

  it.each<[string, Ran]>([
    ['on another target', { row: { target: 'another' } }],
    ['in another workspace', { row: { workspaceId: 'elsewhere' } }],
    ['but was only claimed', { row: { state: 'claimed', handle: null, startedAt: null, endedAt: null } }],
    ['but had no effect', { row: { state: 'void' } }],
  ])('does not count what ran %s', async (_, ran) => {
    await haveRun(ran);
    expect(await readPastOf()).toEqual({ sinceFixMs: null, tries: 0, wasTakenBack: false });
  });

  it('is that a fix of one of its targets was taken back, not long ago', async () => {
    await haveRun({ endedAgoMs: 25 * HOUR_MS, row: { kind: 'rollback' } });
    await haveRun({ row: { kind: 'rollback', state: 'failed' } });
    await haveRun({ row: { kind: 'rollback', target: 'another' } });
    expect(await readPastOf()).toEqual({ sinceFixMs: null, tries: 0, wasTakenBack: false });
    await haveRun({ row: { kind: 'rollback' }, script: 'select 2' });
    expect(await readPastOf()).toEqual({ sinceFixMs: null, tries: 0, wasTakenBack: true });
  });

  it('counts as tries what this fix did also when it failed or nobody knows, and not what is long ago', async () => {
    await haveRun({ row: { state: 'failed' } });
    await haveRun({ row: { state: 'unknown', endedAt: null } });
    await haveRun({ endedAgoMs: 25 * HOUR_MS });
    expect((await readPastOf()).tries).toBe(2);
  });

  it('counts the tries of the same incident, and no cooldown for them', async () => {
    const incidentId = await haveRun({ incident: {} });
    expect(await readPast(database.db, toFix(incidentId), [policy])).toEqual({ sinceFixMs: null, tries: 1, wasTakenBack: false });
  });

  it('counts a plan of many steps as one try', async () => {
    const incidentId = await haveRun();
    const [first] = await database.db.select().from(executions).where(sql`${executions.incidentId} = ${incidentId}`);
    if (first === undefined) throw new Error('there is no row');
    await database.db.insert(executions).values({ ...first, key: randomBytes(16).toString('hex'), stepId: '2' });
    expect((await readPastOf()).tries).toBe(1);
  });

  it('tells restored configurations by what they put back', async () => {
    const script = '[{"op":"replace","path":"/a","value":"\\"b\\""}]';
    await haveRun({ script });
    const restore = async (patch: string) => readPast(database.db, { ...toFix(await haveIncident()), steps: [aStep({ target: 'db', script: patch }), aStep({ stepId: '2', target: 'another' })] }, [policy]);
    expect([(await readPastOf()).tries, (await restore(script)).tries, (await restore(script.replace('/a', '/b'))).tries]).toEqual([0, 1, 0]);
  });

  it('counts the step that ran on the target, not another one of its plan', async () => {
    const incidentId = await haveRun();
    await database.db.update(executions).set({ stepId: '2' }).where(sql`${executions.incidentId} = ${incidentId}`);
    expect((await readPastOf()).tries).toBe(0);
  });

  it('is a fix also while nobody knows when it ended', async () => {
    await haveRun({ endedAgoMs: 2 * HOUR_MS, row: { state: 'unknown', endedAt: null } });
    expect((await readPastOf()).sinceFixMs).toBeGreaterThanOrEqual(2 * HOUR_MS);
    await haveRun({ row: { state: 'unknown', startedAt: null, endedAt: null } });
    expect((await readPastOf()).sinceFixMs).toBeLessThan(HOUR_MS);
  });
});

describe('a target', () => {
  const isBusy = async (incidentId?: string) => {
    const fix = toFix(incidentId ?? (await haveIncident()));
    return database.db.transaction(async (tx) => (await holdTargets(tx, fix)).isBusy);
  };
  const claimed = { state: 'claimed', handle: null, startedAt: null, endedAt: null } as const;
  const started = { state: 'started', endedAt: null } as const;
  const unknown = { state: 'unknown', endedAt: null } as const;

  it.each<[string, boolean, Ran]>([
    ['has claimed it', true, { incident: {}, row: claimed }],
    ['is changing it', true, { incident: {}, row: started }],
    ['does not know what it did to it', true, { incident: {}, row: unknown }],
    ['is taking its fix back after it was closed', true, { row: { ...started, kind: 'rollback' } }],
    ['has claimed to take its fix back after it was closed', true, { row: { ...claimed, kind: 'rollback' } }],
    ['has fixed it and is open', false, { incident: {} }],
    ['claimed it an hour ago and may be about to begin', true, { incident: {}, row: { ...claimed, claimedAt: new Date(Date.now() - 60 * 60_000) } }],
    ['claimed it more than an hour ago', false, { incident: {}, row: { ...claimed, claimedAt: new Date(Date.now() - 62 * 60_000) } }],
    ['claimed it and is closed', false, { row: claimed }],
    ['began it and is closed', false, { row: started }],
    ['does not know what it did to it and is closed', false, { row: unknown }],
    ['called it off', false, { incident: {}, row: { ...claimed, state: 'void' } }],
    ['is changing another one', false, { incident: {}, row: { ...started, target: 'another' } }],
    ['is changing one of this name in another workspace', false, { incident: {}, row: { ...started, workspaceId: 'elsewhere' } }],
  ])('that another incident %s is busy: %s', async (_, busy, ran) => {
    await haveRun(ran);
    expect(await isBusy()).toBe(busy);
  });

  it('is not busy for the incident that changes it itself', async () => {
    expect(await isBusy(await haveRun({ incident: {}, row: started }))).toBe(false);
  });

  it('is claimed by one of two incidents at the same moment', async () => {
    const ledger = createLedgerRecords(database.db);
    const claim = async () => {
      const fix = toFix(await haveIncident(), ['other', 'db']);
      const request = { workspaceId, incidentId: fix.incidentId, kind: 'execute', claimId: randomUUID(), digest: randomBytes(32).toString('hex'), grant: { kind: 'gate', id: randomUUID() } } as const;
      return ledger.claim(request, async ({ lookAround }): Promise<Judgement> => {
        if ((await lookAround(fix, [policy])).isTargetBusy) return { kind: 'refused', because: 'targetBusy' };
        return { kind: 'granted', steps: [{ key: randomBytes(16).toString('hex'), stepId: '1', target: 'db' }] };
      });
    };
    const claims = await Promise.all(Array.from({ length: 4 }, claim));
    expect(claims.filter(({ kind }) => kind === 'granted')).toHaveLength(1);
    expect(claims.filter((one) => one.kind === 'refused').map(({ because }) => because)).toEqual(['targetBusy', 'targetBusy', 'targetBusy']);
  });
});
