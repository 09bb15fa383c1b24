import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anyFreePorts } from '../../cli/local/ports.js';
import { until } from './until.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs `npm run demo` in a state folder of its own. */
export async function startDemo(...args: readonly string[]) {
  const { api: port } = await anyFreePorts();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  chmodSync(folder, 0o711);
  const home = join(folder, 'home');
  const child = spawn('npm', ['run', '--silent', 'demo', '--', ...args], { cwd: root, env: { ...process.env, SLUICE_HOME: home, SLUICE_API_PORT: `${port}`, NODE_OPTIONS: '' }, detached: true });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const says = (what: RegExp, withinMs = 90_000): Promise<RegExpExecArray> =>
    until(`the demo to say ${String(what)}; it said:\n${output}`, async () => what.exec(output) ?? (child.exitCode === null ? undefined : Promise.reject(new Error(`the demo ended with ${child.exitCode}:\n${output}`))), withinMs);

  return {
    says,
    output: () => output,
    type: (line: string) => void child.stdin.write(`${line}\n`),
    ended,
    /** A superuser's address of the demo's shop. */
    async shopUrl(): Promise<string> {
      const [, host = ''] = await says(/Postgres {9}(\S+),/);
      return `postgresql://postgres:${readFileSync(join(home, 'demo/postgres/password'), 'utf8').trim()}@${host}/shop`;
    },
    async close(): Promise<void> {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Demo = Awaited<ReturnType<typeof startDemo>>;
