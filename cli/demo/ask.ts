import { createInterface } from 'node:readline';

export type Answer = 'approve' | 'reject';

/** Reads answers from the terminal. Without one, or when it ends, the page decides. */
export function openTerminal() {
  const lines = createInterface({ input: process.stdin });
  const waiting: ((line: string) => void)[] = [];
  const heard: string[] = [];
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
    async ask(question: string): Promise<Answer> {
      for (;;) {
        process.stdout.write(question);
        const line = (await nextLine()).trim().toLowerCase();
        if (line === 'approve' || line === 'a' || line === 'yes' || line === 'y') return 'approve';
        if (line === 'reject' || line === 'r' || line === 'no' || line === 'n') return 'reject';
      }
    },
    close: () => lines.close(),
  };
}
