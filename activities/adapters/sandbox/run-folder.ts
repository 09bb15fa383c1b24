import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../staged-file.js';
import type { ProcessIdentity } from './process-tree.js';

/** How a run ended. */
export type Ended =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly because: 'time' | 'memory' | 'processes' | 'disk' | 'space' | 'cancelled' }
  /** Not one line of the script was run. */
  | { readonly kind: 'notStarted'; readonly because: string }
  /** The paths are not as they were rehearsed; not one line was run. */
  | { readonly kind: 'changedBefore' }
  | { readonly kind: 'restored' }
  /** Its runner died. */
  | { readonly kind: 'lost' };

/** What is written when a run ended. `left` is the SHA-256 of what its paths are since. */
export interface ExitRecord {
  readonly ended: Ended;
  readonly endedAt: string;
  readonly tookMs: number;
  readonly left: string;
}

/** What must be gone before anybody may say that a run is. */
export interface Tree {
  readonly init: ProcessIdentity;
  readonly cgroups: readonly string[];
}

const STARTED = 'started';
const EXIT = 'exit';
const TREE = 'tree';
const NOBODY = 'nobody';
export const OUTPUT = 'output';

const DAY_MS = 86_400_000;
// Whoever lost a result asks again within a day; how a run left its paths is asked as long as it may be taken back.
const OUTPUT_KEPT_MS = DAY_MS;
const RUN_KEPT_MS = 90 * DAY_MS;

/** Makes a folder for one try to make the change of this key; returns its name. What is long over is swept away on the way. */
export async function createRun(runs: string, key: string): Promise<string> {
  await mkdir(runs, { recursive: true, mode: 0o700 });
  await sweep(runs);
  const name = `${key}-${randomBytes(4).toString('hex')}`;
  await mkdir(join(runs, name), { mode: 0o700 });
  await syncFolder(runs);
  return name;
}

export const isRunName = (name: string): boolean => /^[0-9a-f]{32}-[0-9a-f]{8}$/.test(name);

/** All that was tried under this key. */
export async function listRuns(runs: string, key: string): Promise<readonly string[]> {
  const names = await readdir(runs).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  return names.filter((name) => isRunName(name) && name.startsWith(key)).map((name) => join(runs, name));
}

/** Takes a run for this process, or with null for nobody, so that it never starts. False when it was taken before. */
export async function takeRun(folder: string, taker: ProcessIdentity | null): Promise<boolean> {
  const draft = join(folder, `${STARTED}-${randomBytes(4).toString('hex')}`);
  await writeSafely(draft, taker === null ? NOBODY : JSON.stringify(taker));
  try {
    await link(draft, join(folder, STARTED));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft);
    await syncFolder(folder);
  }
}

/** Who took a run; null for nobody ever, undefined while it is free. */
export async function readTaker(folder: string): Promise<ProcessIdentity | null | undefined> {
  const text = await readIfThere(join(folder, STARTED));
  if (text === undefined) return undefined;
  return text === NOBODY ? null : (JSON.parse(text) as ProcessIdentity);
}

export const writeTree = (folder: string, tree: Tree): Promise<void> => writeWhole(folder, TREE, JSON.stringify(tree));
export const writeExit = (folder: string, exit: ExitRecord): Promise<void> => writeWhole(folder, EXIT, JSON.stringify(exit));

/** undefined where nothing was begun. */
export async function readTree(folder: string): Promise<Tree | undefined> {
  const text = await readIfThere(join(folder, TREE));
  return text === undefined ? undefined : (JSON.parse(text) as Tree);
}

export async function readExit(folder: string): Promise<ExitRecord | undefined> {
  const text = await readIfThere(join(folder, EXIT));
  return text === undefined ? undefined : (JSON.parse(text) as ExitRecord);
}

export const removeRun = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

export async function isThere(folder: string): Promise<boolean> {
  return stat(folder).then(() => true, () => false);
}

/** All of it is on disk under its name, or nothing. */
async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const draft = join(folder, `${name}-${randomBytes(4).toString('hex')}`);
  await writeSafely(draft, text);
  await rename(draft, join(folder, name));
  await syncFolder(folder);
}

async function writeSafely(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function sweep(runs: string): Promise<void> {
  for (const name of (await readdir(runs)).filter(isRunName)) {
    const folder = join(runs, name);
    const ageMs = Date.now() - ((await stat(folder).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (ageMs > RUN_KEPT_MS) await removeRun(folder);
    else if (ageMs > OUTPUT_KEPT_MS && (await readExit(folder)) !== undefined) await rm(join(folder, OUTPUT), { force: true });
  }
}
