import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './config.js';
import { onPath } from './on-path.js';
import { reasonOf } from './trouble.js';

export interface FetchOrder {
  readonly version: string;
  /** Empty, and the fetch's own. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  readonly stopping: AbortSignal;
}

/** Puts the program into the folder and tells its path, or throws with the reason why it could not. */
export type Fetch = (order: FetchOrder) => Promise<string>;

const progressEveryMs = 10_000;
const firstBytesWithinMs = 30_000;
const downloadWithinMs = 600_000;
const buildWithinMs = 1_200_000;

/** Lets the SDK download it, in a process of its own so that it can be given up. */
export const downloadTemporal: Fetch = async ({ version, folder, environment, say, stopping }) => {
  say(`Downloading Temporal ${version}, once`);
  await runBounded({
    command: execPath,
    args: ['--import', 'tsx', fileURLToPath(new URL('temporal-download.ts', import.meta.url)), version, folder],
    cwd: projectRoot,
    env: environment,
    stopping,
    withinMs: downloadWithinMs,
    progress: (seconds) => say(`  downloading, ${seconds} s`),
    givesUp: (elapsedMs) => (elapsedMs > firstBytesWithinMs && bytesIn(folder) === 0 ? 'nothing arrived' : null),
  });
  const [program] = readdirSync(folder).filter((name) => name.startsWith('temporal'));
  if (program === undefined) throw new Error('the download left no program');
  return join(folder, program);
};

/** Builds it from its source with Go, which needs the module proxy but no download host. */
export const buildTemporal: Fetch = async ({ version, folder, environment, say, stopping }) => {
  const go = onPath('go', environment);
  if (go === null) throw new Error('go is not on the PATH');
  say(`Building Temporal ${version} with Go: about 4 minutes, once`);
  await runBounded({
    command: go,
    args: ['install', `github.com/temporalio/cli/cmd/temporal@${version}`],
    cwd: folder,
    // Go keeps its own files below HOME; without one they go where they are deleted afterwards.
    env: { HOME: folder, GOFLAGS: environment['HOME'] === undefined ? '-modcacherw' : '', ...environment, GOBIN: folder },
    stopping,
    withinMs: buildWithinMs,
    progress: (seconds) => say(`  building, ${seconds} s`),
    givesUp: () => null,
  });
  return join(folder, 'temporal');
};

interface BoundedRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stopping: AbortSignal;
  readonly withinMs: number;
  readonly progress: (seconds: number) => void;
  /** Asked every now and then: the reason to stop waiting, or null. */
  readonly givesUp: (elapsedMs: number) => string | null;
}

function runBounded({ command, args, cwd, env, stopping, withinMs, progress, givesUp }: BoundedRun): Promise<void> {
  return new Promise((resolve, reject) => {
    const startedAt = Date.now();
    const child = spawn(command, args, { cwd, env, signal: stopping, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    let stoppedFor: string | null = null;
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
    const ticking = setInterval(() => {
      const elapsedMs = Date.now() - startedAt;
      progress(Math.round(elapsedMs / 1000));
      stoppedFor = elapsedMs > withinMs ? 'it took too long' : givesUp(elapsedMs);
      if (stoppedFor !== null) child.kill('SIGKILL');
    }, progressEveryMs);
    const end = (failure: string | null): void => {
      clearInterval(ticking);
      if (failure === null) resolve();
      else reject(new Error(failure));
    };
    child.once('error', (error) => end(reasonOf(error)));
    child.once('close', (code) => end(code === 0 ? null : (stoppedFor ?? said.trim().split('\n').at(-1) ?? `exit code ${code}`)));
  });
}

const bytesIn = (folder: string): number => readdirSync(folder).reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0);
