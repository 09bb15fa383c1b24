import { describe, expect, it } from '@jest/globals';
import { judgeConfidence } from '../../domain/confidence.js';
import { matchScript } from '../../domain/script-library.js';
import type { Aim, RootCause } from '../../domain/root-cause.js';
import { aPlan, aScript, aStep } from '../builders.js';

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
    { what: 'a part that could not be inspected', over: { plan: aPlan({ steps: [aStep({ findings: [{ rule: 'r', position: 1, reason: 'unknown', remedy: '' }] })] }) }, value: 79, tier: 'MEDIUM' },
    { what: 'a rehearsal that did not find everything', over: { rehearsed: false }, value: 71, tier: 'MEDIUM' },
  ] as const)('with $what is $value ($tier)', ({ over, value, tier }) => {
    expect(judge(over)).toMatchObject({ value, tier });
  });

  it('of what restores the last known good is that of a library script, by another name', () => {
    const restoring = judge({ plan: aPlan({ scriptId: null }) });
    expect(restoring).toMatchObject({ value: 86, factors: expect.arrayContaining([{ name: 'restores what last worked', points: 20 }]) });
  });

  it('names what it can be at most, and why', () => {
    expect(judge().caps).toEqual([]);
    expect(judge({ rootCauseConfidence: 79, plan: aPlan({ steps: [aStep(), aStep()] }) }).caps).toEqual([
      { name: 'the root cause is not certain', atMost: 79 },
      { name: 'more than one step', atMost: 79 },
    ]);
  });

  it('names the factors that it is made of', () => {
    expect(judge().factors.reduce((sum, { points }) => sum + points, 0)).toBe(86);
  });
});

describe('the library', () => {
  const aim = (values: Extract<Aim, { kind: 'values' }>['values']): Aim => ({ kind: 'values', target: 'shop-db', values });
  const cause: RootCause = { category: 'idleTransaction', details: '', affectedSystems: [], confidence: 92, evidence: ['e'], suggestedActions: [], aims: [aim({ pid: '4711', backendStart: 'then' })] };

  it('answers a root cause with the enabled script of the best record', () => {
    const good = aScript({ id: 'good' });
    const better = aScript({ id: 'better' });
    const library = [good, better, aScript({ id: 'off', enabled: false }), aScript({ id: 'other', category: 'massDeletion' })];
    const records = { good: { succeeded: 3, failed: 3 }, better: { succeeded: 5, failed: 0 }, off: { succeeded: 99, failed: 0 } };
    expect(matchScript(cause, library, records)).toMatchObject({ script: { id: 'better' }, aims: cause.aims });
  });

  it.each<[string, readonly Aim[]]>([
    ['there is nothing to aim at', []],
    ['what is aimed at is restored', [{ kind: 'restore', target: 'checkout-config', type: 'config-patch', script: '[]' }]],
    ['one of the aims lacks what the script asks for', [aim({ pid: '1', backendStart: 'then' }), aim({ pid: '2' })]],
  ])('has no answer where %s', (_what, aims) => expect(matchScript({ ...cause, aims }, [aScript()], {})).toBeUndefined());
});
