// Everything that can be known without a server, in under a minute.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rooms = ['domain', 'contracts', 'keys', 'validation', 'inspection', 'workflows', 'activities', 'workers', 'api', 'db', 'cli', 'web', 'test'].filter((room) => existsSync(join(root, room)));
const tool = (path, ...args) => [`node_modules/${path}`, ...args];

const checks = {
  'types': tool('typescript/bin/tsc', '-p', '.'),
  'types of the page': tool('typescript/bin/tsc', '-p', 'web'),
  'lint': tool('oxlint/bin/oxlint', '--type-aware'),
  'boundaries': tool('dependency-cruiser/bin/dependency-cruise.mjs', ...rooms),
  'tests without servers': ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', ...tool('jest/bin/jest.js', '--selectProjects', 'pure')],
  'unused code': tool('knip/bin/knip.js'),
  'doc links': ['scripts/doc-links.mjs'],
  'lockfile': ['scripts/lockfile.mjs'],
};

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(1);
  });
}

function run(name, args) {
  return new Promise((resolve) => {
    const startedAt = Date.now();
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    const collect = (chunk) => (output += chunk);
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => collect(error.message));
    child.once('close', (code) => {
      running.delete(child);
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
      process.stdout.write(code === 0 ? `ok      ${name} (${seconds} s)\n` : `FAILED  ${name} (${seconds} s)\n${output.trimEnd().replaceAll(/^/gm, '        ')}\n`);
      resolve(code === 0);
    });
  });
}

const waiting = Object.entries(checks);
const failed = [];
async function runNext() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [name, args] = next;
    if (!(await run(name, args))) failed.push(name);
  }
}
await Promise.all([runNext(), runNext()]);
process.stdout.write(failed.length === 0 ? 'verify: all well\n' : `verify: failed: ${failed.join(', ')}\n`);
process.exit(failed.length === 0 ? 0 : 1);
