import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** New content of a file, safe on disk beside it under a name of its own. That it is still there tells that it was not swapped in. */
export interface StagedFile {
  readonly file: string;
  /** Of the change that it is for. */
  readonly key: string;
  readonly suffix: string;
}

const CALLED_OFF = '.off';

/** Writes new content beside a file, for the change of that key, with the file's mode and, where that is allowed, its owner. */
export async function stageFile(file: string, content: string, key: string): Promise<StagedFile> {
  const staged = { file, key, suffix: randomBytes(4).toString('hex') };
  const { mode, uid, gid } = await stat(file);
  const handle = await open(toPath(staged), 'wx', 0o600);
  try {
    await handle.writeFile(content, 'utf8');
    await keepOwner(handle, uid, gid);
    await handle.chmod(mode & 0o7777);
    await handle.sync();
  } catch (error) {
    await rm(toPath(staged), { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await syncFolder(staged);
  return staged;
}

/** Puts the staged content in the file's place: others see all of it or nothing. False when it was called off meanwhile. */
export async function swapIn(staged: StagedFile): Promise<boolean> {
  const wasThere = await renameIfThere(toPath(staged), staged.file);
  if (wasThere) await syncFolder(staged);
  return wasThere;
}

/** Sees to it that the staged content can never be swapped in any more. False when it was swapped in before. May be repeated. */
export async function callOff(staged: StagedFile): Promise<boolean> {
  const off = `${toPath(staged)}${CALLED_OFF}`;
  // Whoever renames it first has it. An empty mark is left, so that the answer stays the same.
  if (!(await renameIfThere(toPath(staged), off)) && !(await isThere(off))) return false;
  await truncate(off);
  await syncFolder(staged);
  return true;
}

/** Removes what was staged. False when it was swapped in or called off before. */
export async function unstage(staged: StagedFile): Promise<boolean> {
  try {
    await rm(toPath(staged));
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Removes all that a change has left beside the file. */
export async function sweepStaged({ file, key }: Pick<StagedFile, 'file' | 'key'>): Promise<void> {
  const folder = dirname(file);
  const left = (await readdir(folder)).filter((name) => name.startsWith(`.sluice-${key}-`));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}

export const writeHandle = ({ file, key, suffix }: StagedFile): string => JSON.stringify({ file, key, suffix });

/** Undefined for what is not a handle: whatever it says, nothing but what was staged is ever touched. */
export function readHandle(handle: string): StagedFile | undefined {
  try {
    const { file, key, suffix }: Partial<Record<string, unknown>> = Object(JSON.parse(handle));
    if (typeof file !== 'string' || typeof key !== 'string' || typeof suffix !== 'string') return undefined;
    return /^[0-9a-f]{32}$/.test(key) && /^[0-9a-f]{8}$/.test(suffix) ? { file, key, suffix } : undefined;
  } catch {
    return undefined;
  }
}

export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && codes.some((code) => code === error.code);

const toPath = ({ file, key, suffix }: StagedFile): string => join(dirname(file), `.sluice-${key}-${suffix}`);

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

const isThere = (path: string): Promise<boolean> => access(path, constants.F_OK).then(() => true, () => false);

async function keepOwner(handle: FileHandle, uid: number, gid: number): Promise<void> {
  try {
    await handle.chown(uid, gid);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
  }
}

async function syncFolder({ file }: StagedFile): Promise<void> {
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
