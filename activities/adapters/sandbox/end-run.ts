import { removeCgroups } from './cgroups.js';
import { endNamespace } from './process-tree.js';
import { digestPaths } from './path-snapshot.js';
import { readExit, readTree, writeExit } from './run-folder.js';

/** For a run whose runner died: its tree dies with it, and this waits until that is so. Notes what the paths are then, so that taking it back finds out whether others changed them later. */
export async function endRun(folder: string, paths: readonly string[]): Promise<void> {
  const tree = await readTree(folder);
  if (tree !== undefined) {
    await endNamespace(tree.init);
    await removeCgroups(tree.cgroups);
  }
  if ((await readExit(folder)) !== undefined) return;
  await writeExit(folder, { ended: { kind: 'lost' }, endedAt: new Date().toISOString(), tookMs: 0, left: await digestPaths(paths) });
}
