import { describe, expect, it } from '@jest/globals';
import { judgeConfidence } from '../../domain/confidence.js';
import { judgePlan } from '../../domain/policy.js';
import { matchScript } from '../../domain/script-library.js';
import type { RootCause } from '../../domain/root-cause.js';
import { aPlan, aScript, aSession, aStep } from '../builders.js';

const none = { succeeded: 0, failed: 0 };
const judge = (over: Partial<Parameters<typeof judgeConfidence>[0]> = {}) =>
  judgeConfidence({ plan: aPlan(), rootCauseConfidence: 92, record: none, rehearsed: true, ...over });

describe('confidence', () => {
  it.each([
    { what: 'a sure cause, a library script, all rehearsed', over: {}, value: 86, tier: 'HIGH' },
    { what: 'many good runs before', over: { record: { succeeded: 18, failed: 0 } }, value: 91, tier: 'HIGH' },
    { what: 'many bad runs before', over: { record: { succeeded: 0, failed: 18 } }, value: 82, tier: 'HIGH' },
    { what: 'more than one step', over: { plan: aPlan({ steps: [aStep(), aStep({ stepId: '2' })] }) }, value: 79, tier: 'MEDIUM' },
    { what: 'a MEDIUM root cause', over: { rootCauseConfidence: 79 }, value: 79, tier: 'MEDIUM' },
    { what: 'a LOW root cause', over: { rootCauseConfidence: 30 }, value: 49, tier: 'LOW' },
    { what: 'a HIGH risk', over: { plan: aPlan({ risk: 'HIGH' }) }, value: 76, tier: 'MEDIUM' },
    { what: 'a rehearsal that did not find everything', over: { rehearsed: false }, value: 71, tier: 'MEDIUM' },
  ] as const)('with $what is $value ($tier)', ({ over, value, tier }) => {
    expect(judge(over)).toMatchObject({ value, tier });
  });

  it('names the factors that it is made of', () => {
    expect(judge().factors.reduce((sum, { points }) => sum + points, 0)).toBe(86);
  });
});

describe('policy', () => {
  it.each([
    { tier: 'HIGH', risk: 'MEDIUM', ruling: { kind: 'gate', approvalsNeeded: 1, roleNeeded: 'responder' } },
    { tier: 'MEDIUM', risk: 'MEDIUM', ruling: { kind: 'gate', approvalsNeeded: 1, roleNeeded: 'supervisor' } },
    { tier: 'LOW', risk: 'LOW', ruling: { kind: 'gate', approvalsNeeded: 1, roleNeeded: 'supervisor' } },
    { tier: 'HIGH', risk: 'CRITICAL', ruling: { kind: 'gate', approvalsNeeded: 2, roleNeeded: 'responder' } },
  ] as const)('asks $ruling.approvalsNeeded $ruling.roleNeeded for $tier confidence and $risk risk', ({ tier, risk, ruling }) => {
    expect(judgePlan(aPlan({ risk }), tier)).toEqual(ruling);
  });

  it('forbids a plan that does nothing', () => expect(judgePlan(aPlan({ steps: [] }), 'HIGH').kind).toBe('forbid'));
});

describe('the library', () => {
  const cause: RootCause = { category: 'idleTransaction', details: '', affectedSystems: [], confidence: 92, evidence: ['e'], suggestedActions: [], sessions: [aSession()] };

  it('answers a root cause with the enabled script of the best record', () => {
    const good = aScript({ id: 'good' });
    const better = aScript({ id: 'better' });
    const library = [good, better, aScript({ id: 'off', enabled: false }), aScript({ id: 'other', category: 'massDeletion' })];
    const records = { good: { succeeded: 3, failed: 3 }, better: { succeeded: 5, failed: 0 }, off: { succeeded: 99, failed: 0 } };
    expect(matchScript(cause, library, records)?.id).toBe('better');
  });

  it('has no answer where there is nothing to aim at', () => expect(matchScript({ ...cause, sessions: [] }, [aScript()], {})).toBeUndefined());
});
