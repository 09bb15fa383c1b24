import { describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Execution } from '../../contracts/activities.js';
import { freeze, sha256, thaw, toExecutionKey } from '../../activities/digest.js';
import { createExecuteActivities } from '../../activities/execute.js';
import type { Recorder } from '../../activities/ports.js';
import type { Plan } from '../../domain/plan.js';
import { type Policy, untouched } from '../../domain/policy.js';
import { aPlan, aPolicy, aPolicyRecord, aScript, aSignal, aStep } from '../builders.js';
import { createFakeLedger, createLedgerRecorder } from '../fakes/fake-ledger.js';
import { fakeWorld, session, type Trouble } from '../fakes/fake-world.js';

const BEFORE = 'everybody may delete';
const holderStep = aStep({ parameters: [`${session.pid}`, session.backendStart] });
const rowStep = aStep({ parameters: ['report'], reach: 'row', wayBack: { kind: 'snapshot', of: 'rows', keptMs: 60_000 }, pins: { before: sha256(BEFORE), after: null } });
const target = { kind: 'postgres', name: 'shop-db', connection: { env: 'X' }, executor: 'sql', detectors: [] } as const;

/** A claimed plan, and the activity that runs it. */
async function claimed({ steps = [holderStep], trouble = {}, over = {}, made = {}, file = {} }: { steps?: readonly ReturnType<typeof aStep>[]; trouble?: Trouble; over?: Partial<Recorder>; made?: Partial<Plan>; file?: Partial<Policy> } = {}) {
  const plan = aPlan({ steps, measuredAt: new Date().toISOString(), ...made });
  const { workspaceId, incidentId } = plan;
  const { canonical, digest } = freeze(plan);
  const world = fakeWorld(trouble);
  let killSwitchOn = false;
  const ledger = createFakeLedger(() => ({ gate: undefined, decisions: [], canonical, killSwitchOn, isClosed: false, verificationFailed: true, now: new Date(), policies: [aPolicyRecord()], lookAround: async () => ({ past: untouched, isTargetBusy: false }) }));
  const keys = steps.map(({ stepId }) => toExecutionKey(digest, stepId, 'execute'));
  const grant = { kind: 'gate', id: 'gate' } as const;
  await ledger.claim({ workspaceId, incidentId, kind: 'execute', claimId: 'claim', digest, grant }, async () => ({
    kind: 'granted',
    steps: keys.map((key, index) => ({ key, stepId: steps[index]?.stepId ?? '', target: steps[index]?.target ?? '' })),
  }));
  const recorder = createLedgerRecorder(ledger, { readPlan: async () => ({ version: 1, canonical }), readPolicies: async () => [aPolicyRecord()], ...over });
  const workspace = { id: 'demo', targets: [target], alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: aPolicy(file) };
  const { executeRemediation } = createExecuteActivities({
    ...world,
    recorder,
    signatures: { readDecision: async () => undefined, isPolicySigned: async () => false },
    watch: { readWorkspace: () => workspace },
    now: () => new Date(),
  });
  const input = { workspaceId, incidentId, gateId: 'gate', claimId: 'claim', digest, before: [aSignal({ name: trouble.fault === 'deletes' ? 'deletes' : 'lockWait', unit: trouble.fault === 'deletes' ? 'count' : 'ms' })], measurementId: 'm', stabilizationMs: 0 };
  return {
    world,
    ledger,
    key: keys[0] ?? '',
    states: () => ledger.rows().map(({ state }) => state),
    throwSwitch: () => (killSwitchOn = true),
    settle: () => ledger.settleExecution(incidentId, digest),
    run: (claimId = 'claim', environment = new MockActivityEnvironment()): Promise<Execution> => environment.run(executeRemediation, { ...input, claimId }),
  };
}

