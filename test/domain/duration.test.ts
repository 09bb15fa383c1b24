import { describe, expect, it } from '@jest/globals';
import { formatDuration, readDurationMs } from '../../domain/duration.js';

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['20s', 20_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['1.5h', undefined],
    ['-1s', undefined],
    ['20', undefined],
    ['s', undefined],
  ])('written %s is %p ms', (text, ms) => expect(readDurationMs(text)).toBe(ms));

  it.each([
    [400, '0.4s'],
    [10_000, '10s'],
    [59_600, '1m'],
    [192_000, '3m12s'],
    [7_500_000, '2h5m'],
    [273_600_000, '3d4h'],
    [0, '0s'],
  ])('of %d ms is shown as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});
