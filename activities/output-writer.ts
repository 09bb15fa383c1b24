import type { OutputRow, Recorder } from './ports.js';

const FLUSH_MS = 50;
const FLUSH_BYTES = 65_536;

/** Sends a script's output to the tail in chunks: a row per 50 ms or 64 KiB, whatever it prints. */
export function createOutputWriter(recorder: Pick<Recorder, 'appendOutput'>, incidentId: string, keyPrefix: string) {
  let pending: string[] = [];
  let pendingBytes = 0;
  let nextLine = 1;
  let chunk = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (pending.length === 0) return;
    const row: OutputRow = {
      key: `${keyPrefix}:${(chunk += 1)}`,
      event: 'output',
      body: { output: { stream: 'stdout', text: pending.join('\n'), firstLine: nextLine } },
    };
    nextLine += pending.length;
    pending = [];
    pendingBytes = 0;
    writing = writing.then(() => recorder.appendOutput(incidentId, [row]));
    // Whoever closes the writer hears of a failed write; until then it must not end the process.
    writing.catch(() => {});
  }

  return {
    write(line: string): void {
      pending.push(line);
      pendingBytes += Buffer.byteLength(line) + 1;
      if (pendingBytes >= FLUSH_BYTES) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
    },
    /** Resolves when every line is stored. */
    async close(): Promise<void> {
      flush();
      await writing;
    },
  };
}
