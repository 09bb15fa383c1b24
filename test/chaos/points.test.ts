import { describe, expect, it } from '@jest/globals';
import { listCells, nameOf, sampleCells } from './cells.js';
import { moments, pointNames, points, stepTypes, victims, whyNone } from './points.js';
import { toTable } from './results.js';
import type { Trigger } from './postgres-tap.js';

const triggerAt = (point: keyof typeof points, moment: 'before' | 'after'): Trigger => {
  const spot = points[point].spots('data', 1)?.[moment];
  if (spot === undefined || spot.on === 'change') throw new Error('there is no trigger');
  return spot.trigger;
};

describe('the matrix', () => {
  it('has the points at which the work may be cut off, in order', () => {
    expect(pointNames).toEqual([
      'alertCommit', 'workflowStart', 'gateRowSettled', 'signalSent', 'claim', 'snapshot', 'launch', 'midRun', 'exitWritten', 'resultReported', 'verification', 'rollbackStart', 'rollbackEnd',
    ]);
  });

  it('with a seed for each step type kills every process before and after every point with every one that comes by', () => {
    const names = new Set(listCells(stepTypes.length).map((cell) => nameOf(cell).replace(/\/\d+$/, '')));
    for (const point of pointNames) {
      for (const moment of moments) {
        for (const victim of victims) {
          for (const stepType of stepTypes) {
            const exists = whyNone(point, moment, victim, stepType) === null;
            expect([`${point}/${moment}/${victim}/${stepType}`, names.has(`${point}/${moment}/${victim}/${stepType}`)]).toEqual([`${point}/${moment}/${victim}/${stepType}`, exists]);
          }
        }
      }
    }
  });

  it('leaves out only a runner, and of session control only what it does not have', () => {
    const none = toTable([]).filter((entry) => entry.none !== null && entry.victim !== 'runner');
    expect([...new Set(none.map(({ point, stepType }) => `${stepType} ${point}`))]).toEqual(['session snapshot', 'session rollbackStart', 'session rollbackEnd']);
  });

  it('is the same for the same seed, and a sample of it comes by every point', () => {
    expect(sampleCells(20, 7)).toEqual(sampleCells(20, 7));
    expect(sampleCells(20, 7)).not.toEqual(sampleCells(20, 8));
    expect(new Set(sampleCells(pointNames.length, 3).map(({ point }) => point)).size).toBe(pointNames.length);
  });

  it('goes on with the others where a step type cannot run, by every point even then', () => {
    const has = ['session', 'data', 'config'] as const;
    expect(new Set(listCells(has.length, has).map(({ stepType }) => stepType))).toEqual(new Set(has));
    expect(new Set(sampleCells(pointNames.length, 1, has).map(({ point }) => point)).size).toBe(pointNames.length);
  });

  it('in the sample that every change takes has every step type', () => {
    expect(new Set(sampleCells(pointNames.length, 1).map(({ stepType }) => stepType))).toEqual(new Set(stepTypes));
  });

  it('holds a message before, and an answer after, each point that is a write', () => {
    const writes = pointNames.filter((point) => point !== 'workflowStart' && point !== 'signalSent');
    expect(writes.filter((point) => triggerAt(point, 'before').hold !== 'request' || triggerAt(point, 'after').hold !== 'answer')).toEqual([]);
  });
});
