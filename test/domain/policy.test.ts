import { describe, expect, it } from '@jest/globals';
import type { Plan } from '../../domain/plan.js';
import { judgePlan, toConfirmation, toStricter, type Ruling } from '../../domain/policy.js';
import { aPlan, aPolicy } from '../builders.js';

const gate = (approvalsNeeded: number, roleNeeded: Extract<Ruling, { kind: 'gate' }>['roleNeeded']): Ruling => ({ kind: 'gate', approvalsNeeded, roleNeeded });
const forbid: Ruling = { kind: 'forbid', because: 'no' };

describe('policy', () => {
  it.each([
    ['LOW', 'HIGH', 1, 'responder'],
    ['HIGH', 'HIGH', 1, 'responder'],
    ['MEDIUM', 'MEDIUM', 1, 'supervisor'],
    ['CRITICAL', 'LOW', 2, 'supervisor'],
  ] as const)('asks of a plan of %s risk and %s confidence %i × %s', (risk, tier, approvalsNeeded, roleNeeded) => {
    expect(judgePlan(aPlan({ risk }), tier, aPolicy())).toEqual({ kind: 'gate', approvalsNeeded, roleNeeded });
  });

  it('forbids a plan that does nothing', () => {
    expect(judgePlan(aPlan({ steps: [] }), 'HIGH', aPolicy())).toMatchObject({ kind: 'forbid' });
  });

  it('asks as many people as it says for the risk', () => {
    const approvals = { LOW: 1, MEDIUM: 3, HIGH: 1, CRITICAL: 2 };
    expect(judgePlan(aPlan({ risk: 'MEDIUM' }), 'HIGH', { approvals })).toMatchObject({ approvalsNeeded: 3 });
  });

  it.each<[Ruling, Ruling, Ruling]>([
    [gate(1, 'supervisor'), gate(2, 'responder'), gate(2, 'supervisor')],
    [gate(2, 'admin'), gate(1, 'responder'), gate(2, 'admin')],
    [gate(1, 'responder'), forbid, forbid],
    [forbid, gate(1, 'responder'), forbid],
  ])('of %j and %j the stricter is %j', (one, other, stricter) => expect(toStricter(one, other)).toEqual(stricter));

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
