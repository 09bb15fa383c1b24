import { type FileHandle, open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import type { Redactor } from '../../../domain/redaction.js';
import type { ChangeOptions } from '../../ports.js';
import { hasCode } from '../staged-file.js';

const MAX_LINE = 16_384;
const READ_BYTES = 262_144;
const NEW_LINE = 0x0a;

/** Keeps what a script prints in a file: without its secrets, in lines that are not too long, and no more than `limitBytes`; what is left out is counted in a last line. */
export function openOutput(file: FileHandle, { redactor, limitBytes }: { readonly redactor: Redactor; readonly limitBytes: number }) {
  const decoder = new TextDecoder();
  const redacted = redactor.open();
  let column = 0;
  let keptBytes = 0;
  let leftOutBytes = 0;
  let isInLine = false;

  /** Breaks lines that are too long. */
  function fold(text: string): string {
    const lines = text.split('\n').map((line, index) => {
      let from = 0;
      let folded = '';
      if (index > 0) column = 0;
      while (column + line.length - from > MAX_LINE) {
        const to = toWholeCharacter(line, from, from + MAX_LINE - column);
        folded += `${line.slice(from, to)}\n`;
        from = to;
        column = 0;
      }
      column += line.length - from;
      return folded + line.slice(from);
    });
    return lines.join('\n');
  }

  async function keep(text: string): Promise<void> {
    const bytes = Buffer.from(fold(text), 'utf8');
    const room = leftOutBytes > 0 ? 0 : limitBytes - keptBytes;
    // Whole lines, so that no character and no line is cut.
    const kept = bytes.length <= room ? bytes : bytes.subarray(0, room <= 0 ? 0 : bytes.lastIndexOf('\n', room - 1) + 1);
    keptBytes += kept.length;
    leftOutBytes += bytes.length - kept.length;
    if (kept.length === 0) return;
    isInLine = kept.at(-1) !== NEW_LINE;
    await file.writeFile(kept);
  }

  return {
    write: (chunk: Buffer): Promise<void> => keep(redacted.write(decoder.decode(chunk, { stream: true }))),
    /** Everything is on disk when it resolves. */
    async end(): Promise<void> {
      await keep(redacted.write(decoder.decode()) + redacted.end());
      if (leftOutBytes > 0) await file.writeFile(`${isInLine ? '\n' : ''}[${leftOutBytes} bytes more were printed and are not kept: the limit is ${limitBytes}]\n`);
      await file.sync();
    },
  };
}

/** `to`, or one less where that would cut a character in two. */
const toWholeCharacter = (line: string, from: number, to: number): number => {
  const code = line.charCodeAt(to - 1);
  return code >= 0xd800 && code < 0xdc00 && to - 1 > from ? to - 1 : to;
};

/** Tells the lines of an output from behind those that were told. */
export function followOutput(path: string, { toldLines, onOutput, drained }: Pick<ChangeOptions, 'toldLines' | 'onOutput' | 'drained'>) {
  const decoder = new StringDecoder('utf8');
  let offset = 0;
  let line = 0;
  let rest = '';

  function tell(text: string): void {
    line += 1;
    if (line > toldLines) onOutput(text);
  }

  return {
    /** Tells what has come since it was asked last. */
    async read(): Promise<void> {
      const file = await openIfThere(path);
      if (file === undefined) return;
      try {
        const buffer = Buffer.alloc(READ_BYTES);
        for (;;) {
          const { bytesRead } = await file.read(buffer, 0, READ_BYTES, offset);
          if (bytesRead === 0) return;
          offset += bytesRead;
          const lines = (rest + decoder.write(buffer.subarray(0, bytesRead))).split('\n');
          rest = lines.pop() ?? '';
          lines.forEach(tell);
          await drained();
        }
      } finally {
        await file.close();
      }
    },
    /** Tells a last line that has no end. */
    end(): void {
      if (rest !== '') tell(rest);
      rest = '';
    },
  };
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
