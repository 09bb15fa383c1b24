import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decidingRoles, isAtLeast } from '../../domain/actor.js';
import type { Plan, Step } from '../../domain/plan.js';
import { reaches } from '../../domain/reach.js';
import { type Policy, type Ruled, type Ruling, autonomies, judgePlan, judgeUnder, toConfirmation, toStricter, untouched } from '../../domain/policy.js';
import { severities } from '../../domain/severity.js';
import { aPlan, aPolicy, approversWith, aStep } from '../builders.js';

const oneWay: Step['wayBack'] = { kind: 'oneWay', because: 'it is gone' };
const unseen = { rule: 'bash.unknownProgram', position: 1, reason: 'nobody knows what it does', remedy: 'Use another one.' };
const kept: Step['wayBack'] = { kind: 'snapshot', of: 'rows', keptMs: 1_000 };

interface Case {
  readonly when: string;
  readonly policy?: Partial<Policy>;
  readonly tier?: 'HIGH' | 'MEDIUM' | 'LOW';
  readonly plan?: Partial<Plan>;
  readonly reach?: Step['reach'];
  readonly wayBack?: Step['wayBack'];
  readonly findings?: Step['findings'];
  readonly sinceFixMs?: number;
  readonly wasTakenBack?: boolean;
  readonly tries?: number;
  readonly rules: Ruling['kind'];
  readonly needs?: string;
}

const confidence = { autonomy: 'confidence' } as const;
/** What may run by itself, but for what the case says. */
const sure = { policy: confidence, tier: 'HIGH', wayBack: kept } as const;
const hour = 3_600_000;

const cases: readonly Case[] = [
  { when: 'it is supervised and sure', tier: 'HIGH', rules: 'gate', needs: '1 responder' },
  { when: 'it is supervised, sure, and can be taken back', tier: 'HIGH', wayBack: kept, rules: 'gate', needs: '1 responder' },
  { when: 'it is supervised and less sure', tier: 'MEDIUM', rules: 'gate', needs: '1 supervisor' },
  { when: 'it is supervised and not sure', tier: 'LOW', rules: 'gate', needs: '1 supervisor after a review' },
  { when: 'its risk is HIGH', plan: { risk: 'HIGH' }, rules: 'gate', needs: '1 responder' },
  { when: 'its risk is CRITICAL', plan: { risk: 'CRITICAL' }, rules: 'gate', needs: '2 responder' },
  { when: 'the policy asks three of its risk', policy: { approvals: { LOW: 1, MEDIUM: 3, HIGH: 1, CRITICAL: 2 } }, rules: 'gate', needs: '3 responder' },
  { when: 'the policy asks a supervisor of its reach', policy: { approvers: approversWith({ row: 'supervisor' }) }, reach: 'row', rules: 'gate', needs: '1 supervisor' },
  { when: 'the policy asks an admin of its reach', policy: { approvers: approversWith({ file: 'admin' }) }, tier: 'LOW', reach: 'file', rules: 'gate', needs: '1 admin after a review' },
  { when: 'the policy asks an admin of another reach', policy: { approvers: approversWith({ file: 'admin' }) }, reach: 'row', rules: 'gate', needs: '1 responder' },
  { when: 'its target was fixed a moment ago', policy: { cooldownMs: hour }, sinceFixMs: 0, rules: 'gate', needs: '1 supervisor' },
  { when: 'its target was fixed just within the cooldown', policy: { cooldownMs: hour }, sinceFixMs: hour - 1, rules: 'gate', needs: '1 supervisor' },
  { when: 'the cooldown of its target is over', policy: { cooldownMs: hour }, sinceFixMs: hour, rules: 'gate', needs: '1 responder' },
  { when: 'it was tried less often than it may be', policy: { maxTries: 3 }, tries: 2, rules: 'gate', needs: '1 responder' },
  { when: 'it was tried as often as it may be', policy: { maxTries: 3 }, tries: 3, rules: 'forbid' },
  { when: 'it was tried as often as it may be and is sure', ...sure, tries: 10, rules: 'forbid' },
  { when: 'it was tried as often as it may be and is only observed', policy: { autonomy: 'observe', maxTries: 3 }, tries: 3, rules: 'forbid' },
  { when: 'it does nothing', plan: { steps: [] }, rules: 'forbid' },

  { when: 'it is sure', ...sure, rules: 'auto', needs: '1 responder' },
  { when: 'it is sure and not all of it could be inspected', ...sure, findings: [unseen], rules: 'gate', needs: '2 responder' },
  { when: 'not all of it could be inspected and its risk asks three', findings: [unseen], policy: { approvals: { LOW: 1, MEDIUM: 3, HIGH: 3, CRITICAL: 3 } }, rules: 'gate', needs: '3 responder' },
  { when: 'it is sure, of LOW risk', ...sure, plan: { risk: 'LOW' }, rules: 'auto', needs: '1 responder' },
  { when: 'it is sure, of HIGH risk', ...sure, plan: { risk: 'HIGH' }, rules: 'gate', needs: '1 responder' },
  { when: 'it is sure, of CRITICAL risk', ...sure, plan: { risk: 'CRITICAL' }, rules: 'gate', needs: '2 responder' },
  { when: 'it is sure and the policy asks two of its risk', ...sure, policy: { ...confidence, approvals: { LOW: 1, MEDIUM: 2, HIGH: 2, CRITICAL: 2 } }, rules: 'gate', needs: '2 responder' },
  { when: 'it is sure and the policy asks a supervisor of its reach', ...sure, policy: { ...confidence, approvers: approversWith({ session: 'supervisor' }) }, rules: 'gate', needs: '1 supervisor' },
  { when: 'it is less sure', ...sure, tier: 'MEDIUM', rules: 'gate', needs: '1 supervisor' },
  { when: 'it is not sure', ...sure, tier: 'LOW', rules: 'gate', needs: '1 supervisor after a review' },
  { when: 'somebody outside chose a text of it', ...sure, plan: { derivedFromText: true }, rules: 'gate', needs: '1 responder' },
  { when: 'it has no way back', ...sure, wayBack: oneWay, rules: 'gate', needs: '1 responder' },
  { when: 'one of its steps has no way back', ...sure, plan: { steps: [aStep({ wayBack: kept }), aStep({ wayBack: oneWay })] }, rules: 'gate', needs: '1 responder' },
  { when: 'its target was fixed a moment ago and it is sure', ...sure, sinceFixMs: 0, rules: 'gate', needs: '1 supervisor' },
  { when: 'a fix of its target was taken back and it is sure', ...sure, wasTakenBack: true, rules: 'gate', needs: '1 responder' },
  { when: 'the cooldown of its target is over and it is sure', ...sure, sinceFixMs: hour, rules: 'auto', needs: '1 responder' },

  { when: 'it is only observed, and sure', ...sure, policy: { autonomy: 'observe' }, rules: 'observe', needs: '1 responder' },
  { when: 'it is only observed, and less sure', policy: { autonomy: 'observe' }, tier: 'MEDIUM', rules: 'observe', needs: '1 supervisor' },
  { when: 'it is only observed, and not sure', policy: { autonomy: 'observe' }, tier: 'LOW', rules: 'observe', needs: '1 supervisor after a review' },
  { when: 'it is only observed, of CRITICAL risk', policy: { autonomy: 'observe' }, plan: { risk: 'CRITICAL' }, rules: 'observe', needs: '2 responder' },
];

