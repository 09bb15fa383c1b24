import { describe, expect, it } from '@jest/globals';
import type { Plan } from '../../domain/plan.js';
import { judgePlan, toConfirmation } from '../../domain/policy.js';
import { aPlan } from '../builders.js';

describe('policy', () => {
  it.each([
    ['LOW', 'HIGH', 1, 'responder'],
    ['HIGH', 'HIGH', 1, 'responder'],
    ['MEDIUM', 'MEDIUM', 1, 'supervisor'],
    ['CRITICAL', 'LOW', 2, 'supervisor'],
  ] as const)('asks of a plan of %s risk and %s confidence %i × %s', (risk, tier, approvalsNeeded, roleNeeded) => {
    expect(judgePlan(aPlan({ risk }), tier)).toEqual({ kind: 'gate', approvalsNeeded, roleNeeded });
  });

  it('forbids a plan that does nothing', () => {
    expect(judgePlan(aPlan({ steps: [] }), 'HIGH')).toMatchObject({ kind: 'forbid' });
  });

  it.each<[Plan['risk'], boolean]>([
    ['LOW', false],
    ['MEDIUM', false],
    ['HIGH', true],
    ['CRITICAL', true],
  ])('has the title of a plan of %s risk typed before it runs: %s', (risk, isTyped) => {
    const plan = aPlan({ risk, title: 'Reset' });
    expect(toConfirmation('execution', plan)).toBe(isTyped ? 'Reset' : null);
    expect([toConfirmation('verification', plan), toConfirmation('needsHuman', plan)]).toEqual([null, null]);
  });
});
