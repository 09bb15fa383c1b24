import { describe, expect, it } from '@jest/globals';
import { toCurrentDetails } from '../../domain/current-details.js';
import { toUpdate } from '../../domain/incident.js';

describe('current details', () => {
  it('stay within 4 KiB and 72 columns, and carry no markup from outside', () => {
    const hostile = `<img src=x onerror=alert(1)> [click](http://evil) ${'wörter '.repeat(2_000)}${'x'.repeat(500)}`;
    const text = toCurrentDetails({ nextAction: hostile, phase: 'DETECTION, IN_PROGRESS', plan: hostile, lastUpdates: Array.from({ length: 5 }, () => toUpdate({ phase: 'DETECTION', text: hostile })) });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
    expect(Math.max(...text.split('\n').map((line) => Array.from(line).length))).toBeLessThanOrEqual(72);
    expect(text).not.toMatch(/[<>]|\]\(/);
  });
});
