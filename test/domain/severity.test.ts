import { describe, expect, it } from '@jest/globals';
import { readSeverity, toSeverity } from '../../domain/severity.js';

describe('a severity', () => {
  it.each([
    [10, 'CRITICAL'],
    [8, 'CRITICAL'],
    [7.9, 'HIGH'],
    [6, 'HIGH'],
    [5.9, 'MEDIUM'],
    [4, 'MEDIUM'],
    [3.9, 'LOW'],
    [0, 'LOW'],
  ])('of score %d is %s', (score, severity) => expect(toSeverity(score)).toBe(severity));

  it.each([
    ['SEV-0', 'CRITICAL'],
    ['sev1', 'HIGH'],
    ['SEV-2', 'MEDIUM'],
    ['SEV-3', 'LOW'],
    ['high', 'HIGH'],
    [' Warning ', 'MEDIUM'],
    ['page', 'CRITICAL'],
    ['purple', undefined],
    ['', undefined],
  ])('written %p is read as %s', (text, severity) => expect(readSeverity(text)).toBe(severity));
});
