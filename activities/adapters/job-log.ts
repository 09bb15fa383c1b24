import type { Redactor } from '../../domain/redaction.js';
import type { ChangeOptions } from '../ports.js';

const NUMBERED = /^(\d{1,15}) /;
// A line longer than this is shown up to here.
const MAX_LINE_LENGTH = 65_536;
// Behind so many lines what a script prints waits until it is stored.
const DRAIN_EVERY = 1_000;
// A number further off was not written by the program that numbers lines.
const MAX_GAP = 1_000_000;

export interface JobLog {
  /** Reads a pod's log from its start on, to its end; what was read of it before is left out. */
  read(pieces: AsyncIterable<string>): Promise<void>;
  /** How many lines were read. */
  lines(): number;
  /** Tells what was held back. Call it once there is no more to come. */
  end(): Promise<void>;
}

/** Tells the numbered lines of a script's output once each and without secrets, however often its log is read from the start. */
export function openJobLog(redactor: Redactor, { onOutput, drained, toldLines }: Pick<ChangeOptions, 'onOutput' | 'drained' | 'toldLines'>): JobLog {
  const redacted = redactor.open();
  let read = 0;
  let shown = 0;
  let held = '';

  async function tell(text: string): Promise<void> {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) {
      shown += 1;
      if (shown <= toldLines) continue;
      onOutput(line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line);
      if (shown % DRAIN_EVERY === 0) await drained();
    }
  }

  async function take(line: string): Promise<void> {
    const [prefix = '', digits] = NUMBERED.exec(line) ?? [];
    const number = digits === undefined ? read + 1 : Number(digits);
    if (number <= read) return;
    const missing = number - read - 1;
    const isNumber = missing <= MAX_GAP;
    // One line for each, so that those after it keep their numbers.
    if (isNumber && missing > 0) await tell(redacted.end() + `(lines ${read + 1} to ${number - 1} are lost: the node had let them go when they were read)${'\n'.repeat(missing)}`);
    read = isNumber ? number : read + 1;
    await tell(redacted.write(`${isNumber ? line.slice(prefix.length) : line}\n`));
  }

  return {
    async read(pieces) {
      let rest = '';
      for await (const piece of pieces) {
        const lines = (rest + piece).split('\n');
        // An incomplete line is read anew.
        rest = lines.pop() ?? '';
        for (const line of lines) await take(line);
      }
    },
    lines: () => read,
    end: () => tell(redacted.end()),
  };
}
