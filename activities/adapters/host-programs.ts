import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { isLeftToNext } from '../left-to-next.js';

export type HostProgram = 'systemctl' | 'docker';

const ASK_TIMEOUT_MS = 20_000;
const ASK_BYTES = 1_048_576;
const LOOK_EVERY_MS = 100;
// Exit codes of flock and env; systemctl and docker have others.
const TAKEN = [66, 75, 125];
const NOT_YET = 75;
const MAX_TOLD = 300;

export type Ended =
  /** `because` is null where it went well, else what it said. */
  | { readonly kind: 'ended'; readonly because: string | null }
  | { readonly kind: 'stopped'; readonly because: string }
  /** Its folder was taken away or is in use: it did not begin. */
  | { readonly kind: 'taken' };

/** The programs of a host, by a fixed path and with no environment but that. No shell reads anything. */
export function openHostPrograms(path: string) {
  const env = { PATH: path, LANG: 'C.UTF-8' };

  async function isThere(program: string): Promise<boolean> {
    const tries = await Promise.all(path.split(':').map((folder) => access(join(folder, program), constants.X_OK).then(() => true, () => false)));
    return tries.includes(true);
  }

  return {
    /** In words, which program a command needs and this machine does not have. */
    async findMissing(program: HostProgram): Promise<string | undefined> {
      for (const needed of [program, 'flock', 'env', 'rmdir']) {
        if (!(await isThere(needed))) return `there is no ${needed} on this machine (looked in ${path}); install it, or run the executor worker where it is`;
      }
      return undefined;
    },

    /** What a program answers, read without effect. */
    ask: (program: HostProgram, ...words: readonly string[]): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly because: string }> =>
      new Promise((resolve) => {
        execFile(program, [...words], { env, timeout: ASK_TIMEOUT_MS, maxBuffer: ASK_BYTES }, (error, stdout, stderr) => {
          resolve(error === null ? { ok: true, text: stdout } : { ok: false, because: shorten(stderr.trim() || error.message) });
        });
      }),

    /**
     * Runs a command if its folder is there and nobody has it: the lock is held until the command is gone, also when we are gone before,
     * and `env` enters the folder only once the lock is ours. Rejects, and leaves it running, when it is left to the next attempt.
     */
    async runOnce(
      folder: string,
      [program, ...words]: readonly [HostProgram, ...string[]],
      { timeoutMs, signal, onOutput }: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly onOutput: (line: string) => void },
    ): Promise<Ended> {
      const isLeft = (): boolean => isLeftToNext(signal);
      if (isLeft()) throw signal.reason;
      const child = spawn('flock', ['--nonblock', `--conflict-exit-code=${NOT_YET}`, `${folder}/`, 'env', `--chdir=${folder}`, program, ...words], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      const told = [child.stdout, child.stderr].map(async (stream) => {
        for await (const line of createInterface({ input: stream })) {
          said = line;
          if (!isLeft()) onOutput(line);
        }
      });
      const late = AbortSignal.timeout(timeoutMs);
      const stopping = AbortSignal.any([late, signal]);
      let stop = (): void => {};
      const closed = new Promise<number | null>((resolve, reject) => {
        child.once('error', reject).once('close', resolve);
        stop = () => (isLeft() ? reject(signal.reason) : killGroup(child.pid));
      });
      stopping.addEventListener('abort', stop, { once: true });
      if (stopping.aborted) stop();
      try {
        const code = await closed;
        await Promise.all(told);
        if (stopping.aborted) return { kind: 'stopped', because: late.aborted ? `it was not done after ${timeoutMs} ms` : 'it was cancelled' };
        if (code !== null && TAKEN.includes(code)) return { kind: 'taken' };
        return { kind: 'ended', because: code === 0 ? null : shorten(said || `it ended with ${code === null ? 'a signal' : code}`) };
      } finally {
        stopping.removeEventListener('abort', stop);
      }
    },

    /** Resolves when no command runs under this folder any more, and none can begin under it. */
    async waitUntilGone(folder: string, signal: AbortSignal): Promise<void> {
      for (;;) {
        signal.throwIfAborted();
        const code = await new Promise<number>((resolve, reject) => {
          spawn('flock', ['--nonblock', `--conflict-exit-code=${NOT_YET}`, `${folder}/`, 'rmdir', folder], { env, stdio: 'ignore' })
            .once('error', reject)
            .once('close', (ended) => resolve(ended ?? 1));
        });
        // 66: it is not there; whoever ran under it, or settled it, has taken it away.
        if (code === 0 || code === 66) return;
        // Whoever ran under it may have taken it away between the lock and this.
        const isGone = code !== NOT_YET && (await access(folder).then(() => false, () => true));
        if (isGone) return;
        if (code !== NOT_YET) throw new Error(`${folder} cannot be removed: flock ended with ${code}`);
        await wait(LOOK_EVERY_MS);
      }
    },
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    kill(-pid, 'SIGKILL');
  } catch (error) {
    // It is gone already.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

const shorten = (text: string): string => (text.length > MAX_TOLD ? `${text.slice(0, MAX_TOLD)}…` : text);
