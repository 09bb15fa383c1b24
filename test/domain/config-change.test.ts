import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../domain/canonical.js';
import { toConfigChange } from '../../domain/config-change.js';
import { diffJson, toRestoringPatch, type PatchOperation } from '../../domain/json-diff.js';
import { patchConfig } from '../../validation/config-patch/patch-config.js';
import { readPatch } from '../../validation/config-patch/json-patch.js';

const cases: readonly { what: string; good: Json; now: Json; patch: readonly PatchOperation[] }[] = [
  { what: 'a changed value', good: { a: { b: 2000 } }, now: { a: { b: 5 } }, patch: [{ op: 'test', path: '/a/b', value: 5 }, { op: 'replace', path: '/a/b', value: 2000 }] },
  { what: 'what was taken away', good: { a: [1], b: 1 }, now: { b: 1 }, patch: [{ op: 'add', path: '/a', value: [1] }] },
  { what: 'what was added', good: { b: 1 }, now: { a: { c: 1 }, b: 1 }, patch: [{ op: 'test', path: '/a', value: { c: 1 } }, { op: 'remove', path: '/a' }] },
  { what: 'an element of a list', good: { l: [1, { x: 1 }] }, now: { l: [1, { x: 2 }] }, patch: [{ op: 'test', path: '/l/1/x', value: 2 }, { op: 'replace', path: '/l/1/x', value: 1 }] },
  { what: 'a list of another length', good: { l: [1, 2] }, now: { l: [2] }, patch: [{ op: 'test', path: '/l', value: [2] }, { op: 'replace', path: '/l', value: [1, 2] }] },
  { what: 'another kind of value', good: { a: [] }, now: { a: {} }, patch: [{ op: 'test', path: '/a', value: {} }, { op: 'replace', path: '/a', value: [] }] },
  { what: 'a value that became null', good: { a: 1 }, now: { a: null }, patch: [{ op: 'test', path: '/a', value: null }, { op: 'replace', path: '/a', value: 1 }] },
  { what: 'names with signs in them', good: { 'a/b~c': 1 }, now: { 'a/b~c': 2 }, patch: [{ op: 'test', path: '/a~1b~0c', value: 2 }, { op: 'replace', path: '/a~1b~0c', value: 1 }] },
  { what: 'names that every object has', good: { constructor: 1 }, now: {}, patch: [{ op: 'add', path: '/constructor', value: 1 }] },
];

describe('the difference to the last known good', () => {
  it.each(cases)('puts back $what', ({ good, now, patch }) => {
    expect(toRestoringPatch(diffJson(good, now))).toEqual(patch);
    const reading = readPatch(JSON.stringify(patch));
    const restored = reading.ok && patchConfig(JSON.stringify(now), 'json', reading.operations.map(({ operation }) => operation));
    expect(restored && restored.ok && JSON.parse(restored.text)).toEqual(good);
  });

  it('is none where only the order of names is another', () => expect(toConfigChange({ a: 1, b: [{}] }, { b: [{}], a: 1 })).toBeUndefined());

  it('tells what is there and what was', () => {
    expect(toConfigChange({ a: 1, text: 'x'.repeat(100) }, { b: true, text: 'y' })).toEqual({
      changes: [
        { pointer: '/a', good: '1', now: null, isRestored: true },
        { pointer: '/text', good: `"${'x'.repeat(78)}…`, now: '"y"', isRestored: true },
        { pointer: '/b', good: null, now: 'true', isRestored: true },
      ],
      changeCount: 3,
      patch: expect.stringContaining('"remove"'),
      restoresAll: true,
    });
  });
});

describe('a secret in a configuration', () => {
  it.each([
    ['password', 'x'],
    ['dbPassword', 12_345],
    ['API_KEY', 'x'],
    ['apikey', 'x'],
    ['private-key', 'x'],
    ['credentials', { user: 'u' }],
    ['authToken', 'x'],
    ['url', 'postgres://u:hunter2@db/shop'],
    ['cert', '-----BEGIN PRIVATE KEY-----'],
    ['nested', [{ client_secret: 'x' }]],
  ])('under %s is neither shown nor in the patch', (key, value: Json) => {
    const change = toConfigChange({ timeoutMs: 1, [key]: value }, { timeoutMs: 2, [key]: [value, value] });
    expect(change?.changes[1]).toEqual({ pointer: `/${key}`, good: '•••', now: '•••', isRestored: false });
    expect(change).toMatchObject({ patch: expect.stringContaining('timeoutMs'), restoresAll: false });
    expect(change?.patch).not.toContain(key);
  });

  it('that came is not taken away, since the patch would have to name it', () => {
    expect(toConfigChange({}, { token: 'x' })).toMatchObject({ changes: [{ good: null, now: '•••', isRestored: false }], patch: null, restoresAll: false });
  });

  it.each(['monkey', 'keepAliveMs', 'timeoutMs', 'compass', 'author'])('is not suspected under %s', (key) => {
    expect(toConfigChange({ [key]: 1 }, { [key]: 2 })).toMatchObject({ restoresAll: true });
  });
});

describe('a patch', () => {
  const many = (length: number, value: number): Json => Object.fromEntries(Array.from({ length }, (_, index) => [`n${index}`, value]));
  it.each<[string, Json, Json]>([
    ['a number that JSON rounds', { a: 2 ** 53 + 2 }, { a: 1 }],
    ['more than a plan holds', { a: 'x'.repeat(70_000) }, { a: 'y' }],
    ['more places than a patch may have', many(51, 1), many(51, 2)],
  ])('is left to people for %s', (_what, good, now) => expect(toConfigChange(good, now)).toMatchObject({ patch: null, restoresAll: false }));

  it('has as many places as a patch may', () => expect(toConfigChange(many(50, 1), many(50, 2))).toMatchObject({ changeCount: 50, restoresAll: true }));
});
