import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../staged-file.js';

/** One process and no other: a pid is used again, a pid with its start is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

const PAGE_BYTES = 4_096;
const LOOK_EVERY_MS = 20;

/** null when no such process runs; one that ended and was not collected yet does not. */
export function identify(pid: number): ProcessIdentity | null {
  const fields = readStat(pid);
  if (fields === null || fields.state === 'Z' || fields.state === 'X') return null;
  return { pid, startedAt: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields.start}` };
}

export const isRunning = ({ pid, startedAt }: ProcessIdentity): boolean => identify(pid)?.startedAt === startedAt;

/** Sends a signal to this process; to no other that has its pid by now. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isRunning(identity)) process.kill(identity.pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** Kills the first process of a PID namespace, with which the kernel kills all of it; resolves when it is gone. */
export async function endNamespace(init: ProcessIdentity): Promise<void> {
  signalProcess(init, 'SIGKILL');
  while (isRunning(init)) await wait(LOOK_EVERY_MS);
}

/** How many processes there are below this one, and how much memory they have. */
export function measureTree(root: number): { readonly processes: number; readonly memoryBytes: number } {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  const children = new Map<number, { readonly pid: number; readonly pages: number }[]>();
  for (const pid of pids) {
    const stat = readStat(pid);
    if (stat !== null) children.set(stat.parent, [...(children.get(stat.parent) ?? []), { pid, pages: stat.pages }]);
  }
  const measure = (pid: number): { readonly processes: number; readonly memoryBytes: number } =>
    (children.get(pid) ?? []).reduce(
      (sum, child) => {
        const below = measure(child.pid);
        return { processes: sum.processes + 1 + below.processes, memoryBytes: sum.memoryBytes + child.pages * PAGE_BYTES + below.memoryBytes };
      },
      { processes: 0, memoryBytes: 0 },
    );
  return measure(root);
}

function readStat(pid: number): { readonly state: string; readonly parent: number; readonly start: string; readonly pages: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, so the fields are counted from the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? 'X', parent: Number(fields[1]), start: fields[19] ?? '', pages: Number(fields[21]) };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
}
