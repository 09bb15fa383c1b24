import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { applyOperation } from '../../validation/config-patch/apply-operation.js';
import { type Operation, readPatch } from '../../validation/config-patch/json-patch.js';
import { type Reading, toPlain } from '../../validation/config-patch/json-tree.js';
import { type ConfigFormat, patchConfig, readConfig, toConfigFormat } from '../../validation/config-patch/patch-config.js';
import { patchCases } from './json-patch-cases.js';

/** The operations of a patch, as if each value had been tested. */
function toOperations(patch: unknown): readonly Operation[] {
  const read = readPatch(JSON.stringify(patch));
  if (!read.ok) throw new Error(read.finding.reason);
  return read.operations.map(({ operation }) => (operation.op === 'test' ? operation : { ...operation, isTested: true }));
}
const apply = (text: string, format: ConfigFormat, patch: unknown) => patchConfig(text, format, toOperations(patch));

const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
/** Every place in a value. */
const listPointers = (value: unknown, at = ''): readonly string[] => [
  at,
  ...(typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([name, member]) => listPointers(member, `${at}/${escape(name)}`)) : []),
];

type Read = (text: string) => unknown;
const texts: readonly (readonly [string, ConfigFormat, (value: unknown) => string, Read])[] = [
  ['JSON in one line', 'json', (value) => JSON.stringify(value), JSON.parse],
  ['JSON in lines', 'json', (value) => `${JSON.stringify(value, null, 4)}\n`, JSON.parse],
  ['JSON with comments', 'jsonc', (value) => `// head\n${JSON.stringify(value, null, 2)} // end\n`, (text) => JSON.parse(/^\/\/ head\n([\s\S]*) \/\/ end\n$/.exec(text)?.[1] ?? '')],
  ['YAML in blocks', 'yaml', (value) => stringify(value), parse],
  ['YAML in blocks, wide, for Windows', 'yaml', (value) => stringify(value, { indent: 4, lineWidth: 0, defaultStringType: 'QUOTE_SINGLE' }).replaceAll('\n', '\r\n'), parse],
  ['YAML in one line', 'yaml', (value) => JSON.stringify(value), parse],
];

