import { describe, expect, it } from '@jest/globals';
import { findUnwell, findVanished, judgeVerification, toImprovementPercent } from '../../domain/verification.js';
import type { Fact } from '../../domain/signal.js';
import { aMeasurement, aSignal } from '../builders.js';

const tables = (...names: readonly string[]): Fact => ({ kind: 'objects', id: 'shop-db/objects', target: 'shop-db', of: 'tables', names });
const workloads = (...names: readonly string[]): Fact => ({ kind: 'objects', id: 'shop/objects', target: 'shop', of: 'workloads', names });
const before = [aSignal()];
const well = aSignal({ value: 38 });
const stabilizationMs = 20_000;
const everySecond = (fromMs: number, toMs: number, signal = well) =>
  Array.from({ length: (toMs - fromMs) / 1_000 + 1 }, (_, index) => aMeasurement(fromMs + index * 1_000, signal));
const judge = (samples: ReturnType<typeof everySecond>, nowMs = 25_000, watchedSinceMs = 0) =>
  judgeVerification({ before, samples, stabilizationMs, sinceMs: 0, watchedSinceMs, nowMs });

describe('a verification', () => {
  it('holds when every signal was well for the whole window', () => {
    expect(judge(everySecond(1_000, 21_000))).toEqual({ kind: 'well', improvementPercent: 98.4 });
  });

  it('waits while the window is not over', () => {
    expect(judge(everySecond(1_000, 20_000))).toMatchObject({ kind: 'waiting', wellForMs: 19_000, unwell: [] });
  });

  it.each([
    { what: 'a bad moment', gap: [aMeasurement(11_000, aSignal({ value: 500 }))] },
    { what: 'a moment that could not be measured', gap: [aMeasurement(11_000, aSignal({ value: null }))] },
    { what: 'a moment without the signal', gap: [aMeasurement(11_000)] },
    { what: 'a gap that nobody watched', gap: [] },
  ])('begins its window anew after $what', ({ gap }) => {
    const samples = [...everySecond(1_000, 10_000), ...gap, ...everySecond(16_000, 25_000)];
    expect(judge(samples)).toMatchObject({ kind: 'waiting', wellForMs: 9_000 });
  });

  it('counts what was sampled while a gate waited for days, once it is seen to be well still', () => {
    const days = 3 * 86_400_000;
    const early = everySecond(1_000, 21_000);
    expect(judge(early, days, days)).toMatchObject({ kind: 'waiting' });
    expect(judge([...early, aMeasurement(days + 1, well)], days + 2, days)).toMatchObject({ kind: 'well' });
    expect(judge([...early, aMeasurement(days + 1, aSignal({ value: 900 }))], days + 2, days)).toMatchObject({ kind: 'waiting', wellForMs: 0 });
  });

  it('gives a fix that was not watched before its whole time from when it is watched', () => {
    const days = 3 * 86_400_000;
    expect(judge([aMeasurement(days + 1, well)], days + 2, days)).toMatchObject({ kind: 'waiting' });
  });

  it('fails when three windows passed without one that held, and names what is not well', () => {
    expect(judge(everySecond(1_000, 60_000, aSignal({ value: 900 })), 61_000)).toEqual({ kind: 'failed', unwell: ['longest lock wait'] });
  });

  it('is not fooled by a signal that vanished', () => {
    expect(judge([aMeasurement(1_000), aMeasurement(60_000)], 61_000)).toEqual({ kind: 'failed', unwell: ['longest lock wait (vanished)'] });
  });

  it.each([
    { what: 'a bound that was loosened', sample: aSignal({ value: 900, threshold: 1_000 }), unwell: 'longest lock wait' },
    { what: 'a bound that was turned round', sample: aSignal({ value: 900, better: 'higher' }), unwell: 'longest lock wait' },
    { what: 'a number in another unit', sample: aSignal({ value: 1, unit: 'count' }), unwell: 'longest lock wait (vanished)' },
    { what: 'a number that is not there any more', sample: aSignal({ value: null }), unwell: 'longest lock wait (vanished)' },
  ])('is not fooled by $what', ({ sample, unwell }) => {
    expect(judge([aMeasurement(1_000, sample), aMeasurement(60_000, sample)], 61_000)).toEqual({ kind: 'failed', unwell: [unwell] });
  });

  it('is not fooled by a table that vanished with the trouble', () => {
    const samples = everySecond(1_000, 61_000).map((sample) => ({ ...sample, facts: findVanished([tables('shop.orders')], [tables()]) }));
    expect(judge(samples, 61_500)).toEqual({ kind: 'failed', unwell: ['table shop.orders (vanished)'] });
  });

  it('does not count what was measured before', () => {
    expect(judgeVerification({ before, samples: everySecond(1_000, 25_000), stabilizationMs, sinceMs: 26_000, watchedSinceMs: 26_000, nowMs: 27_000 }).kind).toBe('waiting');
  });
});

describe('what vanished', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `shop.t${`${index}`.padStart(5, '0')}`);
  it.each<{ what: string; was: Fact[]; is: Fact[]; unwell: readonly string[] }>([
    { what: 'a table', was: [tables('a', 'b')], is: [tables('b', 'c')], unwell: ['table a (vanished)'] },
    { what: 'every table of a database that cannot be asked', was: [tables('a')], is: [], unwell: ['tables of shop-db (not measured)'] },
    { what: 'a workload and what a service had behind it', was: [workloads('deployment/web', 'endpoints of service/web')], is: [workloads()], unwell: ['deployment/web (vanished)', 'endpoints of service/web (vanished)'] },
    { what: 'every workload of a namespace that cannot be asked', was: [workloads('deployment/web')], is: [tables('b')], unwell: ['workloads and services of shop (not measured)'] },
    { what: 'no table where none was', was: [tables()], is: [], unwell: [] },
    { what: 'no table that a list was too short for', was: [tables(...names)], is: [tables('shop.a', ...names.slice(0, -1))], unwell: [] },
    { what: 'a table within a list that is full', was: [tables(...names)], is: [tables('shop.a', ...names.slice(1))], unwell: ['table shop.t00000 (vanished)'] },
  ])('is $what', ({ was, is, unwell }) => expect(findUnwell([], [], findVanished(was, is))).toEqual(unwell));

  it('is counted where it is too much to be named', () => {
    const unwell = findUnwell([], [], findVanished([tables(...names)], [tables('other')]));
    expect([unwell.length, unwell.at(-1)]).toEqual([21, '9980 more tables of shop-db (vanished)']);
  });
});

describe('the improvement', () => {
  it.each([
    { was: aSignal(), is: well, percent: 98.4 },
    { was: aSignal(), is: aSignal({ value: 4_900 }), percent: -100 },
    { was: aSignal({ unit: 'percent', better: 'higher', value: 50 }), is: aSignal({ unit: 'percent', better: 'higher', value: 100 }), percent: 100 },
    { was: aSignal({ value: null }), is: well, percent: null },
    { was: aSignal(), is: aSignal({ name: 'other' }), percent: null },
    { was: aSignal(), is: aSignal({ value: null }), percent: null },
    { was: aSignal(), is: aSignal({ value: 1, unit: 'count' }), percent: null },
  ])('from $was.value to $is.value is $percent %', ({ was, is, percent }) => expect(toImprovementPercent([was], [is])).toBe(percent));
});
