import { describe, expect, it } from '@jest/globals';
import { areAllWell, findLastKnownGood, judgeGood, toMaxGapMs, type KnownContent } from '../../domain/last-known-good.js';
import { aSignal } from '../builders.js';

const at = (second: number): Date => new Date(1_000 * second);
const content = (hash: string, over: Partial<Record<'wellSince' | 'goodAt', number | null>> & { wellAt: number }): KnownContent => ({
  hash,
  wellSince: over.wellSince == null ? null : at(over.wellSince),
  wellAt: at(over.wellAt),
  goodAt: over.goodAt == null ? null : at(over.goodAt),
});
const judge = (known: readonly KnownContent[], over: Partial<Parameters<typeof judgeGood>[0]> = {}) =>
  judgeGood({ known, hash: 'a', allWell: true, now: at(100), stabilizationMs: 20_000, maxGapMs: toMaxGapMs(1_000), ...over });

describe('a configuration', () => {
  it.each<{ what: string; known: readonly KnownContent[]; wellSince: number; goodAt: number | null }>([
    { what: 'begins its window when it is first seen to be well', known: [], wellSince: 100, goodAt: null },
    { what: 'is not good while its window is not over', known: [content('a', { wellSince: 81, wellAt: 99 })], wellSince: 81, goodAt: null },
    { what: 'is good when its window is over', known: [content('a', { wellSince: 80, wellAt: 99 })], wellSince: 80, goodAt: 100 },
    { what: 'stays good since it became so', known: [content('a', { wellSince: 20, wellAt: 99, goodAt: 40 })], wellSince: 20, goodAt: 40 },
    { what: 'begins anew after it was not well', known: [content('a', { wellSince: null, wellAt: 70 })], wellSince: 100, goodAt: null },
    { what: 'begins anew after a time in which nobody looked', known: [content('a', { wellSince: 20, wellAt: 94 })], wellSince: 100, goodAt: null },
    { what: 'begins anew when another was in its place', known: [content('b', { wellSince: 20, wellAt: 99, goodAt: 40 })], wellSince: 100, goodAt: null },
    {
      what: 'that was good before another is not the last known good at once',
      known: [content('a', { wellSince: 90, wellAt: 99, goodAt: 30 }), content('b', { wellAt: 89, goodAt: 60 })],
      wellSince: 90,
      goodAt: 30,
    },
    {
      what: 'that was good before another is so again when its window is over',
      known: [content('a', { wellSince: 80, wellAt: 99, goodAt: 30 }), content('b', { wellAt: 79, goodAt: 60 })],
      wellSince: 80,
      goodAt: 100,
    },
  ])('$what', ({ known, wellSince, goodAt }) => {
    expect(judge(known)).toEqual({ kind: 'well', wellSince: at(wellSince), goodAt: goodAt === null ? null : at(goodAt) });
  });

  it.each([
    { what: 'not all is well', over: { allWell: false } },
    { what: 'it cannot be read', over: { hash: null } },
  ])('is never good while $what', ({ over }) => expect(judge([content('a', { wellSince: 20, wellAt: 99 })], over)).toEqual({ kind: 'notWell' }));

  it('is the last known good when it became so last', () => {
    const known = [content('a', { wellAt: 99, goodAt: 30 }), content('b', { wellAt: 70, goodAt: 60 }), content('c', { wellSince: 98, wellAt: 99 })];
    expect(findLastKnownGood(known)?.hash).toBe('b');
  });
});

describe('what a configuration serves', () => {
  const well = aSignal({ value: 1 });
  it.each([
    { what: 'well when all of it is', signals: [well, { ...well, name: 'other' }], expected: true },
    { what: 'not well when something is not', signals: [well, aSignal({ name: 'other' })], expected: false },
    { what: 'not well when nothing of it was measured', signals: [{ ...well, target: 'other' }], expected: false },
    { what: 'not well for other incidents that are not open', signals: [{ ...well, name: 'activeIncidents' }], expected: false },
  ])('is $what', ({ signals, expected }) => expect(areAllWell(['shop-db'], signals)).toBe(expected));
});
