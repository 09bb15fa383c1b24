import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { sha256 } from '../../digest.js';
import { Fault } from '../../faults.js';
import { CalledOff, type Change, type ChangeOptions, type ChangeResult } from '../../ports.js';
import { hasCode } from '../staged-file.js';
import { restorePaths } from './path-restore.js';
import { parseSnapshot, type PathsReading, readPaths } from './path-snapshot.js';
import { identify, isRunning, mayBeElsewhere } from './process-tree.js';
import { createRun, readExit, readTaker, removeRun, takeRun, writeExit } from './run-folder.js';
import { ELSEWHERE } from './sandbox-words.js';

type Rollback = Extract<Change, { kind: 'rollback' }>;

const LOOK_EVERY_MS = 40;

/** Puts declared paths back, if they are as the run in the folder `left` left them. */
export async function restoreRun(
  { runs, left, before, reading }: { readonly runs: string; readonly left: string | undefined; readonly before: string; readonly reading: PathsReading },
  change: Rollback,
  options: ChangeOptions,
): Promise<ChangeResult> {
  const words = toWords(change);
  if (sha256(change.snapshot) !== before) return { kind: 'failed', changed: false, summary: `the snapshot is not what ${words} was when the step was approved` };
  // It may have been settled by nobody, and its runner may still come.
  if (left !== undefined) await takeRun(left, null).catch(allowMissing);
  const now = sha256(reading.text);
  if (now === before) return { kind: 'done', summary: `${words} is as it was before the step` };
  const exit = left === undefined ? undefined : await readExit(left);
  if (exit?.left !== now) return { kind: 'conflict', summary: `${words} was changed since the step, by somebody else` };
  options.signal.throwIfAborted();
  const run = await createRun(runs, change.key);
  const folder = join(runs, run);
  try {
    await options.begin(JSON.stringify({ run }));
  } catch (error) {
    if (error instanceof CalledOff) await removeRun(folder);
    throw error;
  }
  if (!(await takeRun(folder, identify(process.pid)))) throw new Error(`putting ${words} back was settled by another worker`);
  if (sha256((await readPaths(toPaths(change))).text) !== now) {
    await writeExit(folder, { ended: { kind: 'changedBefore' }, endedAt: new Date().toISOString(), tookMs: 0, left: now });
    return { kind: 'conflict', summary: `${words} was changed by somebody else at the same moment` };
  }
  const result = await restore(folder, change, before);
  options.onOutput(result.summary);
  return result;
}

/** What became of a rollback that began in this folder. Where whoever made it died on the way, it is made to the end: doing half of it again does nothing. */
export async function settleRestore(
  folder: string,
  change: Rollback,
  { before, refuse, signal }: { readonly before: string; readonly refuse: () => Promise<string | undefined>; readonly signal: AbortSignal },
): Promise<ChangeResult | { readonly kind: 'notDone' }> {
  for (;;) {
    signal.throwIfAborted();
    const taker = await readTaker(folder);
    const exit = await readExit(folder);
    if (exit?.ended.kind === 'changedBefore') return { kind: 'notDone' };
    if (exit !== undefined) return { kind: 'done', summary: `${toWords(change)} was put back` };
    if (taker && mayBeElsewhere(taker)) throw new Fault('outcomeUnknown', ELSEWHERE);
    if (!taker || !isRunning(taker)) {
      const because = sha256(change.snapshot) === before ? await refuse() : 'the snapshot is not what it was when the step was approved';
      return because === undefined ? restore(folder, change, before) : { kind: 'failed', changed: true, summary: `${toWords(change)} cannot be put back: ${because}` };
    }
    await wait(LOOK_EVERY_MS);
  }
}

async function restore(folder: string, change: Rollback, before: string): Promise<ChangeResult> {
  const words = toWords(change);
  const other = parseSnapshot(change.snapshot).find(({ path }) => !toPaths(change).includes(path));
  if (other !== undefined) return { kind: 'failed', changed: true, summary: `${words} cannot be put back: the snapshot is of ${other.path}` };
  const because = await restorePaths(change.snapshot, change.key).catch((error: unknown) => {
    // What makes no difference when it is tried again.
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'EBUSY', 'ENOSPC', 'EDQUOT')) return String(error);
    throw error;
  });
  if (because !== null) return { kind: 'failed', changed: true, summary: `${words} cannot be put back: ${because}` };
  await writeExit(folder, { ended: { kind: 'restored' }, endedAt: new Date().toISOString(), tookMs: 0, left: before });
  return { kind: 'done', summary: `put ${words} back as it was` };
}

const toPaths = ({ step }: Rollback): readonly string[] => step.sandbox?.paths ?? [];
const toWords = (change: Rollback): string => toPaths(change).join(', ');

function allowMissing(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error;
}