describe.each(texts)('a patch of %s', (_name, format, write, read) => {
  it.each(patchCases)('$what', ({ what: _what, before, patch, ...rest }) => {
    const patched = apply(write(before), format, patch);
    const outcome = patched.ok ? { after: read(patched.text) } : {};
    // Equal as JSON is, so that a member called __proto__ counts, too.
    expect([outcome, isDeepStrictEqual(outcome, rest)]).toEqual([rest, true]);
  });

  it('says of any text and any patch what RFC 6902 says', () => {
    const name = fc.constantFrom('a', 'b', 'no', '1', 'x y', '#', '', '__proto__', '<<', '- ', '~/');
    const scalar = fc.oneof(fc.constantFrom<unknown>(null, true, 1, -0.5, 'on', '12:30', ' x', 'a: b', 'l1\nl2\n', "it's", '"', '#c', '', '0x1f', 'null', '[', '\t'), fc.string(), fc.integer());
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, scalar, fc.array(tie('value'), { maxLength: 4 }), fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members))),
    }));
    const operation = fc.record({ op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy'), at: fc.nat(), below: fc.option(fc.oneof(name, fc.constantFrom('0', '1', '-'))), from: fc.nat(), value });
    const root = fc.oneof(fc.array(value, { minLength: 1, maxLength: 5 }), fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 5 }).map((members) => Object.fromEntries(members)));
    fc.assert(
      fc.property(root, fc.array(operation, { minLength: 1, maxLength: 4 }), (before, drawn) => {
        const text = write(before);
        let reading = readConfig(text, format);
        const pointers = listPointers(before);
        const patch: unknown[] = [];
        for (const { op, at, below, from, value } of drawn) {
          const path = `${pointers[at % pointers.length]}${below === null || op === 'remove' || op === 'replace' ? '' : `/${escape(below)}`}`;
          const one = { op, path, from: pointers[from % pointers.length], value };
          const next = reading.ok ? toOperations([one]).reduce<Reading>((made, next) => (made.ok ? applyOperation(made.tree, next) : made), reading) : reading;
          // Only what can be done, so that much is.
          if (next.ok) {
            patch.push(one);
            reading = next;
          }
        }
        fc.pre(reading.ok && patch.length > 0);
        const patched = apply(text, format, patch);
        expect(isDeepStrictEqual(patched.ok ? read(patched.text) : patched, reading.ok && toPlain(reading.tree))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a patched text', () => {
  const yaml = `# The shop.
server:
    port: 8080      # public
    hosts:
    - a.example   # first
    -   b.example
    tls: { cert:   '/etc/cert',  key: "/etc/key" }

    # How long
    timeouts:
        read: 30
        text: |
            two
            lines
limits: [1,  2,3] # odd
base: &base { x: 1 }
used: *base
`;
  const json = `{
    // The shop.
    "server": {
        "port":   8080, // public
        "hosts": ["a.example",  "b.example"] /* both */
    },
    "limits": [
        1,
        2 // last
    ]
}
`;
  it.each<readonly [what: string, format: ConfigFormat, text: string, patch: unknown, change: readonly (readonly [from: string, to: string])[]]>([
    ['a number over a number', 'yaml', yaml, [{ op: 'replace', path: '/server/port', value: 80 }], [['8080  ', '80  ']]],
    ['text between the quotes that were there', 'yaml', yaml, [{ op: 'replace', path: '/server/tls/cert', value: "it's" }, { op: 'replace', path: '/server/tls/key', value: 'no' }], [["'/etc/cert'", "'it''s'"], ['"/etc/key"', '"no"']]],
    ['text that older readers take for something else', 'yaml', yaml, [{ op: 'replace', path: '/server/timeouts/read', value: 'off' }, { op: 'add', path: '/server/timeouts/write', value: '12:30' }], [['read: 30', 'read: "off"'], ['            lines\n', '            lines\n        write: "12:30"\n']]],
    ['an element at the end', 'yaml', yaml, [{ op: 'add', path: '/server/hosts/-', value: 'c.example' }], [['    -   b.example\n', '    -   b.example\n    - c.example\n']]],
    ['an element at the beginning', 'yaml', yaml, [{ op: 'add', path: '/server/hosts/0', value: { name: 'c', port: 1 } }], [['    - a.example', '    - name: c\n      port: 1\n    - a.example']]],
    ['an element less', 'yaml', yaml, [{ op: 'remove', path: '/server/hosts/0' }], [['    - a.example   # first\n', '']]],
    ['a member less', 'yaml', yaml, [{ op: 'remove', path: '/server/timeouts/text' }], [['        text: |\n            two\n            lines\n', '']]],
    ['members of lists and maps in one line', 'yaml', yaml, [{ op: 'add', path: '/limits/1', value: 9 }, { op: 'add', path: '/server/tls/on', value: true }], [['[1,  2,3]', '[1,  9, 2,3]'], ['"/etc/key" }', '"/etc/key", "on": true }']]],
    ['nested values', 'yaml', yaml, [{ op: 'add', path: '/server/pool', value: { size: [1, 2], name: 'null' } }], [['            lines\n', '            lines\n    pool:\n        size:\n            - 1\n            - 2\n        name: "null"\n']]],
    ['a value over an alias', 'yaml', yaml, [{ op: 'replace', path: '/used', value: 1 }], [['*base', '1']]],
    ['lines that end as on Windows', 'yaml', 'a: 1\r\nb: 2\r\n', [{ op: 'add', path: '/c', value: 'x' }], [['b: 2\r\n', 'b: 2\r\nc: x\r\n']]],
    ['no end of the last line', 'yaml', 'a: 1', [{ op: 'add', path: '/c', value: 'x' }], [['a: 1', 'a: 1\nc: x']]],
    ['a byte order mark', 'yaml', '\ufeffa: 1\n', [{ op: 'replace', path: '/a', value: 2 }], [['1', '2']]],
    ['a number over a number', 'jsonc', json, [{ op: 'replace', path: '/server/port', value: 80 }], [['8080', '80']]],
    ['a member', 'jsonc', json, [{ op: 'add', path: '/server/tls', value: { on: true } }], [['] /* both */\n', '], /* both */\n        "tls": {\n            "on": true\n        }\n']]],
    ['an element behind a comment', 'jsonc', json, [{ op: 'add', path: '/limits/-', value: 3 }], [['2 // last\n', '2, // last\n        3\n']]],
    ['an element less at the end', 'jsonc', json, [{ op: 'remove', path: '/limits/1' }], [['        1,\n        2 // last\n', '        1\n']]],
    ['elements in one line', 'jsonc', json, [{ op: 'remove', path: '/server/hosts/0' }, { op: 'add', path: '/server/hosts/-', value: 'c' }], [['["a.example",  "b.example"]', '["b.example",  "c"]']]],
    ['two elements less at the end', 'json', '{ "a": [1, 2, 3, 4] }', [{ op: 'remove', path: '/a/2' }, { op: 'remove', path: '/a/2' }], [[', 3, 4', '']]],
    ['two elements less at the end', 'yaml', 'a: [1, 2, 3, 4] # all\n', [{ op: 'remove', path: '/a/2' }, { op: 'remove', path: '/a/2' }], [[', 3, 4', '']]],
    ['a comma at the end', 'jsonc', '[\n  1,\n]\n', [{ op: 'add', path: '/-', value: 2 }], [['1,\n', '1,\n  2,\n']]],
    ['tabs', 'json', '{\n\t"a": {}\n}', [{ op: 'add', path: '/a/b', value: [1] }], [['{}', '{\n\t\t"b": [\n\t\t\t1\n\t\t]\n\t}']]],
  ])('differs only by %s (%s)', (_what, format, text, patch, change) => {
    const expected = change.reduce((changed, [from, to]) => {
      expect(changed).toContain(from);
      return changed.replace(from, () => to);
    }, text);
    expect(apply(text, format, patch)).toEqual({ ok: true, text: expected });
  });

  it('keeps the comments also where a block is written anew', () => {
    const patched = apply(yaml, 'yaml', [{ op: 'replace', path: '/server/port', value: { public: 80 } }, { op: 'replace', path: '/server/timeouts', value: 5 }]);
    const text = patched.ok ? patched.text : '';
    expect(parse(text)).toMatchObject({ server: { port: { public: 80 }, timeouts: 5, hosts: ['a.example', 'b.example'] } });
    for (const comment of ['# The shop.', '# public', '# first', '# How long', '# odd']) expect(text).toContain(comment);
  });
});

describe('a text that cannot be patched', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  it.each<readonly [what: string, format: ConfigFormat, text: string, patch: unknown, because: string]>([
    ['two documents', 'yaml', 'a: 1\n---\na: 2\n', [{ op: 'add', path: '/b', value: 1 }], 'not one YAML document'],
    ['a key that is there twice', 'yaml', 'a: 1\na: 2\n', [{ op: 'add', path: '/b', value: 1 }], '"a" is there twice'],
    ['a member that is there twice', 'json', '{"a": 1, "a": 2}', [{ op: 'add', path: '/b', value: 1 }], '"a" is there twice'],
    ['a number and a text that are the same key', 'yaml', '1: a\n"1": b\n', [{ op: 'add', path: '/b', value: 1 }], '"1" is there twice'],
    ['a key that is a list', 'yaml', '? [a, b]\n: 1\n', [{ op: 'add', path: '/b', value: 1 }], 'not plain text'],
    ['comments in JSON', 'json', '{} // x', [{ op: 'add', path: '/b', value: 1 }], 'not JSON'],
    ['a comma too many in JSON', 'json', '{"a": 1,}', [{ op: 'add', path: '/b', value: 1 }], 'not JSON'],
    ['nothing in JSON', 'json', '', [{ op: 'add', path: '', value: 1 }], 'JSON'],
    ['depth', 'json', nested(300), [{ op: 'add', path: '/-', value: 1 }], 'deep'],
    ['depth that exhausts the stack', 'json', nested(500_000), [{ op: 'add', path: '/-', value: 1 }], 'deep'],
    ['depth in YAML', 'yaml', nested(300), [{ op: 'add', path: '/-', value: 1 }], 'deep'],
    ['a list that is in itself', 'yaml', '&a [*a]\n', [{ op: 'add', path: '/-', value: 1 }], 'without an anchor before it'],
    ['aliases that grow without bound', 'yaml', Array.from({ length: 30 }, (_, index) => (index === 0 ? 'k0: &k0 [x]\n' : `k${index}: &k${index} [*k${index - 1}, *k${index - 1}]\n`)).join(''), [{ op: 'add', path: '/b', value: 1 }], 'stand for too much'],
    ['size', 'yaml', `a: ${'x'.repeat(262_144)}\n`, [{ op: 'add', path: '/b', value: 1 }], '262144'],
    ['size in bytes', 'json', JSON.stringify('\u00e9'.repeat(600_000)), [{ op: 'add', path: '', value: 1 }], '1048576'],
    ['copies that grow without bound', 'json', '{"a": [1, 2, 3]}', Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/${index}` })), 'too large'],
    ['an anchor that is used elsewhere', 'yaml', 'a: &x { b: 1 }\nc: *x\n', [{ op: 'replace', path: '/a/b', value: 2 }], 'anchor'],
    ['an anchor that is taken away', 'yaml', 'a: &x { b: 1 }\nc: *x\nd: 1\n', [{ op: 'remove', path: '/a' }], 'anchor'],
    ['a place behind an alias', 'yaml', 'a: &x { b: 1 }\nc: *x\n', [{ op: 'replace', path: '/c/b', value: 2 }], 'anchor'],
    ['a member that comes through a merge key', 'yaml', 'a: &x { b: 1 }\nc: { <<: *x }\n', [{ op: 'replace', path: '/c/b', value: 2 }], 'nothing at "/c/b"'],
    ['a number that JavaScript rounds', 'json', '{"a": 12345678901234567890}', [{ op: 'copy', from: '/a', path: '/b' }], 'too large to be kept'],
  ])('for %s says so: %s', (_what, format, text, patch, because) => {
    expect(apply(text, format, patch)).toEqual({ ok: false, because: expect.stringContaining(because) });
  });

  it('that holds a large number beside the change keeps it', () => {
    expect(apply('{"a": 12345678901234567890, "b": 1.0}', 'json', [{ op: 'add', path: '/c', value: 1 }])).toEqual({ ok: true, text: '{"a": 12345678901234567890, "b": 1.0, "c": 1}' });
  });

  it('for a member that nobody tested says so before it is overwritten', () => {
    const read = readPatch('[{"op": "add", "path": "/a", "value": 2}]');
    expect(patchConfig('a: 1\n', 'yaml', read.ok ? read.operations.map(({ operation }) => operation) : [])).toEqual({ ok: false, because: expect.stringContaining('no test says what it is') });
    expect(readPatch('[{"op": "test", "path": "/a", "value": 1}, {"op": "add", "path": "/a", "value": 2}]')).toMatchObject({ operations: [{}, { operation: { isTested: true } }] });
  });

  it('leaves what JavaScript objects inherit as it was', () => {
    expect(apply('{"a": 1}', 'json', [{ op: 'add', path: '/__proto__', value: { polluted: true } }])).toEqual({ ok: true, text: '{"a": 1, "__proto__": {"polluted":true}}' });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect('polluted' in {}).toBe(false);
  });

  it.each([
    ['/etc/shop.json', 'json'],
    ['shop.JSONC', 'jsonc'],
    ['a.b/shop.yml', 'yaml'],
    ['shop.yaml', 'yaml'],
    ['shop.toml', undefined],
    ['yaml', undefined],
    ['shop.yaml.bak', undefined],
  ])('is told by its name: %s is %s', (path, format) => {
    expect(toConfigFormat(path)).toBe(format);
  });
});
