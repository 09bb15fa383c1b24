import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ClaimRequest, Judgement } from '../../activities/ports.js';
import type { Ledger } from '../fakes/fake-ledger.js';

/** A ledger and an incident whose plan is claimed, made anew for each test. */
export interface LedgerWorld {
  readonly ledger: Ledger;
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly throwSwitch: (on: boolean) => Promise<unknown>;
  /** Lets as much time go by. */
  readonly pass: (ms: number) => Promise<unknown>;
}

const KEPT_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What every ledger promises, the fake included. */
export function describeLedger(name: string, open: () => Promise<LedgerWorld>): void {
  let world: LedgerWorld;
  let digest: string;
  let keys: readonly [string, string];
  let rollbackKey: string;
  const newKey = () => randomBytes(16).toString('hex');
  beforeEach(async () => {
    world = await open();
    digest = randomBytes(32).toString('hex');
    keys = [newKey(), newKey()];
    rollbackKey = newKey();
  });

  const toRequest = (over: Partial<ClaimRequest> = {}): ClaimRequest => ({
    workspaceId: world.workspaceId,
    incidentId: world.incidentId,
    kind: 'execute',
    claimId: randomUUID(),
    digest,
    grant: { kind: 'gate', id: randomUUID() },
    ...over,
  });
  const grantAll = async (): Promise<Judgement> => ({ kind: 'granted', steps: keys.map((key, index) => ({ key, stepId: `${index + 1}`, target: 'db' })) });
  const grantRollback = async (): Promise<Judgement> => ({ kind: 'granted', steps: [{ key: rollbackKey, stepId: '1', target: 'db' }] });
  const refuse = async (): Promise<Judgement> => ({ kind: 'refused', because: 'alreadyUsed' });
  const neverAsked = (): never => {
    throw new Error('the claim was judged again');
  };
  const claim = async (over: Partial<ClaimRequest> = {}) => {
    const request = toRequest(over);
    await world.ledger.claim(request, grantAll);
    return request;
  };
  const claimRollback = (over: Partial<ClaimRequest> = {}) => world.ledger.claim(toRequest({ kind: 'rollback', ...over }), grantRollback);
  const read = () => world.ledger.readLedger(world.incidentId, digest);
  const rowOf = async (key: string) => (await read()).find((row) => row.key === key);
  const stateOf = async (key: string) => (await rowOf(key))?.state;
  const settle = () => world.ledger.settleExecution(world.incidentId, digest);

  describe(`${name}: a claim`, () => {
    it('that is granted is a row for each step, and nothing that is refused is one', async () => {
      expect(await world.ledger.claim(toRequest(), refuse)).toEqual({ kind: 'refused', because: 'alreadyUsed' });
      expect(await read()).toEqual([]);
      const { claimId } = await claim();
      expect((await read()).toSorted((one, other) => one.stepId.localeCompare(other.stepId))).toMatchObject(
        keys.map((key, index) => ({ key, kind: 'execute', claimId, stepId: `${index + 1}`, state: 'claimed', snapshot: null, snapshotKeptUntil: null, handle: null, endedAt: null })),
      );
    });

    it('that is made again finds itself, whatever became of it', async () => {
      const request = await claim();
      await world.ledger.begin(keys[0], 'a', null);
      expect(await world.ledger.claim(request, neverAsked)).toMatchObject({ kind: 'granted' });
      expect(await rowOf(keys[0])).toMatchObject({ state: 'started', handle: 'a' });
    });

    it('of another is judged with what was claimed before it', async () => {
      await claim();
      let seen = 0;
      await world.ledger.claim(toRequest(), async ({ ledger }) => {
        seen = ledger.length;
        return { kind: 'refused', because: 'alreadyUsed' };
      });
      expect(seen).toBe(2);
    });

    it('of the same steps does not take them over', async () => {
      const { claimId } = await claim();
      await claim();
      expect(new Set((await read()).map((row) => row.claimId))).toEqual(new Set([claimId]));
    });

    it('is granted once by one grant, whatever it is for', async () => {
      const { grant } = await claim();
      const other = toRequest({ grant, digest: randomBytes(32).toString('hex') });
      expect(await world.ledger.claim(other, neverAsked)).toEqual({ kind: 'refused', because: 'alreadyUsed' });
      expect(await world.ledger.readLedger(world.incidentId, other.digest)).toEqual([]);
    });
  });

  describe(`${name}: a change`, () => {
    it('is noted as begun with its handle', async () => {
      await claim();
      expect(await world.ledger.begin(keys[0], 'a', null)).toBe('begun');
      expect(await rowOf(keys[0])).toMatchObject({ state: 'started', handle: 'a' });
    });

    it('that nobody claimed does not begin', async () => {
      expect(await world.ledger.begin(newKey(), 'a', null)).toBe('calledOff');
    });

    it('begins again only over the handle that was looked after', async () => {
      await claim();
      await world.ledger.begin(keys[0], 'a', null);
      expect(await world.ledger.begin(keys[0], 'late', null)).toBe('calledOff');
      expect(await world.ledger.begin(keys[0], 'b', 'a')).toBe('begun');
      expect(await world.ledger.begin(keys[0], 'late', 'a')).toBe('calledOff');
      expect(await rowOf(keys[0])).toMatchObject({ state: 'started', handle: 'b' });
    });

    it('does not begin while the kill switch is on, and may when it is off', async () => {
      await claim();
      await world.throwSwitch(true);
      expect(await world.ledger.begin(keys[0], 'a', null)).toBe('killSwitch');
      expect(await rowOf(keys[0])).toMatchObject({ state: 'claimed', handle: null });
      await world.throwSwitch(false);
      expect(await world.ledger.begin(keys[0], 'a', null)).toBe('begun');
    });

    it('does not begin an hour after it was claimed, when others may hold its target', async () => {
      await claim();
      await world.pass(HOUR_MS - 30_000);
      expect(await world.ledger.begin(keys[0], 'a', null)).toBe('begun');
      await world.pass(60_000);
      expect(await world.ledger.begin(keys[1], 'a', null)).toBe('calledOff');
      expect(await rowOf(keys[1])).toMatchObject({ state: 'claimed', handle: null });
      // What began in time is gone on with.
      expect(await world.ledger.begin(keys[0], 'b', 'a')).toBe('begun');
    });

    it.each(['succeeded', 'failed', 'void'] as const)('that ended as %s stays so, and does not begin again', async (state) => {
      await claim();
      await world.ledger.begin(keys[0], 'a', null);
      await world.ledger.end(keys[0], state, 'it is so', KEPT_MS, 'a');
      expect(await world.ledger.begin(keys[0], 'b', 'a')).toBe('calledOff');
      await world.ledger.end(keys[0], state === 'failed' ? 'succeeded' : 'failed', 'no', KEPT_MS, 'a');
      expect(await rowOf(keys[0])).toMatchObject({ state, handle: 'a', endedAt: expect.any(Date) });
    });

    it('is not ended by a worker whose place another one took', async () => {
      await claim();
      await world.ledger.begin(keys[0], 'a', null);
      await world.ledger.end(keys[0], 'void', 'late', KEPT_MS, null);
      await world.ledger.begin(keys[0], 'b', 'a');
      await world.ledger.end(keys[0], 'failed', 'late', KEPT_MS, 'a');
      expect(await stateOf(keys[0])).toBe('started');
    });

    it('may end without having begun', async () => {
      await claim();
      await world.ledger.end(keys[0], 'succeeded', 'it was so already', KEPT_MS, null);
      expect(await rowOf(keys[0])).toMatchObject({ state: 'succeeded', handle: null });
    });
  });

  describe(`${name}: a snapshot`, () => {
    it('is kept from when it was taken, and longer once the step has ended', async () => {
      await claim();
      await world.ledger.saveSnapshot(keys[0], 'rows', KEPT_MS);
      const taken = await rowOf(keys[0]);
      expect(taken).toMatchObject({ snapshot: 'rows', snapshotKeptUntil: expect.any(Date) });
      await world.ledger.end(keys[0], 'succeeded', 'done', 2 * KEPT_MS, null);
      const ended = await rowOf(keys[0]);
      expect((ended?.snapshotKeptUntil?.getTime() ?? 0) - (taken?.snapshotKeptUntil?.getTime() ?? 0)).toBeGreaterThanOrEqual(KEPT_MS);
    });

    it('is not replaced once the step has begun', async () => {
      await claim();
      await world.ledger.saveSnapshot(keys[0], 'before', KEPT_MS);
      await world.ledger.begin(keys[0], 'a', null);
      await world.ledger.saveSnapshot(keys[0], 'after', KEPT_MS);
      expect(await rowOf(keys[0])).toMatchObject({ snapshot: 'before' });
    });

    it('that was never taken is not kept', async () => {
      await claim();
      await world.ledger.end(keys[0], 'succeeded', 'done', KEPT_MS, null);
      expect(await rowOf(keys[0])).toMatchObject({ snapshot: null, snapshotKeptUntil: null });
    });
  });

  describe(`${name}: an execution that nobody heard the end of`, () => {
    it('is unknown where it had begun and called off where not, and begins no more', async () => {
      await claim();
      await world.ledger.begin(keys[0], 'a', null);
      expect(await settle()).toBe(true);
      expect([await stateOf(keys[0]), await stateOf(keys[1])]).toEqual(['unknown', 'void']);
      expect([await world.ledger.begin(keys[0], 'b', 'a'), await world.ledger.begin(keys[1], 'b', null)]).toEqual(['calledOff', 'calledOff']);
      await world.ledger.end(keys[0], 'succeeded', 'it was found out', KEPT_MS, 'a');
      expect(await stateOf(keys[0])).toBe('succeeded');
      expect(await settle()).toBe(true);
    });

    it('changed nothing where nothing had begun', async () => {
      await claim();
      expect(await settle()).toBe(false);
      expect([await stateOf(keys[0]), await stateOf(keys[1])]).toEqual(['void', 'void']);
    });

    it('changed nothing where a step failed before it began, or had no effect after it', async () => {
      await claim();
      await world.ledger.end(keys[0], 'failed', 'permission denied', KEPT_MS, null);
      await world.ledger.begin(keys[1], 'a', null);
      await world.ledger.end(keys[1], 'void', 'conflict', KEPT_MS, 'a');
      expect(await settle()).toBe(false);
    });
  });

  describe(`${name}: a rollback`, () => {
    it('that is claimed ends what it takes back', async () => {
      await claim();
      await world.ledger.begin(keys[0], 'a', null);
      await claimRollback();
      expect([await stateOf(keys[0]), await stateOf(keys[1]), await stateOf(rollbackKey)]).toEqual(['unknown', 'void', 'claimed']);
    });

    it('that is refused ends nothing', async () => {
      await claim();
      await world.ledger.claim(toRequest({ kind: 'rollback' }), refuse);
      expect([await stateOf(keys[0]), await stateOf(keys[1])]).toEqual(['claimed', 'claimed']);
    });

    it.each(['failed', 'void'] as const)('that came to nothing (%s) may be claimed again', async (state) => {
      await claimRollback();
      await world.ledger.begin(rollbackKey, 'a', null);
      await world.ledger.end(rollbackKey, state, 'conflict', 0, 'a');
      const claimId = randomUUID();
      await claimRollback({ claimId });
      expect(await rowOf(rollbackKey)).toMatchObject({ state: 'claimed', handle: null, claimId });
    });

    it.each(['started', 'unknown'] as const)('that is %s keeps its handle when it is claimed again, and begins only over it', async (state) => {
      await claimRollback();
      await world.ledger.begin(rollbackKey, 'a', null);
      if (state === 'unknown') await settle();
      const claimId = randomUUID();
      await claimRollback({ claimId });
      expect(await rowOf(rollbackKey)).toMatchObject({ state, handle: 'a', claimId });
      expect([await world.ledger.begin(rollbackKey, 'b', null), await world.ledger.begin(rollbackKey, 'b', 'a')]).toEqual(['calledOff', 'begun']);
    });

    it('has as long again to begin once it is claimed again', async () => {
      await claimRollback();
      await world.ledger.end(rollbackKey, 'failed', 'conflict', 0, null);
      await world.pass(2 * HOUR_MS);
      await claimRollback();
      expect(await world.ledger.begin(rollbackKey, 'a', null)).toBe('begun');
    });

    it('that succeeded is not claimed again', async () => {
      const claimId = randomUUID();
      await claimRollback({ claimId });
      await world.ledger.end(rollbackKey, 'succeeded', 'done', 0, null);
      await claimRollback();
      expect(await rowOf(rollbackKey)).toMatchObject({ state: 'succeeded', claimId });
    });
  });
}
