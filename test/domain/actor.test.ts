import { describe, expect, it } from '@jest/globals';
import { isAtLeast, isPersonName, toHighestRole } from '../../domain/actor.js';

describe('a person', () => {
  it.each(['ana', 'Ana Ünal', 'ana@example.org', '山田 太郎', 'System Administrator'])('may be called %j', (name) => {
    expect(isPersonName(name)).toBe(true);
  });

  it.each(['', ' ', ' ana', 'ana\u00a0', 'SYSTEM', 'sYstem', 'ſystem', 'ＳＹＳＴＥＭ', 'a\nb', 'a\0b', 'a\u200bb', 'a\u202eb', 'a\u2028b', 'e\u0301', '\ud800'])('may not be called %j', (name) => {
    expect(isPersonName(name)).toBe(false);
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
