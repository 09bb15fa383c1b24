import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { kill, platform } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './trouble.js';

/** One process and no other: a pid is used again, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** Null when no such process runs. One that ended and was not yet collected by its parent does not run. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAt = platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/** What a file says about a process; null when it does not say it in our words. */
export function toIdentity(value: unknown): ProcessIdentity | null {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startedAt' in value)) return null;
  const { pid, startedAt } = value;
  return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : null;
}

export const isRunning = ({ pid, startedAt }: ProcessIdentity): boolean => identify(pid)?.startedAt === startedAt;

function startOnLinux(pid: number): string | null {
  try {
    // The name in parentheses may hold anything, so the fields are counted from the last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    const ticks = fields[19];
    if (state === 'Z' || state === 'X' || ticks === undefined) return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${ticks}`;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}

function startByPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
  } catch {
    return null; // ps says by its exit code that there is no such process
  }
}

/** Asks the process to end, and makes it end when it has not within the time. */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, withinMs: number): Promise<void> {
  const send = (which: NodeJS.Signals): void => {
    try {
      if (isRunning(identity)) kill(identity.pid, which);
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error;
    }
  };
  send(signal);
  const deadline = Date.now() + withinMs;
  while (isRunning(identity)) {
    if (Date.now() > deadline) send('SIGKILL');
    await sleep(25);
  }
}
