import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asc, eq } from 'drizzle-orm';
import { cancel, decide } from '../../db/decisions.js';
import { openIncident } from '../../db/open-incident.js';
import { adoptPolicy } from '../../db/policies.js';
import { createRecorder, type Recorder } from '../../db/recorder.js';
import { executions, gates, incidents, outbox, tail } from '../../db/schema.js';
import { appendTail } from '../../db/tail-writer.js';
import { type Outcome, toUpdate } from '../../domain/incident.js';
import { aPlan, aPolicy } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { testSign } from '../harness/signatures.js';

let database: FreshDatabase;
let recorder: Recorder;
let incidentId: string;
const workspaceId = 'w';
beforeAll(async () => {
  database = await freshDatabase();
  recorder = createRecorder(database.db);
  await adoptPolicy(database.db, workspaceId, aPolicy());
});
afterAll(() => database.close());

const opening = (over: object = {}) => ({
  id: randomUUID(),
  workspaceId,
  trigger: 'alert' as const,
  title: 't',
  fingerprint: randomUUID(),
  startedBy: null,
  labels: {},
  targets: ['db'],
  severityThreshold: 'LOW' as const,
  severity: null,
  ...over,
});
beforeEach(async () => {
  incidentId = (await openIncident(database.db, opening())).incidentId;
});

const update = (text: string) => toUpdate({ phase: 'DETECTION', text });
const seqs = async (id = incidentId) => (await database.db.select().from(tail).where(eq(tail.incidentId, id)).orderBy(asc(tail.seq))).map(({ seq }) => seq);
const aGate = (over: object = {}) => ({
  gateId: randomUUID(),
  kind: 'execution' as const,
  digest: 'd'.repeat(64),
  planVersion: 1,
  mode: 'people' as const,
  offersRollback: false,
  approvalsNeeded: 1,
  roleNeeded: 'responder' as const,
  reviewNeeded: false,
  excluded: [],
  expiresAt: null,
  ...over,
});

