import { describe, expect, it } from '@jest/globals';
import { openJobLog } from '../../activities/adapters/job-log.js';
import { createRedactor } from '../../domain/redaction.js';

/** Reads logs one after the other, each in pieces of so many characters. */
async function tellOf(logs: readonly string[], { toldLines = 0, pieceLength = 3, secret = 'hunter2-hunter2' } = {}) {
  const lines: string[] = [];
  const log = openJobLog(createRedactor([{ name: 'password', value: secret }]), { onOutput: (line) => lines.push(line), drained: async () => {}, toldLines });
  for (const text of logs) {
    await log.read((async function* () {
      for (let at = 0; at < text.length; at += pieceLength) yield text.slice(at, at + pieceLength);
    })());
  }
  await log.end();
  return { lines, read: log.lines() };
}
const numbered = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, index) => `${from + index} line ${from + index}\n`).join('');
const plain = (from: number, to: number): readonly string[] => Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);

describe("a Job's log", () => {
  it('is told line by line, without the numbers', async () => {
    expect(await tellOf(['1 one\n2 \n3 2 and 3\n'])).toEqual({ lines: ['one', '', '2 and 3'], read: 3 });
  });

  it.each([
    ['twice', [numbered(1, 9), numbered(1, 20)]],
    ['again from the middle of a line', [numbered(1, 20).slice(0, 55), numbered(1, 20)]],
    ['from a later line on, of which nothing is missing', [numbered(1, 9), numbered(7, 20)]],
  ])('that is read %s is told once', async (_what, logs) => {
    expect((await tellOf(logs)).lines).toEqual(plain(1, 20));
  });

  it('is told from where a worker before had come to', async () => {
    expect((await tellOf([numbered(1, 20)], { toldLines: 13 })).lines).toEqual(plain(14, 20));
  });

  it('says which lines are lost, and keeps the numbers of those after them', async () => {
    const { lines } = await tellOf([numbered(1, 3), numbered(7, 9)]);
    expect(lines).toEqual([...plain(1, 3), '(lines 4 to 6 are lost: the node had let them go when they were read)', '', '', ...plain(7, 9)]);
    expect((await tellOf([numbered(7, 9)], { toldLines: 3 })).lines).toHaveLength(6);
  });

  it('is not led astray by a number that nobody gave', async () => {
    expect((await tellOf(['1 one\n999999999 far\nno number\n4 four\n'])).lines).toEqual(['one', '999999999 far', 'no number', 'four']);
  });

  it('has no secret in it, not in pieces and not across lines', async () => {
    expect((await tellOf(['1 it is hunter2-hunter2.\n2 and on\n'])).lines).toEqual(['it is [redacted:password].', 'and on']);
    const { lines, read } = await tellOf(['1 it is first line\n2 second line!\n'], { secret: 'first line\nsecond line' });
    expect([lines, read]).toEqual([['it is [redacted:password]', '!'], 2]);
  });

  it('shows no more of a long line than people read', async () => {
    const { lines } = await tellOf([`1 ${'x'.repeat(70_000)}\n2 short\n`], { pieceLength: 10_000 });
    expect(lines.map((line) => line.length)).toEqual([65_537, 5]);
  });
});
