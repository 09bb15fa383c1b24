import { describe, expect, it } from '@jest/globals';
import { aStep } from '../builders.js';
import { inspector } from '../harness/inspector.js';

const validate = (script: string, parameters: readonly string[] = []) => inspector.judgeStep({ ...aStep(), type: 'config-patch', script, parameters });
const patchOf = (...operations: readonly unknown[]) => JSON.stringify(operations);
const test = (path: string, value: unknown = 1) => ({ op: 'test', path, value });

describe('a patch that tests what it changes', () => {
  it.each([
    [test('/a'), { op: 'replace', path: '/a', value: 2 }],
    [test('/a'), { op: 'remove', path: '/a' }],
    [test('/a'), { op: 'move', from: '/a', path: '/b' }],
    [test('/a'), test('/b'), { op: 'replace', path: '/a', value: 2 }, { op: 'remove', path: '/b' }],
    [test('/a', { b: 1, c: 2 }), { op: 'replace', path: '/a/b', value: 2 }, { op: 'remove', path: '/a/c' }],
    [test('', { a: 1 }), { op: 'replace', path: '', value: {} }],
    [test('/l', [1, 2]), { op: 'remove', path: '/l/0' }, { op: 'remove', path: '/l/0' }],
    [{ op: 'add', path: '/new', value: { a: [null, 'two\nlines\t', 'Zürich', '東京', '🙂'] } }],
    [{ op: 'copy', from: '/a', path: '/b' }],
    [test('/a'), { op: 'replace', path: '/a', value: 2, comment: 'ignored, as RFC 6902 says' }],
  ])('is for people to review, and reaches one file: %j %j', async (...operations) => {
    expect(await validate(patchOf(...operations))).toEqual({ result: 'review', findings: [], reach: 'file' });
  });
});

describe('any other patch', () => {
  const add = { op: 'add', path: '/b', value: 1 };
  it.each<readonly [rule: string, script: string]>([
    // What is no list of operations.
    ['patch.syntax', ''],
    ['patch.syntax', 'replace a by b'],
    ['patch.syntax', `${patchOf(add)} // and a comment`],
    ['patch.syntax', `[{"op":"add","path":"/b","value":1},]`],
    ['patch.syntax', '[{"op":"test","op":"remove","path":"/b","value":1}]'],
    ['patch.syntax', '[{"op":"add","path":"/b","value":{"a":1,"a":2}}]'],
    ['patch.syntax', `${'['.repeat(30_000)}`],
    ['patch.operations', JSON.stringify(add)],
    ['patch.nothing', '[]'],
    ['patch.operations', patchOf(...Array.from({ length: 101 }, () => add))],
    ['patch.nothing', patchOf(test('/a'))],
    // What is no operation.
    ['patch.operation', patchOf({ ...add, op: 'merge' })],
    ['patch.operation', patchOf({ ...add, op: 'ADD' })],
    ['patch.operation', patchOf({ ...add, op: ['add'] })],
    ['patch.operation', patchOf({ path: '/b', value: 1 })],
    ['patch.operation', patchOf('add')],
    ['patch.operation', patchOf([add])],
    ['patch.operation', patchOf(null)],
    ['patch.pointer', patchOf({ op: 'add', value: 1 })],
    ['patch.pointer', patchOf({ ...add, path: null })],
    ['patch.pointer', patchOf({ ...add, path: 'b' })],
    ['patch.pointer', patchOf({ ...add, path: '#/b' })],
    ['patch.pointer', patchOf({ ...add, path: '/b~2' })],
    ['patch.pointer', patchOf({ ...add, path: '/b~' })],
    ['patch.pointer', patchOf({ op: 'move', path: '/b' })],
    ['patch.pointer', patchOf({ op: 'copy', from: 'a', path: '/b' })],
    ['patch.value', patchOf({ op: 'add', path: '/b' })],
    ['patch.value', patchOf({ op: 'test', path: '/b' }, add)],
    ['patch.value', '[{"op":"add","path":"/b","value":[12345678901234567890]}]'],
    ['patch.value', '[{"op":"add","path":"/b","value":1e999}]'],
    // What changes a value that nothing tested.
    ['patch.test', patchOf({ op: 'replace', path: '/a', value: 2 })],
    ['patch.test', patchOf({ op: 'remove', path: '/a' })],
    ['patch.test', patchOf({ op: 'move', from: '/a', path: '/b' })],
    ['patch.test', patchOf(test('/b'), { op: 'move', from: '/a', path: '/b' })],
    ['patch.test', patchOf({ op: 'replace', path: '/a', value: 2 }, test('/a', 2))],
    ['patch.test', patchOf(test('/a/b'), { op: 'remove', path: '/a' })],
    ['patch.test', patchOf(test('/a'), { op: 'remove', path: '/ab' })],
    ['patch.test', patchOf(test('/a'), { op: 'replace', path: '/a', value: 2 }, { op: 'remove', path: '/a' })],
    ['patch.test', patchOf(test('/a/0'), { op: 'remove', path: '/a/0' }, { op: 'remove', path: '/a/0' })],
    ['patch.test', patchOf(test('/a/0'), test('/a/1'), { op: 'remove', path: '/a/0' }, { op: 'remove', path: '/a/1' })],
    ['patch.test', patchOf(test('/a/1/x'), { op: 'add', path: '/a/0', value: 1 }, { op: 'remove', path: '/a/1/x' })],
    ['patch.test', patchOf(test('/a'), { op: 'copy', from: '/b', path: '/a' }, { op: 'remove', path: '/a' })],
    ['patch.test', patchOf(test('/a/b'), { op: 'move', from: '/a', path: '/c' }, { op: 'remove', path: '/a/b' })],
    // What people would not see as it is.
    ['patch.characters', patchOf({ ...add, value: 'a\u202eb' })],
    ['patch.characters', '[{"op":"add","path":"/b","value":"a\\u202eb"}]'],
    ['patch.characters', '[{"op":"add","path":"/b\\u200b","value":1}]'],
    ['patch.characters', '[{"op":"add","path":"/b","value":{"\\u0000":1}}]'],
    ['patch.characters', '[{"op":"add","path":"/b","value":"\\u001b[2J"}]'],
    ['patch.characters', '[{"op":"add","path":"/b","value":"\\ud800"}]'],
    ['patch.characters', `\ufeff${patchOf(add)}`],
    ['patch.characters', patchOf({ ...add, value: '\u3164' })],
    ['patch.size', patchOf({ ...add, value: 'x'.repeat(65_536) })],
  ])('is denied by %s: %.200s', async (rule, script) => {
    const { result, findings } = await validate(script);
    expect(result).toBe('denied');
    expect(findings.map((finding) => finding.rule)).toContain(rule);
    expect(findings.every(({ reason, remedy }) => reason !== '' && remedy !== '')).toBe(true);
  });

  it('is denied when it has parameters, which it could not use', async () => {
    expect(await validate(patchOf(add), ['1'])).toMatchObject({ result: 'denied', findings: [{ rule: 'patch.parameters' }] });
  });

  it('is told where it is wrong, and what to write', async () => {
    const script = `[${JSON.stringify(add)},\n{"op":"remove","path":"/a~1b"}, {"op":"remove","path":"/c"}]`;
    const { findings } = await validate(script);
    expect(findings.map(({ position }) => script.slice(position - 1, position + 25))).toEqual(['{"op":"remove","path":"/a~1', '{"op":"remove","path":"/c"}'].map((text) => text.slice(0, 26)));
    expect(findings[0]?.remedy).toContain('{"op":"test","path":"/a~1b"');
  });
});
