import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export type Answer = 'approve' | 'reject';

/** Reads answers from the terminal. Without one, or when it ends, the page decides. */
export function openTerminal(input: Readable, output: Writable) {
  const lines = createInterface({ input });
  const waiting: ((line: string) => void)[] = [];
  const heard: string[] = [];
  const ended = new Promise<void>((resolve) => lines.once('close', resolve));
  lines.on('line', (line) => {
    const next = waiting.shift();
    if (next === undefined) heard.push(line);
    else next(line);
  });
  const nextLine = (): Promise<string> => {
    const line = heard.shift();
    return line === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(line);
  };
  return {
    /** Only what is typed after the question answers it: nobody approves what was not shown yet. */
    async ask(question: string): Promise<Answer> {
      heard.length = 0;
      // A question that somebody answered on the page must not take the answer to this one.
      waiting.length = 0;
      for (;;) {
        output.write(question);
        const line = (await nextLine()).trim().toLowerCase();
        if (line === 'approve' || line === 'a' || line === 'yes' || line === 'y') return 'approve';
        if (line === 'reject' || line === 'r' || line === 'no' || line === 'n') return 'reject';
      }
    },
    /** Resolves at the next line, or when there is no terminal to wait for. */
    async enter(question: string): Promise<void> {
      output.write(question);
      waiting.length = 0;
      await Promise.race([nextLine(), ended]);
    },
    close: () => lines.close(),
  };
}

export type Terminal = ReturnType<typeof openTerminal>;
