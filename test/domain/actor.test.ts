import { describe, expect, it } from '@jest/globals';
import { isAtLeast, isPersonName, isSamePerson, toHighestRole } from '../../domain/actor.js';

describe('a person', () => {
  it.each(['ana', 'Ana Ünal', 'ana@example.org', '山田 太郎', 'System Administrator', 'sluice-bot'])('may be called %j', (name) => {
    expect(isPersonName(name)).toBe(true);
  });

  it.each(['', ' ', ' ana', 'ana\u00a0', 'SYSTEM', 'sYstem', 'ſystem', 'ＳＹＳＴＥＭ', 'a\nb', 'a\0b', 'a\u200bb', 'a\u202eb', 'a\u2028b', 'e\u0301', '\ud800', 'sluice', 'Sluıce', 'SLUICE.yaml', 'ana\u3164', 'a\ufe0fna', 'a\u034fna', '\u2800', 'ana \u2800x', 'ana  ünal', 'ana\u1680ünal'])('may not be called %j', (name) => {
    expect(isPersonName(name)).toBe(false);
  });

  it.each([
    ['ana', 'ANA'],
    ['ＡＮＡ', 'ana'],
    ['ſam', 'Sam'],
    ['sıla', 'SILA'],
    ['straße', 'STRASSE'],
    ['é', 'E\u0301'],
  ])('is the same as %j and as %j', (one, other) => {
    expect([isSamePerson(one, other), isSamePerson(other, one)]).toEqual([true, true]);
  });

  it('is not the same as somebody else', () => {
    expect(isSamePerson('ana', 'anna')).toBe(false);
  });
});

describe('a role', () => {
  it('is the highest of those that somebody has, an agent being below everybody', () => {
    expect(toHighestRole(['viewer', 'admin', 'agent', 'supervisor'])).toBe('admin');
    expect(toHighestRole(['agent', 'viewer'])).toBe('viewer');
    expect(toHighestRole([])).toBeUndefined();
    expect(isAtLeast('agent', 'viewer')).toBe(false);
  });
});
