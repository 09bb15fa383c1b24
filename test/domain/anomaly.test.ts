import { describe, expect, it } from '@jest/globals';
import { findAnomalies } from '../../domain/anomaly.js';
import { aSignal } from '../builders.js';

describe('anomalies', () => {
  it.each([
    { what: 'a value far over its threshold', signal: aSignal({ value: 2_450 }), score: 8.5, severity: 'CRITICAL' },
    { what: 'a value at its threshold', signal: aSignal({ value: 100 }), score: 4, severity: 'MEDIUM' },
    { what: 'a value a thousand times over', signal: aSignal({ value: 1e9 }), score: 10, severity: 'CRITICAL' },
    { what: 'availability gone', signal: aSignal({ unit: 'percent', better: 'higher', threshold: 99, value: 0 }), score: 10, severity: 'CRITICAL' },
    { what: 'availability gone where all of it is asked for', signal: aSignal({ unit: 'percent', better: 'higher', threshold: 100, value: 0 }), score: 10, severity: 'CRITICAL' },
    { what: 'availability just under', signal: aSignal({ unit: 'percent', better: 'higher', threshold: 99, value: 98.9 }), score: 4.1, severity: 'MEDIUM' },
    { what: 'what could not be measured', signal: aSignal({ value: null }), score: 7, severity: 'HIGH' },
  ])('score $what $score ($severity)', ({ signal, score, severity }) => {
    expect(findAnomalies([signal])).toEqual([{ signal, score, severity }]);
  });

  it('leave out what is well, and come worst first', () => {
    const bad = aSignal({ name: 'bad', value: 200 });
    const worse = aSignal({ name: 'worse', value: 900 });
    const found = findAnomalies([aSignal({ value: 99 }), bad, worse, aSignal({ unit: 'percent', better: 'higher', threshold: 99, value: 99 })]);
    expect(found.map(({ signal }) => signal.name)).toEqual(['worse', 'bad']);
  });
});
