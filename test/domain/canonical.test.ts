import { describe, expect, it } from '@jest/globals';
import { canonicalize } from '../../domain/canonical.js';
import { toDigestible } from '../../domain/plan.js';
import { aPlan } from '../builders.js';

describe('the canonical text (RFC 8785)', () => {
  it('is the example of section 3.2.2', () => {
    const value: Parameters<typeof canonicalize>[0] = {
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\\u0022\u002f',
      literals: [null, true, false],
    };
    expect(canonicalize(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys by UTF-16 code units, as in section 3.2.3', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const text = canonicalize(Object.fromEntries(keys.map((key) => [key, 1])));
    expect(Object.keys(JSON.parse(text) as object).filter((key) => key !== '1')).toEqual(['\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '\ud800'])('refuses %p, which JSON cannot hold', (value) => expect(() => canonicalize([value])).toThrow(/JSON/));

  it('of a plan differs when any field differs', () => {
    const texts = [
      aPlan(),
      aPlan({ version: 2 }),
      aPlan({ policyVersion: 2 }),
      aPlan({ incidentId: 'other' }),
      aPlan({ authors: ['ana'] }),
      aPlan({ derivedFromText: true }),
      aPlan({ measuredAt: '2026-11-22T08:16:00.000Z' }),
      aPlan({ ruling: { kind: 'auto', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false } }),
      aPlan({ steps: aPlan().steps.map((step) => ({ ...step, script: `${step.script} ` })) }),
      aPlan({ steps: aPlan().steps.map((step) => ({ ...step, parameters: ['4712', '2026-11-22T08:12:03.123456Z'] })) }),
      aPlan({ steps: aPlan().steps.map((step) => ({ ...step, target: 'other-db' })) }),
    ].map((plan) => canonicalize(toDigestible(plan)));
    expect(new Set(texts).size).toBe(texts.length);
  });
});
