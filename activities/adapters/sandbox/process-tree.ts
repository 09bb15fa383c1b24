import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../staged-file.js';

/** One process and no other: a pid is used again, a pid with its start is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
  readonly place: Place;
}

/** Where a pid means something: one PID namespace, as long as one machine is up. */
interface Place {
  readonly machine: string;
  readonly boot: string;
  readonly namespace: string;
}

const PAGE_BYTES = 4_096;
const LOOK_EVERY_MS = 20;

/** null when no such process runs; one that ended and was not collected yet does not. */
export function identify(pid: number): ProcessIdentity | null {
  const fields = readStat(pid);
  if (fields === null || fields.state === 'Z' || fields.state === 'X') return null;
  return { pid, startedAt: fields.start, place: readPlace() };
}

/** Whether it runs here; one that is not here may still run elsewhere, see `mayBeElsewhere`. */
export function isRunning({ pid, startedAt, place }: ProcessIdentity): boolean {
  const now = identify(pid);
  return now !== null && now.startedAt === startedAt && now.place.boot === place.boot && now.place.namespace === place.namespace;
}

/** Whether nobody here can tell that this process is gone. Of a machine that was started again it is. */
export function mayBeElsewhere({ place }: ProcessIdentity): boolean {
  const here = readPlace();
  return place.namespace !== here.namespace || (place.boot !== here.boot && place.machine !== here.machine);
}

// Containers of one image may have one machine-id, so the name of the machine counts as well.
const readPlace = (): Place => ({
  machine: `${readMachineId()} ${hostname()}`,
  boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  namespace: readlinkSync('/proc/self/ns/pid'),
});

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
  const below = readBelow(root);
  return { processes: below.length, memoryBytes: below.reduce((sum, { pages }) => sum + pages * PAGE_BYTES, 0) };
}

/** This process and all below it. */
export const listTree = (root: number): readonly number[] => [root, ...readBelow(root).map(({ pid }) => pid)];

function readBelow(root: number): readonly { readonly pid: number; readonly pages: number }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  const children = new Map<number, { readonly pid: number; readonly pages: number }[]>();
  for (const pid of pids) {
    const stat = readStat(pid);
    if (stat !== null) children.set(stat.parent, [...(children.get(stat.parent) ?? []), { pid, pages: stat.pages }]);
  }
  const list = (pid: number): readonly { readonly pid: number; readonly pages: number }[] => (children.get(pid) ?? []).flatMap((child) => [child, ...list(child.pid)]);
  return list(root);
}

function readMachineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
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
