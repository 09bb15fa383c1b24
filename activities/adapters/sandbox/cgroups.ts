import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../staged-file.js';

/** The control groups of one run; what they cannot bound, its runner has to. */
export interface Cgroups {
  readonly folders: readonly string[];
  readonly boundsMemory: boolean;
  readonly boundsProcesses: boolean;
  /** Whether the kernel has killed a process of it for want of memory. */
  readonly ranOutOfMemory: () => boolean;
}

interface Limits {
  readonly memoryBytes: number;
  readonly processes: number;
}

const REMOVE_TRIES = 50;
const REMOVE_EVERY_MS = 20;

/** Makes control groups below, or with version 2 beside, our own. Where we may not, there are none, and nothing is left. */
export function openCgroups(name: string, limits: Limits): Cgroups {
  const unified = findUnified();
  if (unified !== undefined) {
    const folder = make(join(unified, name), (write) => {
      write('memory.max', limits.memoryBytes);
      write('memory.swap.max', 0, 'whereItIs');
      write('memory.oom.group', 1, 'whereItIs');
      write('pids.max', limits.processes);
    });
    if (folder !== undefined) return { folders: [folder], boundsMemory: true, boundsProcesses: true, ranOutOfMemory: () => countKills(join(folder, 'memory.events')) > 0 };
  }
  const memory = makeBelow('memory', name, (write) => {
    write('memory.limit_in_bytes', limits.memoryBytes);
    write('memory.memsw.limit_in_bytes', limits.memoryBytes, 'whereItIs');
  });
  const pids = makeBelow('pids', name, (write) => write('pids.max', limits.processes));
  return {
    folders: [memory, pids].filter((folder) => folder !== undefined),
    boundsMemory: memory !== undefined,
    boundsProcesses: pids !== undefined,
    ranOutOfMemory: () => memory !== undefined && countKills(join(memory, 'memory.oom_control')) > 0,
  };
}

/** Removes control groups, once nothing runs in them any more. */
export async function removeCgroups(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (let tries = 0; !isRemoved(folder) && tries < REMOVE_TRIES; tries += 1) await wait(REMOVE_EVERY_MS);
  }
}

function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EBUSY')) return false;
    throw error;
  }
}

type Write = (file: string, value: number, when?: 'whereItIs') => void;

const makeBelow = (controller: string, name: string, bound: (write: Write) => void): string | undefined => {
  const parent = findController(controller);
  return parent === undefined ? undefined : make(join(parent, name), bound);
};

function make(folder: string, bound: (write: Write) => void): string | undefined {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) return undefined;
    throw error;
  }
  try {
    bound((file, value, when) => {
      try {
        // Never creates what the kernel does not have.
        writeFileSync(join(folder, file), `${value}`, { flag: 'r+' });
      } catch (error) {
        if (when !== 'whereItIs') throw error;
      }
    });
    return folder;
  } catch {
    // It bounds nothing here, so it is as if there were none.
    rmdirSync(folder);
    return undefined;
  }
}

/** How often the kernel killed: `oom_kill N` is a line of both versions. */
const countKills = (file: string): number => Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);

/** Beside our own group, where memory and processes are handed down to its children; a group that has processes cannot have such children. */
function findUnified(): string | undefined {
  const own = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  const folder = own === undefined ? undefined : toFolder(own, (type) => type === 'cgroup2');
  if (own === undefined || folder === undefined) return undefined;
  const parent = own === '/' ? folder : dirname(folder);
  try {
    const handed = readFileSync(join(parent, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
    return handed.includes('memory') && handed.includes('pids') ? parent : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}

function findController(controller: string): string | undefined {
  const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n').map((line) => line.split(':')).find(([, controllers]) => controllers?.split(',').includes(controller));
  return own === undefined ? undefined : toFolder(own.slice(2).join(':'), (type, options) => type === 'cgroup' && options.split(',').includes(controller));
}

/** Where a group is mounted, by the table of mounts. */
function toFolder(group: string, isWanted: (type: string, options: string) => boolean): string | undefined {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [place = '', source = ''] = line.split(' - ');
    const [, , , root = '', folder = ''] = place.split(' ');
    const [type = '', , options = ''] = source.split(' ');
    if (!isWanted(type, options)) continue;
    if (root === '/') return join(folder, group);
    if (group === root || group.startsWith(`${root}/`)) return join(folder, group.slice(root.length));
  }
  return undefined;
}
