import { describe, expect, it } from '@jest/globals';
import { countWaiters } from '../../domain/blocking.js';

describe('waiters of a session', () => {
  it('are those behind it, directly or behind others, each once', () => {
    const counts = countWaiters([
      { pid: 1, blockedBy: [] },
      { pid: 2, blockedBy: [1] },
      { pid: 3, blockedBy: [2, 1] },
      { pid: 4, blockedBy: [3, 3] },
    ]);
    expect(Object.fromEntries(counts)).toEqual({ 1: 3, 2: 2, 3: 1, 4: 0 });
  });

  it('are counted without end in a deadlock', () => {
    expect(Object.fromEntries(countWaiters([{ pid: 1, blockedBy: [2] }, { pid: 2, blockedBy: [1] }]))).toEqual({ 1: 1, 2: 1 });
  });
});
