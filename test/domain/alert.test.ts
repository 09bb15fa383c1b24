import { describe, expect, it } from '@jest/globals';
import { matchTargets, toFingerprintText } from '../../domain/alert.js';

describe('an alert', () => {
  const rules = [
    { match: { service: 'shop', env: 'prod' }, targets: ['prod-db'] },
    { match: { service: 'shop' }, targets: ['any-db'] },
  ];

  it.each([
    [{ service: 'shop', env: 'prod', more: 'x' }, ['prod-db']],
    [{ service: 'shop', env: 'test' }, ['any-db']],
    [{ service: 'toString' }, undefined],
    [{}, undefined],
  ])('with labels %j is about %j', (labels, targets) => expect(matchTargets(labels, rules)).toEqual(targets));

  it('has the same fingerprint whatever the order of its labels', () => {
    expect(toFingerprintText({ a: '1', b: '2' })).toBe(toFingerprintText({ b: '2', a: '1' }));
    expect(toFingerprintText({ a: '1' })).not.toBe(toFingerprintText({ a: '2' }));
  });
});
