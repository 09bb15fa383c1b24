import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { readPatch } from '../validation/config-patch/json-patch.js';
import { patchConfig } from '../validation/config-patch/patch-config.js';
import { parse } from 'yaml';
it('corpus', () => {
  let n = 0; const bad: unknown[] = [];
  for (const f of ['json_patch_tests.json', 'json_patch_spec_tests.json']) for (const c of JSON.parse(readFileSync(`/work/shared/corpora/${f}`, 'utf8'))) for (const format of ['json','jsonc','yaml'] as const) for (const indent of [0, 2]) {
    if (c.patch.length === 0) continue;
    n++;
    const p = readPatch(JSON.stringify(c.patch));
    let got: any;
    const text = format === 'yaml' && indent === 2 ? (require_yaml(c.doc)) : JSON.stringify(c.doc, null, indent);
    if (p.ok) { const r = patchConfig(text, format, p.operations.map(({operation}: any) => ({...operation, isTested: true}))); got = r.ok ? {doc: parse(r.text)} : {error: r.because}; } else got = {error: p.finding.reason};
    const ok = 'expected' in c ? got.doc !== undefined && same(got.doc, c.expected) : 'error' in c ? got.error !== undefined : got.doc !== undefined;
    if (!ok) bad.push([format, indent, c, got, text]);
  }
  console.log(n, bad.length, JSON.stringify(bad, null, 1).slice(0, 6000));
});
import { stringify } from 'yaml';
import { isDeepStrictEqual } from 'node:util';
const require_yaml = (d: unknown) => stringify(d);
const same = (a: unknown, b: unknown) => isDeepStrictEqual(a, b);
