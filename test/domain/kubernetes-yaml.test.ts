import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import * as fc from 'fast-check';
import { canonicalize, type Json } from '../../domain/canonical.js';
import { toYaml } from '../../domain/kubernetes-yaml.js';

describe('an object as YAML', () => {
  it('has its keys in order and one value a line', () => {
    expect(toYaml({ spec: { replicas: 2, list: [], names: ['a', 'b'] }, kind: 'Deployment', containers: [{ name: 'web', args: ['-c', 'true'] }], data: { text: 'one\n  two\n' } })).toBe(
      'containers:\n  - args:\n      - "-c"\n      - "true"\n    name: web\ndata:\n  text: |\n    one\n      two\nkind: Deployment\nspec:\n  list: []\n  names:\n    - a\n    - b\n  replicas: 2\n',
    );
  });

  it('is read again as the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        expect(canonicalize(parse(toYaml(json)) as Json)).toBe(canonicalize(json));
      }),
    );
  });

  it.each(['one\ntwo', 'one\ntwo\n', 'one\ntwo\n\n', ' one\ntwo', 'one \ntwo', 'one\n\ttwo', '\n', 'a: b\n# c\n- d', 'one\r\ntwo', 'true', '1e3', '0x1f', '12:30', '2026-01-01', '~', '- a', '<<', '=', '.5', '.inf', 'a #b', 'a: b', '@a', '/a'])('keeps the text %j', (text) => {
    expect(parse(toYaml({ text, list: [text] }))).toEqual({ text, list: [text] });
  });
});
