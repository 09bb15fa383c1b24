import { describe, expect, it } from '@jest/globals';
import { validateScript } from '../../validation/script/validate-script.js';

describe('a script', () => {
  it.each([
    ['bash', 'echo one\n'],
    ['bash', '#!/bin/bash\n\ttouch /srv/a\r\n'],
    ['python', '# what it does\nprint("grüße, 世界")\n'],
  ] as const)('in %s may be %j', (type, text) => {
    expect(validateScript(type, text)).toEqual({ result: 'review', findings: [], reach: 'host' });
  });

  it.each([
    ['bash', '', 'script.nothing', 0],
    ['bash', '\n  \n# only a comment\n', 'script.nothing', 0],
    ['bash', `echo ${'x'.repeat(65_536)}`, 'script.size', 0],
    ['python', `print("${'é'.repeat(33_000)}")`, 'script.size', 0],
    ['bash', 'echo a\0b', 'script.characters', 7],
    ['bash', 'echo a\u202Eb', 'script.characters', 7],
    ['python', 'a\u200Bb = 1', 'script.characters', 2],
    ['bash', 'echo \u001B[2K', 'script.characters', 6],
  ] as const)('in %s may not be %j', (type, text, rule, position) => {
    expect(validateScript(type, text)).toEqual({ result: 'denied', findings: [{ rule, position, reason: expect.stringMatching(/\w+ \w+/), remedy: expect.stringMatching(/\w+ \w+/) }] });
  });
});
