import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { measureConfigFile, readConfigFile } from '../../activities/adapters/config-file-detector.js';
import type { ConfigFile } from '../../activities/ports.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  path = join(folder, 'checkout.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = new Date('2026-11-22T09:00:00Z');
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1_000);
const target: ConfigFile = { kind: 'config-file', name: 'checkout-config', path: '', executor: null, serves: ['checkout'], detectors: [] };
const measure = (good?: { readonly content: string; readonly wellAt: Date }) => measureConfigFile(path, target, async () => good, () => now);

describe('the detector of configuration files', () => {
  it.each(['json', 'jsonc', 'yaml', 'yml'])('reads .%s', async (ending) => {
    path = join(folder, `checkout.${ending}`);
    writeFileSync(path, '{"timeoutMs": 5}');
    expect(await measure()).toEqual({ signals: [expect.objectContaining({ name: 'readable', value: 100, threshold: 100, better: 'higher' })], facts: [] });
  });

  it.each<{ what: string; make: () => void; because: RegExp }>([
    { what: 'missing', make: () => {}, because: /there is no such file$/ },
    { what: 'not YAML', make: () => writeFileSync(path, 'a: [1'), because: /cannot be used: .+/ },
    { what: 'more than one document', make: () => writeFileSync(path, 'a: 1\n---\nb: 1\n'), because: /not one YAML document/ },
    { what: 'nested without end', make: () => writeFileSync(path, '['.repeat(50_000) + ']'.repeat(50_000)), because: /deep|stack/ },
    { what: 'larger than a megabyte', make: () => writeFileSync(path, `a: "${'x'.repeat(1_048_576)}"`), because: /larger than 1048576 bytes/ },
    { what: 'not text', make: () => writeFileSync(path, Buffer.from([0x61, 0x3a, 0x20, 0xff])), because: /not valid for encoding utf-8/ },
    { what: 'a text with a zero', make: () => writeFileSync(path, 'a: "\0"'), because: /not a text file/ },
    { what: 'a pipe that nobody writes to', make: () => execFileSync('sh', ['-c', 'mkfifo "$0"', path]), because: /not a file/ },
    { what: 'a folder', make: () => (path = folder), because: /not a file/ },
    { what: 'of a name that says no format', make: () => writeFileSync((path = join(folder, 'checkout.toml')), 'a = 1'), because: /must end in \.json/ },
  ])('says why one that is $what is not readable', async ({ make, because }) => {
    make();
    expect(await measure()).toMatchObject({ signals: [{ name: 'readable', value: 0 }], facts: [{ kind: 'unreachable', because: expect.stringMatching(because) }] });
  });

  it('tells how it differs from what it was when it last worked, and when it changed', async () => {
    writeFileSync(path, 'timeoutMs: 5 # was too slow\n');
    utimesSync(path, ago(12), ago(12));
    expect((await measure({ content: 'timeoutMs: 2000\n', wellAt: ago(20) })).facts).toEqual([
      {
        kind: 'configChange',
        id: 'checkout-config/configChange',
        target: 'checkout-config',
        path,
        serves: ['checkout'],
        changes: [{ pointer: '/timeoutMs', good: '2000', now: '5', isRestored: true }],
        changeCount: 1,
        patch: '[{"op":"test","path":"/timeoutMs","value":5},{"op":"replace","path":"/timeoutMs","value":2000}]',
        restoresAll: true,
        goodAt: ago(20).toISOString(),
        changedAt: ago(12).toISOString(),
        changeAgeMs: 12_000,
      },
    ]);
  });

  it.each([
    { what: 'older than when it was last good', fileAge: 3_600, changeAgeMs: 20_000 },
    { what: 'of the future', fileAge: -3_600, changeAgeMs: 0 },
  ])('does not believe a time of the file that is $what', async ({ fileAge, changeAgeMs }) => {
    writeFileSync(path, 'timeoutMs: 5\n');
    utimesSync(path, ago(fileAge), ago(fileAge));
    expect((await measure({ content: 'timeoutMs: 2000\n', wellAt: ago(20) })).facts).toMatchObject([{ changeAgeMs }]);
  });

  it.each(['timeoutMs: 5 # another comment\n', '{ timeoutMs: 5 }'])('says nothing changed where only the writing did: %s', async (content) => {
    writeFileSync(path, 'timeoutMs: 5\n');
    expect((await measure({ content, wellAt: ago(20) })).facts).toEqual([]);
  });

  it('never shows a secret', async () => {
    writeFileSync(path, 'db: { password: changed-secret, port: 1 }\n');
    const { facts } = await measure({ content: 'db: { password: good-secret, port: 2 }\n', wellAt: ago(20) });
    expect(facts).toMatchObject([{ restoresAll: false, changes: [{ pointer: '/db/password', good: '•••', now: '•••' }, { pointer: '/db/port' }] }]);
    expect(JSON.stringify(facts)).not.toMatch(/-secret/);
  });

  it('knows a content by the hash of its bytes', async () => {
    writeFileSync(path, 'a: 1\n');
    expect(await readConfigFile(path)).toMatchObject({ kind: 'read', content: 'a: 1\n', document: { a: 1 }, hash: '37b128c59f1f5097f73f82691cb519f1f568667faab5ced1b4ab979d36837eae' });
  });
});
