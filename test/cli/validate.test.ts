import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from '../../cli/run-cli.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-validate-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Without a server, a token or a database. */
async function run(words: readonly string[], { hasColours = false } = {}) {
  const [printed, complained]: [string[], string[]] = [[], []];
  const { signal } = new AbortController();
  const print = (text: string) => void printed.push(text);
  const code = await runCli(['validate', ...words], { env: {}, isTerminal: false, hasColours, interrupted: signal, untilToldToEnd: () => signal, sayReady: () => {}, print, complain: (text) => void complained.push(text), ask: async () => '' });
  return { code, printed, err: complained.join('\n') };
}

async function have(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('sluice validate', () => {
  it('answers each line of JSON Lines in order, also one that cannot be read', async () => {
    const lines = [
      { id: 'a', type: 'bash', text: 'systemctl restart nginx' },
      { id: 7, type: 'sql', text: 'DROP TABLE stock' },
      { id: 'c', type: 'python', text: 'import json\nprint(json.dumps({}))' },
      { id: 'd', type: 'perl', text: '1' },
      { id: 'e', type: 'k8s' },
    ];
    const path = await have('lines.jsonl', `${lines.map((line) => JSON.stringify(line)).join('\n')}\n\nno json\n`);
    const { code, printed, err } = await run(['--jsonl', path]);
    expect(printed.map((line) => JSON.parse(line))).toMatchObject([
      { id: 'a', result: 'review', findings: [] },
      { id: 7, result: 'denied', findings: [{ rule: 'sql.drop', position: 1, reason: expect.any(String), remedy: expect.any(String) }] },
      { id: 'c', result: 'review', findings: [] },
      { id: 'd', result: 'denied', findings: [{ rule: 'input.line', reason: 'line 4 has no type that is known' }] },
      { id: 'e', result: 'denied', findings: [{ rule: 'input.line', reason: 'line 5 has no text' }] },
      { id: null, result: 'denied', findings: [{ rule: 'input.line', reason: 'line 7 is no JSON' }] },
    ]);
    expect([code, err]).toEqual([1, expect.stringContaining('3 of 7 lines could not be read')]);
  });

  it('judges what is judged whole with 0, whatever comes of it', async () => {
    expect(await run(['--jsonl', await have('lines.jsonl', '{"id":1,"type":"bash","text":"eval x"}\n')])).toMatchObject({ code: 0, err: '' });
  });

  it('shows people the place, the line and what to do', async () => {
    const path = await have('fix.sh', '#!/bin/bash\nset -e\n\tsystemctl restart nginx; eval "$x"\n');
    const { code, printed, err } = await run([path]);
    expect(printed.join('\n')).toBe(
      [
        `${path}:3:27 bash.eval it runs text as commands, which nobody can see here`,
        '    3 |  systemctl restart nginx; eval "$x"',
        '        '.concat(' '.repeat(26), '^'),
        '    Write the commands themselves.',
        `${path}: denied, nobody should run it`,
      ].join('\n'),
    );
    expect([code, err]).toEqual([1, `Denied: ${path}.`]);
  });

  it('colours what it shows where the terminal can', async () => {
    const { printed } = await run([await have('fix.sh', 'systemctl restart nginx\n')], { hasColours: true });
    expect(printed.join('')).toContain('\u001b[32mreview\u001b[39m');
  });

  it.each([
    ['fix.py', 'import os\nos.system("reboot")', 1],
    ['fix.sql', "UPDATE jobs SET state = 'queued' WHERE id = 42", 0],
    ['fix.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\ndata: { A: b }\n', 0],
    ['fix', '#!/usr/bin/env python3\nprint(1)\n', 0],
  ])('knows what %s is', async (name, text, code) => {
    expect((await run([await have(name, text)])).code).toBe(code);
  });

  it('prints JSON for files, too', async () => {
    const path = await have('fix.sh', 'true\n');
    expect((await run(['--json', path])).printed.map((line) => JSON.parse(line))).toEqual([{ id: path, result: 'review', findings: [] }]);
  });

  it.each([
    [[], 2, 'Name the files'],
    [['fix.sh', '--jsonl', 'lines'], 2, 'Name the files'],
    [['/nowhere.sh'], 1, '/nowhere.sh cannot be read'],
    [['--jsonl', '/nowhere'], 1, '/nowhere cannot be read'],
    [['--type', 'perl', 'x'], 2, 'perl'],
  ])('says how to call it: %j', async (words, code, named) => {
    expect(await run(words)).toMatchObject({ code, err: expect.stringContaining(named) });
  });

  it('asks what a file is whose name does not say it', async () => {
    const path = await have('fix', 'true\n');
    expect(await run([path])).toMatchObject({ code: 2, err: expect.stringContaining('say --type bash|python|sql|k8s') });
    expect((await run(['--type', 'bash', path])).code).toBe(0);
  });
});