const toNeeds = (ruling: Ruling): string | undefined =>
  ruling.kind === 'forbid' ? undefined : `${ruling.approvalsNeeded} ${ruling.roleNeeded}${ruling.reviewNeeded ? ' after a review' : ''}`;

describe('a plan', () => {
  it.each(cases)('is ruled $rules, $needs, where $when', ({ policy, tier = 'HIGH', plan, reach = 'session', wayBack = oneWay, findings = [], sinceFixMs = null, tries = 0, wasTakenBack = false, rules, needs }) => {
    const ruling = judgePlan(aPlan({ steps: [aStep({ reach, wayBack, findings })], ...plan }), tier, aPolicy(policy), { sinceFixMs, tries, wasTakenBack });
    expect([ruling.kind, toNeeds(ruling)]).toEqual([rules, needs]);
  });

  it.each(severities.map((risk) => [risk, risk === 'HIGH' || risk === 'CRITICAL'] as const))('of %s risk has its title typed before it runs: %s', (risk, isTyped) => {
    const plan = aPlan({ risk, title: 'Reset' });
    expect(toConfirmation('execution', plan)).toBe(isTyped ? 'Reset' : null);
    expect([toConfirmation('verification', plan), toConfirmation('needsHuman', plan)]).toEqual([null, null]);
  });
});

const asked = fc.record({ approvalsNeeded: fc.integer({ min: 1, max: 5 }), roleNeeded: fc.constantFrom(...decidingRoles), reviewNeeded: fc.boolean() });
const forbidding = fc.constant<Ruling>({ kind: 'forbid', because: 'no' });
const ruling: fc.Arbitrary<Ruling> = fc.oneof(fc.tuple(fc.constantFrom('auto' as const, 'gate' as const, 'observe' as const), asked).map(([kind, rest]) => ({ kind, ...rest })), forbidding);
const order: readonly Ruling['kind'][] = ['auto', 'gate', 'observe', 'forbid'];
const isAtLeastAsStrict = (one: Ruling, other: Ruling): boolean =>
  order.indexOf(one.kind) >= order.indexOf(other.kind) &&
  (one.kind === 'forbid' || (other.kind !== 'forbid' && one.approvalsNeeded >= other.approvalsNeeded && isAtLeast(one.roleNeeded, other.roleNeeded) && (one.reviewNeeded || !other.reviewNeeded)));

