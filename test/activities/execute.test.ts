import { describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Execution } from '../../contracts/activities.js';
import { freeze, thaw, toExecutionKey } from '../../activities/digest.js';
import { createExecuteActivities } from '../../activities/execute.js';
import type { Ports } from '../../activities/ports.js';
import { aPlan, aSignal, aStep } from '../builders.js';
import { fakeWorld, session, type Trouble } from '../fakes/fake-world.js';

const plan = aPlan({ steps: [aStep({ parameters: [`${session.pid}`, session.backendStart] })] });
const { canonical, digest } = freeze(plan);
const approved = { state: 'approved', digest, planVersion: 1, approvals: [], decisionIds: [], settledBy: null } as const;

/** The record as the activity sees it: only what this test is about, the rest fails loudly. */
function record(over: Partial<Ports['recorder']> = {}) {
  const marks: string[] = [];
  const unused = (): never => {
    throw new Error('not expected here');
  };
  const recorder: Ports['recorder'] = {
    recordUpdate: async () => {},
    showPhase: async () => {},
    appendOutput: async () => {},
    saveMeasurement: async () => {},
    readMeasurement: unused,
    readSamples: unused,
    setSeverity: unused,
    setRootCause: unused,
    listScripts: unused,
    readTrackRecords: unused,
    nextPlanVersion: unused,
    savePlan: unused,
    markVerified: unused,
    openGate: unused,
    settleGate: unused,
    readCancellation: unused,
    settleExecution: unused,
    close: unused,
    openFromSweep: unused,
    tellWell: unused,
    readGate: async () => approved,
    readPlan: async () => ({ version: 1, canonical }),
    claimExecution: async () => ({ state: 'claimed', result: null }),
    markStarted: async () => marks.push('started') > 0,
    markEnded: async (_key, state) => void marks.push(state),
    readExecutionSpan: async () => ({ claimedAt: new Date(), endedAt: new Date() }),
    ...over,
  };
  return { recorder, marks };
}

async function execute(over: Partial<Ports['recorder']> = {}, trouble: Trouble = {}, options: { environment?: MockActivityEnvironment; digest?: string } = {}) {
  const world = fakeWorld(trouble);
  const { recorder, marks } = record(over);
  const target = { kind: 'postgres', name: 'shop-db', connection: { env: 'X' }, executor: 'sql', detectors: [] } as const;
  const workspace = { id: 'demo', targets: [target], alertRules: [], sweepEveryMs: null, policy: { gateWaitMs: 1, gateRemindMs: 1, verificationEscalateMs: 1, stabilizationMs: 1, maxRounds: 1 } };
  const { executeRemediation } = createExecuteActivities({ ...world, recorder, watch: { readWorkspace: () => workspace }, now: () => new Date() });
  const input = { workspaceId: 'demo', incidentId: plan.incidentId, gateId: 'g', digest: options.digest ?? digest, before: [aSignal()], stabilizationMs: 1 };
  const run = (): Promise<Execution> => (options.environment ?? new MockActivityEnvironment()).run(executeRemediation, input);
  return { world, marks, run };
}

describe('an execution', () => {
  it.each<{ what: string; over: Partial<Ports['recorder']>; because: RegExp }>([
    { what: 'its gate is open', over: { readGate: async () => ({ ...approved, state: 'open' }) }, because: /no approved gate/ },
    { what: 'its gate was rejected', over: { readGate: async () => ({ ...approved, state: 'rejected' }) }, because: /no approved gate/ },
    { what: 'its gate approved another digest', over: { readGate: async () => ({ ...approved, digest: 'f'.repeat(64) }) }, because: /no approved gate/ },
    { what: 'its gate is not there', over: { readGate: async () => undefined }, because: /no approved gate/ },
    { what: 'the plan is not in the record', over: { readPlan: async () => undefined }, because: /not in the record/ },
    { what: 'the plan in the record is not the approved one', over: { readPlan: async () => ({ version: 1, canonical: canonical.replace('4711', '4712') }) }, because: /not the one that was approved/ },
    { what: 'another gate has claimed it', over: { claimExecution: async () => undefined }, because: /another gate/ },
    { what: 'it was called off after its claim', over: { markStarted: async () => false }, because: /called off/ },
  ])('is refused when $what, and nothing runs', async ({ over, because }) => {
    const { world, run } = await execute(over);
    expect(await run()).toMatchObject({ kind: 'refused', because: expect.stringMatching(because) });
    expect(world.ran).toEqual([]);
  });

  it('notes that it began before it begins', async () => {
    const { marks, run } = await execute();
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(marks).toEqual(['started', 'succeeded']);
  });

  it('that a crashed attempt had begun goes on without measuring again, and ends once', async () => {
    const { world, run } = await execute({ claimExecution: async () => ({ state: 'started', result: null }) });
    world.recover();
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(world.ran).toEqual([]);
  });

  it('of several steps stops between them when it is cancelled, and says that something has changed', async () => {
    const steps = [...plan.steps, aStep({ stepId: '2', parameters: ['9', '2026-01-01T00:00:00.000000Z'] })];
    const two = freeze({ ...plan, steps });
    const environment = new MockActivityEnvironment();
    const started: string[] = [];
    const { run } = await execute(
      {
        readGate: async () => ({ ...approved, digest: two.digest }),
        readPlan: async () => ({ version: 1, canonical: two.canonical }),
        claimExecution: async ({ stepId }) => ({ state: stepId === '1' ? 'started' : 'claimed', result: null }),
        markStarted: async (key) => started.push(key) > 0,
        markEnded: async () => environment.cancel(),
      },
      {},
      { environment, digest: two.digest },
    );
    expect(await run()).toEqual({ kind: 'stopped', changed: true });
    expect(started).toEqual([toExecutionKey(two.digest, '1', 'execute')]);
  });

  it('that had succeeded is not run again', async () => {
    const { world, marks, run } = await execute({ claimExecution: async () => ({ state: 'succeeded', result: 'done' }) });
    expect(await run()).toMatchObject({ kind: 'executed' });
    expect(world.ran).toEqual([]);
    expect(marks).toEqual([]);
  });
});

describe('a digest', () => {
  it('is the SHA-256 of the canonical text, and gives back the plan it was made of', () => {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(thaw(canonical, digest)).toEqual(plan);
    expect(thaw(`${canonical} `, digest)).toBeUndefined();
  });

  it('gives every step a key of its own', () => {
    const keys = [toExecutionKey(digest, '1', 'execute'), toExecutionKey(digest, '2', 'execute'), toExecutionKey('e'.repeat(64), '1', 'execute')];
    expect(new Set(keys).size).toBe(3);
    expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
  });
});
