import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openPythonParser } from '../../inspection/python-parser.js';
import { describeNeeds } from '../harness/describe-needs.js';
import { until } from '../harness/until.js';

const path = process.env['PATH'] ?? '';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-parser-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A program in the place of Python that hangs or dies over one text and hands all others on, and writes down each start. */
async function fakePython(atBadText: string): Promise<string> {
  const program = join(folder, 'python');
  await writeFile(program, `#!/bin/sh\necho $$ >> ${folder}/starts\nwhile read -r line; do case $line in *bad*) ${atBadText};; esac; echo '{"ok":true,"tree":{"kind":"Module","at":0,"end":0,"fields":{}}}'; done\n`);
  await chmod(program, 0o755);
  return program;
}

const readStarts = async (): Promise<readonly string[]> => (await readFile(join(folder, 'starts'), 'utf8')).trim().split('\n');
const isGone = (pid: string | undefined): boolean => {
  try {
    return !process.kill(Number(pid), 0);
  } catch {
    return true;
  }
};

describeNeeds({ program: 'python3', debianPackage: 'python3' })("Python's own parser", () => {
  test('answers with the tree, and with where each part is', async () => {
    const parser = openPythonParser({ path });
    expect(await parser.parse('import os')).toEqual({
      ok: true,
      tree: { kind: 'Module', at: 0, end: 0, fields: { body: [{ kind: 'Import', at: 1, end: 10, fields: { names: [expect.objectContaining({ kind: 'alias' })] } }], type_ignores: [] } },
    });
    await parser.close();
  });

  test('runs nothing of what it reads', async () => {
    const parser = openPythonParser({ path });
    await parser.parse(`open(${JSON.stringify(join(folder, 'ran'))}, "w")\nimport sys; sys.exit(3)`);
    expect(await parser.parse('1')).toMatchObject({ ok: true });
    await parser.close();
    await expect(readFile(join(folder, 'ran'))).rejects.toThrow('ENOENT');
  });

  test('reads texts that are asked for at the same time one after the other', async () => {
    const parser = openPythonParser({ path });
    const answers = await Promise.all(['a', 'b(', 'c'].map((text) => parser.parse(text)));
    expect(answers.map(({ ok }) => ok)).toEqual([true, false, true]);
    await parser.close();
  });

  test('goes on with a new process after a text that killed the one before', async () => {
    const parser = openPythonParser({ path, program: await fakePython('kill -9 $$') });
    expect(await parser.parse('good')).toMatchObject({ ok: true });
    expect(await parser.parse('bad')).toMatchObject({ ok: false, isSyntax: false, because: expect.stringContaining('SIGKILL') });
    expect(await parser.parse('good')).toMatchObject({ ok: true });
    expect(await readStarts()).toHaveLength(2);
    await parser.close();
  });

  test('is ended and started anew where a text takes too long', async () => {
    const parser = openPythonParser({ path, program: await fakePython('read -r never'), deadlineMs: 1_000 });
    expect(await parser.parse('bad')).toMatchObject({ ok: false, isSyntax: false, because: expect.stringContaining('1000 ms') });
    const [first] = await readStarts();
    expect(isGone(first)).toBe(true);
    expect(await parser.parse('good')).toMatchObject({ ok: true });
    await parser.close();
  });

  test('is gone once it is closed, and reads nothing more', async () => {
    const parser = openPythonParser({ path, program: await fakePython('true') });
    await parser.parse('good');
    const [first] = await readStarts();
    await parser.close();
    await until('its end', async () => isGone(first));
    expect(await parser.parse('good')).toMatchObject({ ok: false, isSyntax: false });
  });
});
