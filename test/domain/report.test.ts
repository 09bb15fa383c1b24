import { describe, expect, it } from '@jest/globals';
import { type Counted, type PlanGroup, toReport } from '../../domain/report.js';
import { aPolicy } from '../builders.js';

const aGroup = (over: Partial<PlanGroup> = {}): PlanGroup => ({
  title: 'Restore Last Known Good Configuration',
  scriptId: null,
  risk: 'MEDIUM',
  tier: 'HIGH',
  derivedFromText: false,
  steps: [{ reach: 'file', wayBack: { kind: 'snapshot' }, findings: [] }],
  proposed: 3,
  ran: 0,
  verifiedWell: 0,
  rolledBack: 0,
  observed: 0,
  recovered: 0,
  ...over,
});
const counted = (over: Partial<Counted> = {}): Counted => ({ incidents: [], recovered: { count: 0, medianMs: null, p90Ms: null }, needsHuman: 0, withoutPlan: [], plans: [], ...over });

describe('a report', () => {
  it('of nothing says so', () => {
    expect(toReport(counted(), aPolicy())).toEqual({ opened: 0, stillOpen: 0, outcomes: {}, recovered: { count: 0, medianMs: null, p90Ms: null }, needsHuman: 0, withoutPlan: [], fixes: [] });
  });

  it('tells how incidents ended, and which have not', () => {
    const incidents = [{ outcome: 'RECOVERED', count: 4 }, { outcome: null, count: 2 }, { outcome: 'EXPIRED', count: 1 }] as const;
    expect(toReport(counted({ incidents }), aPolicy())).toMatchObject({ opened: 7, stillOpen: 2, outcomes: { RECOVERED: 4, EXPIRED: 1 } });
  });

  it('names first the root cause that was most often without a plan', () => {
    const withoutPlan = [{ rootCause: null, count: 1 }, { rootCause: 'massDeletion', count: 5 }] as const;
    expect(toReport(counted({ withoutPlan }), aPolicy()).withoutPlan.map(({ rootCause }) => rootCause)).toEqual(['massDeletion', null]);
  });

  const waits: readonly (readonly [string, Partial<PlanGroup>])[] = [
    ['that cannot be taken back', { steps: [{ reach: 'file', wayBack: { kind: 'snapshot' }, findings: [] }, { reach: 'session', wayBack: { kind: 'oneWay' }, findings: [] }] }],
    ['of MEDIUM confidence', { tier: 'MEDIUM' }],
    ['of HIGH risk', { risk: 'HIGH' }],
    ['made of text from outside', { derivedFromText: true }],
  ];
  it.each(waits)('a fix %s would wait for people', (_, over) => {
    expect(toReport(counted({ plans: [aGroup(over)] }), aPolicy({ autonomy: 'observe' })).fixes).toMatchObject([{ proposed: 3, wouldRun: 0, wouldWait: 3 }]);
  });

  it.each(['observe', 'supervised', 'confidence'] as const)('a sure fix that can be taken back would run by itself, whatever autonomy is now: %s', (autonomy) => {
    expect(toReport(counted({ plans: [aGroup()] }), aPolicy({ autonomy })).fixes).toMatchObject([{ proposed: 3, wouldRun: 3, wouldWait: 0 }]);
  });

  it('adds up plans of one fix, risk and tier, and no others; the most proposed first', () => {
    const plans = [
      aGroup({ proposed: 2, ran: 2, verifiedWell: 1, rolledBack: 1 }),
      aGroup({ title: 'Revoke Delete', scriptId: 'a', proposed: 9 }),
      aGroup({ proposed: 3, observed: 3, recovered: 2, derivedFromText: true }),
      aGroup({ tier: 'LOW', proposed: 1 }),
      aGroup({ title: 'Revoke Delete', scriptId: 'b', proposed: 1 }),
    ];
    const { fixes } = toReport(counted({ plans }), aPolicy());
    expect(fixes.map(({ title, scriptId, tier, proposed }) => [title.slice(0, 7), scriptId, tier, proposed])).toEqual([
      ['Revoke ', 'a', 'HIGH', 9],
      ['Restore', null, 'HIGH', 5],
      ['Restore', null, 'LOW', 1],
      ['Revoke ', 'b', 'HIGH', 1],
    ]);
    expect(fixes[1]).toMatchObject({ wouldRun: 2, wouldWait: 3, ran: 2, verifiedWell: 1, rolledBack: 1, observed: 3, recovered: 2 });
  });
});
