import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hasCode } from '../staged-file.js';
import type { SandboxSpec } from './bubblewrap.js';
import type { Cgroups } from './cgroups.js';
import type { Ended } from './run-folder.js';
import { measureTree } from './process-tree.js';

type Because = Extract<Ended, { kind: 'killed' }>['because'];

const LOOK_EVERY_MS = 100;
// A look at many files takes long; at most a fifth of the time is spent on it.
const REST_FACTOR = 4;
/** What a file takes at least, also an empty one. */
const ENTRY_BYTES = 4_096;

/** Calls `stop` when a script goes beyond what it may take: of time, of memory and processes where no control group bounds them, of the disk below its paths. */
export function watchLimits(
  spec: SandboxSpec & { readonly timeoutMs: number },
  { cgroups, init, cancelled }: { readonly cgroups: Cgroups; readonly init: number; readonly cancelled: AbortSignal },
  stop: (because: Because) => void,
): { readonly end: () => Promise<void> } {
  const before = measurePaths(spec.paths);
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
  const disk = lookAgain(() => (measurePaths(spec.paths, before + spec.diskBytes) > before + spec.diskBytes ? 'disk' : undefined));

  return {
    async end() {
      clearTimeout(deadline);
      cancelled.removeEventListener('abort', cancel);
      ending.abort();
      await Promise.all([tree, disk]);
    },
  };
}

/** What is below these paths, as the disk has it, never through a link. It stops counting beyond `enough`: a look must not take longer the more there is. */
function measurePaths(paths: readonly string[], enough = Infinity): number {
  let sum = 0;
  const waiting = [...paths];
  for (let path = waiting.pop(); path !== undefined && sum <= enough; path = waiting.pop()) {
    try {
      const stats = lstatSync(path);
      sum += Math.max(stats.blocks * 512, ENTRY_BYTES);
      if (stats.isDirectory()) for (const name of readdirSync(path)) waiting.push(join(path, name));
    } catch (error) {
      // It went while it was looked at, or the script has shut it or made it too deep to be named.
      if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG')) throw error;
    }
  }
  return sum;
}
