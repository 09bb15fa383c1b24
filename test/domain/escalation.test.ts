import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toCall } from '../../domain/escalation.js';
import { aPolicy } from '../builders.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const policy = aPolicy({ gateRemindMs: HOUR_MS, escalateMs: 4 * HOUR_MS, groups: ['responders', 'supervisors', 'managers'] });
const calls = (count: number, over = policy) => Array.from({ length: count }, (_, index) => toCall(index, over));

describe('while nobody answers', () => {
  it('the first group is reminded, then one after the other is called at twice the time, and the last again and again', () => {
    expect(calls(6)).toEqual([
      { afterMs: HOUR_MS, group: 'responders' },
      { afterMs: 4 * HOUR_MS, group: 'supervisors' },
      { afterMs: 8 * HOUR_MS, group: 'managers' },
      { afterMs: 16 * HOUR_MS, group: 'managers' },
      { afterMs: 32 * HOUR_MS, group: 'managers' },
      { afterMs: 64 * HOUR_MS, group: 'managers' },
    ]);
  });

  it('400 days are a dozen or so calls, so that history stays short', () => {
    expect(calls(100).filter(({ afterMs }) => afterMs <= 400 * DAY_MS)).toHaveLength(13);
  });

  it('one group alone is called again and again', () => {
    expect(calls(3, { ...policy, groups: ['everyone'] }).map(({ group }) => group)).toEqual(['everyone', 'everyone', 'everyone']);
  });

  it('each call comes after the one before, whatever the policy says', () => {
    const duration = fc.integer({ min: 1, max: 3_650 * DAY_MS });
    fc.assert(
      fc.property(duration, duration, fc.integer({ min: 0, max: 40 }), (gateRemindMs, escalateMs, index) => {
        const of = aPolicy({ gateRemindMs, escalateMs });
        expect(toCall(index + 1, of).afterMs).toBeGreaterThanOrEqual(toCall(index, of).afterMs * 2);
      }),
    );
  });
});