describe('the tail', () => {
  it('is numbered without a gap, however many write at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => recorder.recordUpdate(incidentId, `k${index}`, update(`${index}`))));
    expect(await seqs()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('takes a repeated write once', async () => {
    await recorder.recordUpdate(incidentId, 'same', update('first'));
    await recorder.recordUpdate(incidentId, 'same', update('second'));
    expect(await seqs()).toEqual([1]);
  });

  it('says how many lines of a change it has, by their numbers, and takes the same lines once', async () => {
    const row = (key: string, firstLine: number, text: string) => ({ key: `output:${key}:${firstLine}`, event: 'output' as const, body: { output: { stream: 'stdout' as const, text, firstLine } } });
    expect(await recorder.countOutputLines(incidentId, 'a')).toBe(0);
    await recorder.appendOutput(incidentId, [row('a', 1, 'one\ntwo'), row('ab', 1, 'of another')]);
    await recorder.appendOutput(incidentId, [row('a', 3, 'three\n\nfive')]);
    await recorder.appendOutput(incidentId, [row('a', 3, 'three\n\nfive')]);
    await recorder.recordUpdate(incidentId, 'k', update('after it'));
    expect(await recorder.countOutputLines(incidentId, 'a')).toBe(5);
    expect(await recorder.countOutputLines(incidentId, 'ab')).toBe(1);
    expect(await seqs()).toHaveLength(4);
  });

  it('never shows a number before the one below it is there', async () => {
    let other: Promise<void> = Promise.resolve();
    await database.db.transaction(async (tx) => {
      await appendTail(tx, incidentId, [{ key: 'slow', event: 'update', body: { update: update('slow') } }]);
      other = recorder.recordUpdate(incidentId, 'fast', update('fast'));
      expect(await Promise.race([other.then(() => 'written'), new Promise((resolve) => setTimeout(resolve, 200, 'waiting'))])).toBe('waiting');
    });
    await other;
    await recorder.recordUpdate(incidentId, 'last', update('last'));
    expect(await seqs()).toEqual([1, 2, 3]);
  });
});

describe('a gate', () => {
  it('is opened once, with its update, however often it is asked for', async () => {
    const gate = aGate();
    const ref = { incidentId, workspaceId };
    await recorder.openGate(ref, gate, update('waits'));
    await recorder.openGate(ref, gate, update('waits'));
    expect(await database.db.select().from(gates).where(eq(gates.incidentId, incidentId))).toHaveLength(1);
    expect(await seqs()).toEqual([1]);
  });

  it('stays as a person settled it when the clock comes after', async () => {
    const gate = aGate();
    await recorder.openGate({ incidentId, workspaceId }, gate, update('waits'));
    const actor = { person: 'ana', role: 'responder', workspaceId } as const;
    await decide(database.db, testSign, incidentId, { id: randomUUID(), gateId: gate.gateId, verdict: 'approve', digest: gate.digest, actor, reason: null });
    await recorder.settleGate(incidentId, gate.gateId, 'expired');
    expect(await recorder.readGate(incidentId, gate.gateId)).toMatchObject({ state: 'approved', approvals: [{ person: 'ana' }] });
  });

  it('takes the place of an older one that is still open', async () => {
    const older = aGate();
    const newer = aGate();
    await recorder.openGate({ incidentId, workspaceId }, older, update('waits'));
    await recorder.openGate({ incidentId, workspaceId }, newer, update('waits'));
    expect(await recorder.readGate(incidentId, older.gateId)).toMatchObject({ state: 'withdrawn' });
    expect(await recorder.readGate(incidentId, newer.gateId)).toMatchObject({ state: 'open' });
  });

  it('is cancelled by a recorded cancellation, and by nothing else that people said', async () => {
    const gate = aGate();
    await recorder.openGate({ incidentId, workspaceId }, gate, update('waits'));
    const actor = { person: 'ana', role: 'responder', workspaceId } as const;
    const [approval, cancellation] = [randomUUID(), randomUUID()];
    await decide(database.db, testSign, incidentId, { id: approval, gateId: gate.gateId, verdict: 'approve', digest: gate.digest, actor, reason: null });
    await cancel(database.db, testSign, { id: cancellation, incidentId, actor, reason: 'wrong' });
    expect(await recorder.readCancellation(incidentId, approval)).toBeUndefined();
    expect(await recorder.readCancellation(incidentId, 'not an id')).toBeUndefined();
    expect(await recorder.readCancellation(randomUUID(), cancellation)).toBeUndefined();
    expect(await recorder.readCancellation(incidentId, cancellation)).toMatchObject({ approval: { person: 'ana', reason: 'wrong' } });
  });

  it('stays expired when a person comes after', async () => {
    const gate = aGate();
    await recorder.openGate({ incidentId, workspaceId }, gate, update('waits'));
    await recorder.settleGate(incidentId, gate.gateId, 'expired');
    const actor = { person: 'ana', role: 'responder', workspaceId } as const;
    expect(await decide(database.db, testSign, incidentId, { id: randomUUID(), gateId: gate.gateId, verdict: 'approve', digest: gate.digest, actor, reason: null })).toMatchObject({
      kind: 'refused',
      because: 'gateClosed',
    });
  });
});

describe('a plan', () => {
  it('has a version that no other plan of its incident has, in whatever run of the workflow', async () => {
    expect(await recorder.nextPlanVersion(incidentId)).toBe(1);
    const plan = aPlan({ incidentId, workspaceId, scriptId: randomUUID() });
    const confidence = { value: 86, tier: 'HIGH', factors: [], caps: [] } as const;
    await recorder.savePlan({ plan, category: 'idleTransaction', digest: 'first', canonical: '{}', confidence, rehearsal: [] });
    expect(await recorder.nextPlanVersion(incidentId)).toBe(2);
  });
});

describe('an incident', () => {
  it('is opened once per fingerprint and workspace while it is open, and anew after it has closed', async () => {
    const first = opening({ fingerprint: 'same' });
    expect(await openIncident(database.db, first)).toEqual({ incidentId: first.id, isNew: true });
    expect(await openIncident(database.db, opening({ fingerprint: 'same' }))).toEqual({ incidentId: first.id, isNew: false });
    expect((await openIncident(database.db, opening({ fingerprint: 'same', workspaceId: 'other' }))).isNew).toBe(true);
    await recorder.close(first.id, 'NOTHING_FOUND', toUpdate({ phase: 'CLOSED', text: 'NOTHING_FOUND' }));
    expect((await openIncident(database.db, opening({ fingerprint: 'same' }))).isNew).toBe(true);
  });

  it('closes once: a repeat adds nothing and keeps the outcome', async () => {
    const closing = toUpdate({ phase: 'CLOSED', text: 'RESOLVED' });
    await recorder.close(incidentId, 'RESOLVED', closing);
    await recorder.close(incidentId, 'FAILED', closing);
    expect(await database.db.select().from(incidents).where(eq(incidents.id, incidentId))).toMatchObject([{ outcome: 'RESOLVED' }]);
    expect(await seqs()).toEqual([1, 2]);
  });

  it('is told once that its targets are well, and again only after they were not', async () => {
    const mine = { ...opening(), workspaceId: 'told', targets: ['a', 'b'] };
    await openIncident(database.db, mine);
    await recorder.openGate({ incidentId: mine.id, workspaceId: 'told' }, aGate(), update('waits'));
    const told = async () => (await database.db.select().from(outbox).where(eq(outbox.incidentId, mine.id))).filter(({ message }) => message.kind === 'resolved').length;
    await recorder.tellWell('told', ['b'], ['a']);
    expect(await told()).toBe(0);
    await recorder.tellWell('told', [], ['a', 'b', 'c']);
    await recorder.tellWell('told', [], ['a', 'b', 'c']);
    expect(await told()).toBe(1);
    await recorder.tellWell('told', ['a'], ['b']);
    await recorder.tellWell('told', [], ['a', 'b']);
    expect(await told()).toBe(2);
    await recorder.tellWell('elsewhere', ['a'], []);
    await recorder.tellWell('told', [], ['a', 'b']);
    expect(await told()).toBe(2);
  });

  it('is not told so once something has run for it', async () => {
    const mine = { ...opening(), workspaceId: 'ran', targets: ['a'] };
    await openIncident(database.db, mine);
    await recorder.openGate({ incidentId: mine.id, workspaceId: 'ran' }, aGate({ kind: 'needsHuman', digest: null }), update('waits'));
    const row = { key: randomUUID(), kind: 'execute', workspaceId: 'ran', incidentId: mine.id, grantId: randomUUID(), claimId: randomUUID(), digest: 'd', stepId: '1', target: 'a', state: 'started' } as const;
    await database.db.insert(executions).values(row);
    await recorder.tellWell('ran', [], ['a']);
    expect((await database.db.select().from(outbox).where(eq(outbox.incidentId, mine.id))).map(({ message }) => message.kind)).toEqual(['start']);
  });

  it('does not count itself among the open SEV-0/1 incidents', async () => {
    const [one, other] = [opening({ workspaceId: 'severe', severity: 'HIGH' }), opening({ workspaceId: 'severe', severity: 'CRITICAL' })];
    await openIncident(database.db, one);
    await openIncident(database.db, other);
    await openIncident(database.db, opening({ workspaceId: 'severe', severity: 'MEDIUM' }));
    expect((await recorder.listActiveSevere('severe', one.id)).map(({ id }) => id)).toEqual([other.id]);
  });

  it('is not opened by a sweep over a target that another open incident watches', async () => {
    const sweep = (targets: readonly string[]) => ({ ...opening(), trigger: 'schedule' as const, startedBy: null, workspaceId: 'swept', targets, fingerprint: `sweep:${targets.join()}`, cooldownMs: 0 });
    expect((await recorder.openFromSweep(sweep(['a']))).isNew).toBe(true);
    expect((await recorder.openFromSweep(sweep(['a', 'b']))).isNew).toBe(false);
    expect((await recorder.openFromSweep(sweep(['c']))).isNew).toBe(true);
  });

  const sweepAs = (workspaceId: string, cooldownMs: number, over: object = {}) =>
    recorder.openFromSweep({ ...opening(), trigger: 'schedule', workspaceId, fingerprint: 'sweep:db', severity: 'MEDIUM', cooldownMs, ...over });
  const closeAs = (id: string | null, outcome: Outcome) => recorder.close(id ?? '', outcome, toUpdate({ phase: 'CLOSED', text: outcome }));

  it.each(['REJECTED', 'CANCELLED', 'HANDED_OVER', 'ROLLED_BACK'] as const)('that ended %s is left alone by a sweep until the cooldown is over', async (outcome) => {
    const sweep = (cooldownMs: number, over: object = {}) => sweepAs(`cooling ${outcome}`, cooldownMs, over);
    const { incidentId } = await sweep(60_000);
    await closeAs(incidentId, outcome);
    expect(await sweep(60_000)).toEqual({ incidentId: null, isNew: false });
    const another = await sweep(60_000, { fingerprint: 'sweep:another' });
    expect(another.isNew).toBe(true);
    await closeAs(another.incidentId, 'RESOLVED');
    await database.db.update(incidents).set({ closedAt: new Date(Date.now() - 61_000) }).where(eq(incidents.id, incidentId ?? ''));
    expect((await sweep(60_000)).isNew).toBe(true);
  });

  it.each(['EXPIRED', 'RESOLVED', 'RECOVERED', 'FAILED'] as const)('that ended %s is opened again by the next sweep that finds it', async (outcome) => {
    const sweep = () => sweepAs(`not cooling ${outcome}`, 60_000);
    await closeAs((await sweep()).incidentId, outcome);
    expect((await sweep()).isNew).toBe(true);
  });

  it('that people closed is opened again where it got worse meanwhile', async () => {
    await closeAs((await sweepAs('worse', 60_000)).incidentId, 'REJECTED');
    expect((await sweepAs('worse', 60_000, { severity: 'HIGH' })).isNew).toBe(true);
  });

  it('that people closed is opened again where it is critical, as it was', async () => {
    const sweep = () => sweepAs('critical', 60_000, { severity: 'CRITICAL' });
    await closeAs((await sweep()).incidentId, 'REJECTED');
    expect((await sweep()).isNew).toBe(true);
  });

  it('that people closed is opened again once a sweep has seen its target well, and is left alone when people close it again', async () => {
    const sweep = () => sweepAs('well', 60_000);
    await closeAs((await sweep()).incidentId, 'REJECTED');
    await recorder.tellWell('well', ['db'], ['another']);
    await recorder.tellWell('elsewhere', [], ['db']);
    expect((await sweep()).isNew).toBe(false);
    await recorder.tellWell('well', [], ['db', 'another']);
    const again = await sweep();
    expect(again.isNew).toBe(true);
    // Well while it was open: nobody had closed it then.
    await recorder.tellWell('well', [], ['db']);
    await closeAs(again.incidentId, 'CANCELLED');
    expect((await sweep()).isNew).toBe(false);
  });
});
