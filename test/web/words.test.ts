import { describe, expect, it } from '@jest/globals';
import { isAtLeast, peopleRoles, roles } from '../../domain/actor.js';
import { phases, statuses, toUpdate, updateKinds } from '../../domain/incident.js';
import { formatValue } from '../../domain/signal.js';
import { formatUpdate } from '../../domain/tail-text.js';
import * as words from '../../web/src/words.js';

describe('the words of the page, which may import nothing of the domain,', () => {
  it.each(phases.flatMap((phase) => statuses.map((status) => ({ phase, status }))))('have the icon of the tail for $phase [$status]', (state) => {
    const all = [null, { anomalies: 0 }, { anomalies: 2 }].flatMap((details) => updateKinds.map((kind) => ({ details, kind })));
    for (const { details, kind } of all) {
      const update = toUpdate({ ...state, kind, text: '', details });
      expect(formatUpdate(update)).toMatch(new RegExp(`^${words.toIcon(update)} `));
    }
  });

  it('have the phases in their order', () => {
    expect(Object.keys(words.phaseWords)).toEqual([...phases]);
  });

  it.each(roles)('let a %s do what the API lets it', (role) => {
    for (const needed of peopleRoles) expect(words.isAtLeast(role, needed)).toBe(isAtLeast(role, needed));
  });

  it.each([
    [2450.4, 'ms'],
    [0, 'count'],
    [99.54, 'percent'],
    [null, 'ms'],
  ] as const)('write %s %s as the tail does', (value, unit) => {
    expect(words.formatValue(value, unit)).toBe(formatValue(value, unit));
  });
});
