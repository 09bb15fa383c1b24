import { lstatSync, readdirSync, type Stats, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../staged-file.js';
import type { SandboxSpec } from './bubblewrap.js';
import type { Cgroups } from './cgroups.js';
import type { Ended } from './run-folder.js';
import { listTree, measureTree } from './process-tree.js';

type Because = Extract<Ended, { kind: 'killed' }>['because'];

const LOOK_EVERY_MS = 100;
// A look at many files takes long; at most a fifth of the time is spent on it.
const REST_FACTOR = 4;
/** What a file takes at least, also an empty one. */
const ENTRY_BYTES = 4_096;
// Others fill the disk, too, so a script is ended for it only where so much of what was free is gone.
const OTHERS_SHARE = 4;

/** Calls `stop` when a script goes beyond what it may take: of time, of memory and processes where no control group bounds them, of the disk below its paths. */
export function watchLimits(
  spec: SandboxSpec & { readonly timeoutMs: number },
  { cgroups, init, cancelled }: { readonly cgroups: Cgroups; readonly init: number; readonly cancelled: AbortSignal },
  stop: (because: Because) => void,
): { readonly end: () => Promise<void> } {
  const before = measurePaths(spec.paths);
  const enough = before.bytes + spec.diskBytes;
  const devices = new Set(spec.paths.map((path) => lstatSync(path).dev));
  const freeBefore = spec.paths.map(measureFree);
  const ending = new AbortController();
  const deadline = setTimeout(() => stop('time'), spec.timeoutMs);
  const cancel = (): void => stop('cancelled');
  cancelled.addEventListener('abort', cancel);
  if (cancelled.aborted) cancel();

  const lookAgain = (look: () => Because | undefined): Promise<void> =>
    (async () => {
      while (!ending.signal.aborted) {
        const startedAt = Date.now();
        const because = look();
        if (because !== undefined) stop(because);
        await wait(Math.max(LOOK_EVERY_MS, REST_FACTOR * (Date.now() - startedAt)), undefined, { signal: ending.signal }).catch(() => {});
      }
    })();

  const needsTree = !cgroups.boundsMemory || !cgroups.boundsProcesses;
  const tree = lookAgain(() => {
    if (cgroups.ranOutOfMemory()) return 'memory';
    if (!needsTree) return undefined;
    const { processes, memoryBytes } = measureTree(init);
    if (memoryBytes > spec.memoryBytes) return 'memory';
    return processes > spec.processes ? 'processes' : undefined;
  });
  const disk = lookAgain(() => {
    const { bytes, closed } = measurePaths(spec.paths, enough);
    if (bytes > enough || [...closed].some((path) => !before.closed.has(path))) return 'disk';
    if (bytes + measureDeleted(init, devices) > enough) return 'disk';
    // What is mapped, or on its way through a socket, is in no list: that it never takes the machine's disk is all that can be held.
    return spec.paths.some((path, index) => (freeBefore[index] ?? 0) - measureFree(path) > spec.diskBytes + (freeBefore[index] ?? 0) / OTHERS_SHARE) ? 'space' : undefined;
  });

  return {
    async end() {
      clearTimeout(deadline);
      cancelled.removeEventListener('abort', cancel);
      ending.abort();
      await Promise.all([tree, disk]);
    },
  };
}

/** What is below these paths, as the disk has it, never through a link, and what of it cannot be looked at. It stops counting beyond `enough`: a look must not take longer the more there is. */
function measurePaths(paths: readonly string[], enough = Infinity): { readonly bytes: number; readonly closed: ReadonlySet<string> } {
  let bytes = 0;
  const closed = new Set<string>();
  const waiting = [...paths];
  for (let path = waiting.pop(); path !== undefined && bytes <= enough; path = waiting.pop()) {
    try {
      const stats = lstatSync(path);
      bytes += toBytes(stats);
      if (stats.isDirectory()) for (const name of readdirSync(path)) waiting.push(join(path, name));
    } catch (error) {
      // The script has shut it, or made it too deep to be named.
      if (hasCode(error, 'EACCES', 'ENAMETOOLONG')) closed.add(path);
      // It went while it was looked at.
      else if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return { bytes, closed };
}

/** What files of these devices take that have no name any more, and that a process of the tree has open. */
function measureDeleted(init: number, devices: ReadonlySet<number>): number {
  const files = new Map<string, number>();
  for (const pid of listTree(init)) {
    for (const fd of listIfThere(`/proc/${pid}/fd`)) {
      const stats = statIfThere(`/proc/${pid}/fd/${fd}`);
      if (stats?.isFile() && stats.nlink === 0 && devices.has(stats.dev)) files.set(`${stats.dev}:${stats.ino}`, toBytes(stats));
    }
  }
  return [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
}

const toBytes = ({ blocks }: Stats): number => Math.max(blocks * 512, ENTRY_BYTES);

function measureFree(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

const listIfThere = (folder: string): readonly string[] => orNothing(() => readdirSync(folder)) ?? [];
const statIfThere = (path: string): Stats | undefined => orNothing(() => statSync(path));

/** A process ends, and files are closed, while they are looked at; one that cannot be looked at is left to what is free. */
function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
