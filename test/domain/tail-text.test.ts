import { describe, expect, it } from '@jest/globals';
import { toUpdate } from '../../domain/incident.js';
import { formatUpdate } from '../../domain/tail-text.js';

describe('an update as text', () => {
  it.each([
    ['↩️', 'SUCCESS', 'rollback'],
    ['↩️', 'IN_PROGRESS', 'rollback'],
    ['⛔', 'REJECTED', 'rollback'],
    ['❌', 'FAILED', 'rollback'],
    ['🆘', 'NEEDS_HUMAN', 'rollback'],
    ['🆘', 'FAILED', 'reconcile'],
    ['🛠️', 'SUCCESS', 'step'],
  ] as const)('begins with %s at %s of kind %s', (icon, status, kind) => {
    expect(formatUpdate(toUpdate({ phase: 'EXECUTION', status, kind, text: 'one\ntwo' }))).toBe(`${icon} EXECUTION [${status}]\n   one\n   two`);
  });
});
