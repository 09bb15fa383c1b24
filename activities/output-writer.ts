import type { OutputRow, Recorder } from './ports.js';

const FLUSH_MS = 50;
const FLUSH_BYTES = 65_536;
// What waits long is kept by the garbage collector for longer still.
const MAX_WAITING_BYTES = 262_144;

/** A line as Postgres can hold it. */
export const toStorable = (line: string): string => line.toWellFormed().replaceAll('\0', '\ufffd');

/**
 * Sends the output of a change to the tail in chunks: a row per 50 ms or 64 KiB, whatever it prints. `toldLines` are there already; the next goes on
 * behind them. A row's key says at which line it begins, so that whoever writes it again after a crash changes nothing.
 */
export function createOutputWriter(recorder: Pick<Recorder, 'appendOutput'>, { incidentId, key, toldLines }: { readonly incidentId: string; readonly key: string; readonly toldLines: number }) {
  let pending: string[] = [];
  let pendingBytes = 0;
  let waitingBytes = 0;
  let nextLine = toldLines + 1;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (pending.length === 0) return;
    const row: OutputRow = {
      key: `output:${key}:${nextLine}`,
      event: 'output',
      body: { output: { stream: 'stdout', text: pending.join('\n'), firstLine: nextLine } },
    };
    const bytes = pendingBytes;
    nextLine += pending.length;
    pending = [];
    pendingBytes = 0;
    waitingBytes += bytes;
    writing = writing.then(async () => {
      await recorder.appendOutput(incidentId, [row]);
      waitingBytes -= bytes;
    });
    // Whoever waits or closes hears of a failed write; until then it must not end the process.
    writing.catch(() => {});
  }

  return {
    write(line: string): void {
      pending.push(line);
      pendingBytes += Buffer.byteLength(line) + 1;
      if (pendingBytes >= FLUSH_BYTES) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
    },
    /** Resolves when little enough waits to be stored that more may come. */
    async drained(): Promise<void> {
      if (waitingBytes > MAX_WAITING_BYTES) await writing;
    },
    /** Resolves when every line is stored. */
    async close(): Promise<void> {
      flush();
      await writing;
    },
  };
}
