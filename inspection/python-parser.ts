import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ParsePython } from '../validation/python/python-tree.js';

type Answer = Awaited<ReturnType<ParsePython>>;

export interface PythonParser {
  readonly parse: ParsePython;
  /** Ends its process. What is asked afterwards is refused. */
  close(): Promise<void>;
}

interface Options {
  /** Where `python3` is looked for. */
  readonly path: string;
  readonly program?: string;
  readonly deadlineMs?: number;
}

interface Reader {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Interface;
  readonly ended: Promise<string>;
}

const PARSER = fileURLToPath(new URL('parse.py', import.meta.url));
const DEADLINE_MS = 2_000;
const MAX_CHARACTERS = 65_536;

/** Python's own parser in a process of its own, which lives from the first text to `close`. One text at a time; one that makes it hang or die costs the next one a new process. */
export function openPythonParser({ path, program = 'python3', deadlineMs = DEADLINE_MS }: Options): PythonParser {
  let reader: Reader | undefined;
  let before: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  function start(): Reader {
    // Nothing of its surroundings reaches it: no site packages, no variables, no folder of the text.
    const child = spawn(program, ['-I', '-S', '-B', '-W', 'ignore', PARSER], { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: path }, cwd: '/' });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`${program} cannot be started: ${error.message}`));
      child.once('exit', (code, signal) => resolve(`${program} ended over it (${signal ?? `exit code ${code}`})`));
    });
    // A write to one that has ended is told by `ended`.
    child.stdin.on('error', () => undefined);
    const started = { child, lines: createInterface({ input: child.stdout }), ended };
    void ended.then(() => {
      if (reader === started) reader = undefined;
    });
    return started;
  }

  async function ask(text: string): Promise<Answer> {
    if (isClosed) return refuse('the parser is closed');
    if (text.length > MAX_CHARACTERS) return refuse(`${text.length} characters are more than ${MAX_CHARACTERS}`);
    reader ??= start();
    const { child, lines, ended } = reader;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), deadlineMs);
    const line = once(lines, 'line', { signal: patience.signal }).then(
      ([answer]): Answer => JSON.parse(String(answer)) as Answer,
      () => refuse(`it was not read within ${deadlineMs} ms`),
    );
    child.stdin.write(`${JSON.stringify(text)}\n`);
    const answer = await Promise.race([line, ended.then(refuse)]);
    clearTimeout(timer);
    if (patience.signal.aborted) {
      child.kill('SIGKILL');
      await ended;
    }
    patience.abort();
    return answer;
  }

  return {
    parse: (text) => {
      const answer = before.then(() => ask(text));
      before = answer;
      return answer;
    },
    close: async () => {
      isClosed = true;
      await before;
      if (reader === undefined) return;
      const { child, ended } = reader;
      child.stdin.end();
      await ended;
    },
  };
}

const refuse = (because: string): Answer => ({ ok: false, because, position: 0, isSyntax: false });