describe('the stricter of two rulings', () => {
  it('asks for all that either asks for, and for no more', () => {
    fc.assert(
      fc.property(ruling, ruling, ruling, (one, other, both) => {
        const stricter = toStricter(one, other);
        expect([isAtLeastAsStrict(stricter, one), isAtLeastAsStrict(stricter, other)]).toEqual([true, true]);
        expect(isAtLeastAsStrict(both, one) && isAtLeastAsStrict(both, other) && !isAtLeastAsStrict(both, stricter)).toBe(false);
      }),
    );
  });

  it('does not depend on their order, nor on how often they are asked', () => {
    fc.assert(
      fc.property(ruling, ruling, ruling, (one, other, third) => {
        expect(toStricter(one, other)).toEqual(toStricter(other, one));
        expect(toStricter(toStricter(one, other), third)).toEqual(toStricter(one, toStricter(other, third)));
        expect(toStricter(one, one)).toEqual(one);
      }),
    );
  });

  it('is forbidden where either is, and else only observed where either is', () => {
    fc.assert(
      fc.property(ruling, ruling, (one, other) => {
        const kinds = [one.kind, other.kind];
        const { kind } = toStricter(one, other);
        expect(kind).toBe(order.findLast((one) => kinds.includes(one)));
      }),
    );
  });
});

const plan: fc.Arbitrary<Ruled> = fc.record({
  risk: fc.constantFrom(...severities),
  derivedFromText: fc.boolean(),
  steps: fc.array(fc.record({ reach: fc.constantFrom(...reaches), wayBack: fc.constantFrom(oneWay, kept), findings: fc.constantFrom([], ['unseen']) }), { minLength: 1, maxLength: 3 }),
});
const role = fc.constantFrom(...decidingRoles);
const policy = fc
  .record({
    autonomy: fc.constantFrom(...autonomies),
    approvals: fc.record({ LOW: fc.integer({ min: 1, max: 5 }), MEDIUM: fc.integer({ min: 1, max: 5 }), HIGH: fc.integer({ min: 1, max: 5 }), CRITICAL: fc.integer({ min: 2, max: 5 }) }),
    approvers: fc.record({ session: role, row: role, file: role, pod: role, workload: role, namespace: role, host: role, cluster: role }),
  })
  .map(aPolicy);
const tier = fc.constantFrom('HIGH' as const, 'MEDIUM' as const, 'LOW' as const);
const past = fc.record({ sinceFixMs: fc.option(fc.nat({ max: 120_000 })), tries: fc.nat({ max: 12 }), wasTakenBack: fc.boolean() });

describe('whatever the policy says, a plan', () => {
  it('runs by itself only where it is sure, not grave, can be taken back, is of no text from outside, its target was left alone, one responder would do, and all of it was inspected', () => {
    fc.assert(
      fc.property(plan, tier, policy, past, (of, sureness, by, before) => {
        const isSure = by.autonomy === 'confidence' && sureness === 'HIGH' && !of.derivedFromText;
        const isHarmless = ['LOW', 'MEDIUM'].includes(of.risk) && of.steps.every(({ wayBack }) => wayBack.kind === 'snapshot');
        const isRested = (before.sinceFixMs ?? by.cooldownMs) >= by.cooldownMs && before.tries < by.maxTries && !before.wasTakenBack;
        const isPlain = by.approvals[of.risk] === 1 && of.steps.every(({ reach, findings }) => by.approvers[reach] === 'responder' && findings.length === 0);
        expect(judgePlan(of, sureness, by, before).kind === 'auto').toBe(isSure && isHarmless && isRested && isPlain);
      }),
    );
  });

  it('of CRITICAL risk is never for one person', () => {
    fc.assert(
      fc.property(plan, tier, policy, past, (of, sureness, by, before) => {
        const ruled = judgePlan({ ...of, risk: 'CRITICAL' }, sureness, by, before);
        expect(ruled.kind === 'forbid' ? 2 : ruled.approvalsNeeded).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  it('that is less sure or was tried before is ruled no milder', () => {
    fc.assert(
      fc.property(plan, policy, past, (of, by, before) => {
        const [high, medium, low] = (['HIGH', 'MEDIUM', 'LOW'] as const).map((one) => judgePlan(of, one, by, before));
        if (high === undefined || medium === undefined || low === undefined) throw new Error('there is no ruling');
        expect([isAtLeastAsStrict(medium, high), isAtLeastAsStrict(low, medium), isAtLeastAsStrict(high, judgePlan(of, 'HIGH', by, untouched))]).toEqual([true, true, true]);
      }),
    );
  });
});

it('under two policies a plan is ruled as strictly as under either', () => {
  fc.assert(
    fc.property(plan, tier, policy, policy, past, (of, sureness, one, other, before) => {
      const ruled = judgeUnder(of, sureness, [one, other], before);
      expect([one, other].map((by) => isAtLeastAsStrict(ruled, judgePlan(of, sureness, by, before)))).toEqual([true, true]);
    }),
  );
});
