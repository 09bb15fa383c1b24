import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('a test run ends with one plain line that counts', async () => {
  const { stdout } = await promisify(execFile)('bash', ['-c', 'node --experimental-vm-modules node_modules/jest/bin/jest.js --selectProjects pure --testPathPatterns domain/blocking 2>&1'], { cwd: root });
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('tests: 2 passed, 0 failed');
});
