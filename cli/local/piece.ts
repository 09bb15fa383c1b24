import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshLog, lastLines, type Home } from './home.js';
import type { Ledger } from './ledger.js';
import { endProcess, identify, type ProcessIdentity } from './process-identity.js';
import { explain, reasonOf, Trouble } from './trouble.js';
import type { RunsAs } from './unprivileged.js';

export interface PieceSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whose rights it runs with; empty for those of this process. */
  readonly runsAs: RunsAs;
  /** With a channel the child can say that it is ready, and notices when this process is gone. */
  readonly channel: boolean;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly stopWithinMs: number;
  readonly readyWithinMs: number;
  /** Before each start, the ones after a crash too. */
  readonly beforeStart?: () => Promise<void>;
  /** Resolves once it serves; `gone` is aborted when it ended or nobody waits any longer. */
  readonly ready: (child: ChildProcess, gone: AbortSignal) => Promise<void>;
}

/** A process that is kept running until it is stopped. */
export interface Piece {
  readonly name: string;
  pid(): number | null;
  stop(): Promise<void>;
}

export interface Surroundings {
  readonly home: Home;
  readonly ledger: Ledger;
  readonly say: (line: string) => void;
  /** Aborted when the start is called off: then nothing more is started, and what was started ends. */
  readonly stopping: AbortSignal;
  /** By name, from the moment they are started. */
  readonly pieces: Map<string, Piece>;
  /** Whoever served this long before it ended is started again at once, the others after ever longer pauses. A minute unless said. */
  readonly steadyAfterMs?: number;
}

interface Running {
  readonly identity: ProcessIdentity | null;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
}

const longestPauseMs = 30_000;
const usuallySteadyAfterMs = 60_000;
const progressEveryMs = 10_000;

/** Starts it, waits until it serves, and starts it again whenever it ends by itself. */
export async function startPiece(spec: PieceSpec, surroundings: Surroundings): Promise<Piece> {
  const { say, steadyAfterMs = usuallySteadyAfterMs } = surroundings;
  const stopped = new AbortController();
  let running: Running | null = null;
  const end = async (): Promise<void> => {
    stopped.abort();
    if (running !== null) await endRunning(running, spec);
  };
  surroundings.stopping.throwIfAborted();
  surroundings.stopping.addEventListener('abort', () => void end());

  const launch = async (): Promise<Running> => {
    await spec.beforeStart?.();
    const log = await freshLog(surroundings.home, spec.name);
    stopped.signal.throwIfAborted();
    const { child, ...launched } = spawnLogged(spec, log, surroundings.ledger);
    running = launched;
    await untilReady(spec, child, launched, log, say);
    return launched;
  };

  const keepRunning = async (first: Running): Promise<void> => {
    let current: Running | null = first;
    let readyAt = Date.now();
    let pauseMs = 500;
    for (;;) {
      if (current !== null) {
        const how = await current.ended;
        if (stopped.signal.aborted) return;
        if (Date.now() - readyAt > steadyAfterMs) pauseMs = 500;
        say(`${spec.name} ended unexpectedly (${how}) and is started again; what it wrote is in ${surroundings.home.logs}`);
      }
      await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      try {
        current = await launch();
        readyAt = Date.now();
      } catch (error) {
        current = null;
        if (!stopped.signal.aborted) say(error instanceof Trouble ? explain(error) : `${spec.name}: ${reasonOf(error)}`);
      }
    }
  };

  let kept: Promise<void> = Promise.resolve();
  const piece: Piece = {
    name: spec.name,
    pid: () => running?.identity?.pid ?? null,
    async stop() {
      await end();
      await kept;
    },
  };
  surroundings.pieces.set(spec.name, piece);
  kept = keepRunning(await launch());
  return piece;
}

function spawnLogged(spec: PieceSpec, log: string, ledger: Ledger) {
  const output = openSync(log, 'a', 0o600);
  // In a session of its own, so that Ctrl-C in the terminal reaches only us and we end things in order.
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    ...spec.runsAs,
    detached: true,
    stdio: ['ignore', output, output, ...(spec.channel ? (['ipc'] as const) : [])],
  });
  closeSync(output);
  const { pid } = child;
  const identity = pid === undefined ? null : identify(pid);
  if (pid !== undefined) ledger.note(spec.name, pid, spec.stopSignal);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      if (pid !== undefined) ledger.strike(pid);
      resolve(signal ?? `exit code ${code}`);
    });
  });
  return { child, identity, ended };
}

async function endRunning({ identity, ended }: Running, { stopSignal, stopWithinMs }: PieceSpec): Promise<void> {
  if (identity !== null) await endProcess(identity, stopSignal, stopWithinMs);
  await ended;
}

async function untilReady(spec: PieceSpec, child: ChildProcess, running: Running, log: string, say: (line: string) => void): Promise<void> {
  const startedAt = Date.now();
  const seconds = (): number => Math.round((Date.now() - startedAt) / 1000);
  const gone = new AbortController();
  const progress = setInterval(() => say(`Still waiting for ${spec.name}, ${seconds()} s`), progressEveryMs);
  const tooLate = sleep(spec.readyWithinMs, 'was not ready in time', { signal: gone.signal, ref: false });
  try {
    const failed = await Promise.race([spec.ready(child, gone.signal).then(() => null), running.ended.then((how) => `ended (${how})`), tooLate]);
    if (failed === null) return;
    throw new Trouble(
      `${spec.name} ${failed} after ${seconds()} s. The end of its log:\n${(await lastLines(log)).replaceAll(/^/gm, '  | ')}`,
      `look into ${log}`,
    );
  } catch (error) {
    await endRunning(running, spec);
    throw error;
  } finally {
    clearInterval(progress);
    gone.abort();
  }
}

/** Ready when the child says so over its channel. */
export const saysReady = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'ready') resolve();
    });
  });

/** Ready when the question is answered with yes; asked again and again until then. */
export const answers =
  (question: () => Promise<boolean>) =>
  async (_child: ChildProcess, gone: AbortSignal): Promise<void> => {
    while (!gone.aborted && !(await question())) await sleep(40);
  };
