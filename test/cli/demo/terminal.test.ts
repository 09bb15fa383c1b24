import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { openTerminal } from '../../../cli/demo/terminal.js';

const open = () => {
  const input = new PassThrough();
  return { terminal: openTerminal(input, new PassThrough()), type: (line: string) => void input.write(`${line}\n`) };
};

describe('the terminal of the demo', () => {
  it('gives an answer to the question that was asked last, not to one that was answered on the page', async () => {
    const { terminal, type } = open();
    let first: string | undefined;
    void terminal.ask('Run this plan?').then((answer) => (first = answer));
    const second = terminal.ask('Does it look good?');
    type('approve');
    expect(await second).toBe('approve');
    expect(first).toBeUndefined();
    terminal.close();
  });

  it('takes no answer that was typed before the question', async () => {
    const { terminal, type } = open();
    const first = terminal.ask('Run this plan?');
    type('approve');
    type('reject');
    await first;
    const second = terminal.ask('Does it look good?');
    type('maybe');
    type('approve');
    expect(await second).toBe('approve');
    terminal.close();
  });
});
