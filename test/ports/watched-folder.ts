import { watch } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../harness/until.js';

/** Counts what the file system itself says happened to one file of a folder: each time another file took its place, or it was written to. */
export function watchFile(folder: string, name: string) {
  let generations = 0;
  const seen = new Set<string>();
  const watcher = watch(folder, (_event, changed) => {
    if (changed === name) generations += 1;
    if (changed !== null) seen.add(changed);
  });
  let asked = 0;
  return {
    /** What the system tells comes in order: after a mark of our own was seen, all before it was. */
    async count(): Promise<number> {
      const mark = `mark-${(asked += 1)}`;
      await until('word from the file system', async () => {
        await writeFile(join(folder, mark), '');
        return seen.has(mark);
      });
      return generations;
    },
    close: () => watcher.close(),
  };
}
