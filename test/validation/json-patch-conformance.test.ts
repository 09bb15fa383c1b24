import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import { getNodeValue, type Node, parseTree } from 'jsonc-parser';
import { parse } from 'yaml';
import { readPatch } from '../../validation/config-patch/json-patch.js';
import { type ConfigFormat, patchConfig, type Patched } from '../../validation/config-patch/patch-config.js';
import { describeShared } from '../harness/read-corpus.js';

/** A case as its file writes it, because a member that is there twice is gone once it is read. */
interface ConformanceCase {
  readonly what: string;
  readonly before: string;
  readonly patch: string;
  readonly outcome: { readonly after: unknown } | 'refused';
}

function readCases(name: string): readonly ConformanceCase[] {
  const file = fileURLToPath(new URL(`../../../shared/corpora/${name}.json`, import.meta.url));
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '[]';
  return (parseTree(text)?.children ?? []).flatMap((node, index) => {
    const members = new Map((node.children ?? []).map(({ children: [key, value] = [] }) => [String(key === undefined ? '' : getNodeValue(key)), value]));
    const write = (value: Node | undefined): string => (value === undefined ? '' : text.slice(value.offset, value.offset + value.length));
    const expected = members.get('expected');
    const hasOutcome = members.has('expected') || members.has('error');
    // Without an expectation it only has to be applied; without a document it is a note to readers.
    if (!members.has('doc') || !hasOutcome) return [];
    return [{ what: `${index} ${write(members.get('comment'))}`, before: write(members.get('doc')), patch: write(members.get('patch')), outcome: expected === undefined ? 'refused' : { after: JSON.parse(write(expected)) as unknown } }];
  });
}

/** What comes of a patch, as if each value that it changes had been tested, which is a rule of ours and not of RFC 6902. */
function apply({ before, patch }: ConformanceCase, format: ConfigFormat): Patched {
  const read = readPatch(patch);
  if (!read.ok) return { ok: false, because: read.finding.reason };
  return patchConfig(before, format, read.operations.map(({ operation }) => (operation.op === 'test' ? operation : { ...operation, isTested: true })));
}

describeShared('RFC 6902', () => {
  const cases = ['json_patch_spec_tests', 'json_patch_tests'].flatMap(readCases);

  test('has its cases', () => expect(cases.length).toBeGreaterThan(90));

  // JSON is YAML, too, in its way of one line.
  test.each(cases.flatMap((one) => (['json', 'yaml'] as const).map((format) => ({ ...one, format }))))('$what, as $format', ({ format, ...one }) => {
    const patched = apply(one, format);
    const outcome = patched.ok ? { after: (format === 'json' ? JSON.parse(patched.text) : parse(patched.text)) as unknown } : 'refused';
    expect([outcome, isDeepStrictEqual(outcome, one.outcome)]).toEqual([one.outcome, true]);
  });
});
