import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anyFreePorts } from '../../cli/local/ports.js';
import { until } from './until.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs `npm start` on a state folder, until it says that it is running. */
export async function npmStart(home: string, env: Readonly<Record<string, string>> = {}) {
  // A port of its own: between choosing the usual one and listening on it, another test could take it.
  const { api: port } = await anyFreePorts();
  const child = spawn(process.execPath, ['scripts/run.mjs', 'start'], { cwd: root, env: { ...process.env, NODE_OPTIONS: '', SLUICE_HOME: home, SLUICE_API_PORT: `${port}`, ...env }, detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [, apiUrl = '', token = ''] = await until(
    'npm start',
    async () => /(http:\S+?)\/#token=(\S+)/.exec(output) ?? (child.exitCode === null ? undefined : Promise.reject(new Error(`npm start ended with ${child.exitCode}:\n${output}`))),
    120_000,
  );

  return {
    apiUrl,
    token,
    output: () => output,
    /** The processes of this start by name, as its own ledger has them. */
    pids: (): Readonly<Record<string, number>> => {
      const ledger: readonly { readonly name: string; readonly pid: number }[] = JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8'));
      return Object.fromEntries(ledger.map(({ name, pid }) => [name, pid]));
    },
    /** Ends it all as a power cut would, in no order. */
    async kill(): Promise<void> {
      const pids = Object.values(this.pids());
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await ended;
    },
    async stop(): Promise<number | null> {
      child.kill('SIGINT');
      return ended;
    },
    ended,
  };
}

export type NpmStart = Awaited<ReturnType<typeof npmStart>>;