describe('an execution', () => {
  it('runs its steps, and each has ended when it says so', async () => {
    const { world, key, states, run } = await claimed();
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(world.ran).toEqual([key]);
    expect(states()).toEqual(['succeeded']);
  });

  it.each([
    { what: 'is not in the record', readPlan: async () => undefined },
    { what: 'in the record is not the approved one', readPlan: async () => ({ version: 1, canonical: freeze(aPlan({ title: 'Another' })).canonical }) },
  ])('is refused when its plan $what, and nothing runs', async ({ readPlan }) => {
    const { world, run } = await claimed({ over: { readPlan } });
    expect(await run()).toMatchObject({ kind: 'refused', because: expect.stringMatching(/not the one that was approved/) });
    expect(world.ran).toEqual([]);
  });

  it('is refused when it was called off after its claim, and nothing runs', async () => {
    const { world, settle, run } = await claimed();
    await settle();
    expect(await run()).toMatchObject({ kind: 'refused', because: expect.stringMatching(/called off/) });
    expect(world.ran).toEqual([]);
  });

  it('is refused when the kill switch was thrown after its claim, and can never begin', async () => {
    const { world, states, throwSwitch, run } = await claimed();
    throwSwitch();
    expect(await run()).toMatchObject({ kind: 'refused', because: expect.stringMatching(/kill switch/) });
    expect(world.ran).toEqual([]);
    expect(states()).toEqual(['void']);
  });

  it('that was not claimed does not run', async () => {
    const { world, run } = await claimed();
    await expect(run('another claim')).rejects.toMatchObject({ type: 'ClaimMissing', nonRetryable: true });
    expect(world.ran).toEqual([]);
  });

  it('does not run when all is well again, and can never begin', async () => {
    const { world, states, run } = await claimed();
    world.recover();
    expect(await run()).toEqual({ kind: 'recovered' });
    expect(world.ran).toEqual([]);
    expect(states()).toEqual(['void']);
  });

  it('does not run when what it aims at is gone, and can never begin', async () => {
    const { world, states, run } = await claimed();
    world.replaceHolder();
    expect(await run()).toMatchObject({ kind: 'drifted' });
    expect(world.ran).toEqual([]);
    expect(states()).toEqual(['void']);
  });

  it('does not run when what it changes is not as it was approved', async () => {
    const { world, run } = await claimed({ steps: [rowStep], trouble: { fault: 'deletes' } });
    world.store.value = 'nobody may delete';
    expect(await run()).toMatchObject({ kind: 'drifted' });
    expect(world.store.value).toBe('nobody may delete');
  });

  describe('whose evidence is too old', () => {
    const old = { measuredAt: '2026-01-01T08:00:00.000Z' };
    const library = { listScripts: async () => [aScript()], readTrackRecords: async () => ({}) };

    it('runs where what is measured now leads to the same plan', async () => {
      const { world, key, run } = await claimed({ made: old, over: library });
      expect(await run()).toMatchObject({ kind: 'executed' });
      expect(world.ran).toEqual([key]);
    });

    it('does not run where it leads to another one, though what it aims at is still there', async () => {
      const { world, states, run } = await claimed({ made: old, over: library });
      world.letAnotherBlock();
      expect(await run()).toEqual({ kind: 'drifted', because: expect.stringContaining('its evidence is of 2026-01-01 08:00') });
      expect([world.ran, states()]).toEqual([[], ['void']]);
    });

    it('does not run where the library has nothing for it any more', async () => {
      const { world, run } = await claimed({ made: old, over: { ...library, listScripts: async () => [] } });
      expect(await run()).toMatchObject({ kind: 'drifted' });
      expect(world.ran).toEqual([]);
    });
  });

  it('goes by the shortest time that a policy which holds gives its evidence', async () => {
    const measuredAt = new Date(Date.now() - 60_000).toISOString();
    const library = { listScripts: async () => [aScript()], readTrackRecords: async () => ({}) };
    for (const [evidenceValidMs, kind] of [[30_000, 'drifted'], [600_000, 'executed']] as const) {
      const { world, run } = await claimed({ made: { measuredAt }, over: library, file: { evidenceValidMs } });
      world.letAnotherBlock();
      expect([evidenceValidMs, (await run()).kind]).toEqual([evidenceValidMs, kind]);
    }
  });

  it('does not look for the root cause again while its evidence is fresh', async () => {
    const { world, key, run } = await claimed();
    world.letAnotherBlock();
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(world.ran).toEqual([key]);
  });

  it('keeps what it changes as it was before', async () => {
    const { world, ledger, run } = await claimed({ steps: [rowStep], trouble: { fault: 'deletes' } });
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(world.store.value).not.toBe(BEFORE);
    expect(ledger.rows()).toMatchObject([{ snapshot: BEFORE, snapshotKeptUntil: expect.any(Date) }]);
  });

  it('that failed halfway says that something was changed, also when its first answer was lost', async () => {
    const { states, run } = await claimed({ trouble: { run: 'fails' } });
    expect(await run()).toEqual({ kind: 'failed', because: 'permission denied', changed: true });
    expect(states()).toEqual(['failed']);
    expect(await run()).toMatchObject({ kind: 'failed', changed: true });
  });

  it('that a crashed attempt had begun goes on without measuring again, and ends once', async () => {
    const { world, ledger, key, states, run } = await claimed();
    await ledger.begin(key, '{}', null);
    world.recover();
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(world.ran).toEqual([]);
    expect(states()).toEqual(['succeeded']);
  });

  it('that had succeeded is not run again', async () => {
    const { world, ledger, key, run } = await claimed();
    await ledger.end(key, 'succeeded', 'done', 0, null);
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(world.ran).toEqual([]);
  });

  it('of several steps stops between them when it is cancelled, says that something has changed, and goes no further', async () => {
    const environment = new MockActivityEnvironment();
    const steps = [holderStep, aStep({ stepId: '2', parameters: ['9', '2026-01-01T00:00:00.000000Z'] })];
    const { ledger, key, states, run } = await claimed({ steps });
    await ledger.begin(key, '{}', null);
    environment.cancel();
    expect(await run('claim', environment)).toEqual({ kind: 'stopped', changed: true });
    expect(states()).toEqual(['succeeded', 'void']);
  });
});

describe('a digest', () => {
  const plan = aPlan();
  const { canonical, digest } = freeze(plan);

  it('is the SHA-256 of the canonical text, and gives back the plan it was made of', () => {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(thaw(canonical, digest)).toEqual(plan);
    expect(thaw(`${canonical} `, digest)).toBeUndefined();
  });

  it('gives every step a key of its own', () => {
    const keys = [toExecutionKey(digest, '1', 'execute'), toExecutionKey(digest, '2', 'execute'), toExecutionKey('e'.repeat(64), '1', 'execute'), toExecutionKey(digest, '1', 'rollback')];
    expect(new Set(keys).size).toBe(4);
    expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
  });
});
