import { expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Ports } from '../../activities/ports.js';
import { createValidateActivities } from '../../activities/validate.js';
import type { DraftPlan } from '../../domain/plan.js';
import { aPlan, aPolicy, aStep } from '../builders.js';
import { createFakeLedger, createLedgerRecorder } from '../fakes/fake-ledger.js';
import { testSignatures } from '../harness/signatures.js';
import { inspector } from '../harness/inspector.js';

it('a plan that would hold a secret is denied by the name of the secret, and nothing of it is looked at', async () => {
  const unused = (): never => {
    throw new Error('not expected here');
  };
  const recorder = createLedgerRecorder(createFakeLedger(unused), { readPolicies: async () => [{ workspaceId: 'demo', version: 1, policy: aPolicy(), signature: null }] });
  const ports: Ports = {
    recorder,
    judgeStep: inspector.judgeStep,
    signatures: testSignatures,
    detectors: { measure: unused, readConfiguration: unused } as never,
    executor: { rehearse: unused, snapshot: unused, run: unused, settle: unused },
    watch: { readWorkspace: () => ({ id: 'demo', targets: [], alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: aPolicy() }) },
    now: () => new Date(),
  };
  const { validateRemediation } = createValidateActivities(ports);
  const validate = (over: object) => {
    const plan: DraftPlan = { ...aPlan(), steps: [aStep(over)] };
    return new MockActivityEnvironment().run(validateRemediation, { workspaceId: 'demo', incidentId: plan.incidentId, plan, rootCause: { category: 'configuration', confidence: 90 } as never });
  };
  const denied = { kind: 'denied', because: [expect.stringMatching(/^secretInScript: step 1 would hold the value of the secret SHOP_KEY/)] };
  expect(await validate({ script: 'UPDATE shop SET key = \'[redacted:SHOP_KEY]\'' })).toEqual(denied);
  expect(await validate({ parameters: ['[redacted:SHOP_KEY]'] })).toEqual(denied);
});
