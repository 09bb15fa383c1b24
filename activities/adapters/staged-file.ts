import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { getegid, geteuid, getgroups } from 'node:process';

/** New content of a file, safe on disk beside it under a name of its own. That it is still there tells that it was not swapped in. */
export interface StagedFile {
  readonly file: string;
  /** Of the change that it is for. */
  readonly key: string;
  readonly suffix: string;
}

const CALLED_OFF = '.off';
// What is made in a folder with this bit gets the folder's group.
const SET_GROUP = 0o2000;
// By then everybody who could ask what became of it has asked.
const MARK_KEPT_MS = 7 * 86_400_000;

/** Thrown where another file in its place would not be the same to those who use it. */
export class NotReplaceable extends Error {
  override readonly name = 'NotReplaceable';
}

/** Why no file of ours can take this one's place unnoticed, as far as that is seen without trying. */
export async function whyNotReplaceable(file: string): Promise<string | undefined> {
  const [{ nlink, uid, gid }, folder] = await Promise.all([stat(file), stat(dirname(file))]);
  if (nlink > 1) return `${file} has ${nlink} names (hard links), and the others would keep the old content`;
  const user = geteuid?.() ?? 0;
  if (user === 0) return undefined;
  const isOurGroup = [getegid?.(), ...(getgroups?.() ?? [])].includes(gid) || ((folder.mode & SET_GROUP) !== 0 && folder.gid === gid);
  return user === uid && isOurGroup ? undefined : `${file} belongs to ${uid}:${gid}, and what user ${user} puts in its place would not`;
}

/** Writes new content beside a file, for the change of that key, with the file's mode, owner and group. Throws `NotReplaceable` where it cannot have them. */
export async function stageFile(file: string, content: string, key: string): Promise<StagedFile> {
  const because = await whyNotReplaceable(file);
  if (because !== undefined) throw new NotReplaceable(because);
  await sweepOldMarks(dirname(file));
  const staged = { file, key, suffix: randomBytes(4).toString('hex') };
  const { mode, uid, gid } = await stat(file);
  const handle = await open(toPath(staged), 'wx', 0o600);
  try {
    await handle.writeFile(content, 'utf8');
    await keepOwner(handle, uid, gid);
    await handle.chmod(mode & 0o7777);
    const got = await handle.stat();
    if (got.uid !== uid || got.gid !== gid || got.mode !== mode) throw new NotReplaceable(`owner, group and mode of ${file} cannot be kept`);
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

/** Sees to it that the staged content can never be swapped in any more, and says when that was so: `tooLate` where it was swapped in. May be repeated. */
export async function callOff(staged: StagedFile): Promise<'now' | 'before' | 'tooLate'> {
  const off = `${toPath(staged)}${CALLED_OFF}`;
  // Whoever renames it first has it. An empty mark is left, so that the answer stays the same.
  const isFirst = await renameIfThere(toPath(staged), off);
  if (!isFirst && !(await isThere(off))) return 'tooLate';
  await truncate(off);
  await syncFolder(staged);
  return isFirst ? 'now' : 'before';
}

/** Removes what was staged and nobody knows of. */
export const unstage = (staged: StagedFile): Promise<void> => rm(toPath(staged), { force: true });

/** Removes all that a change has left beside the file. */
export async function sweepStaged({ file, key }: Pick<StagedFile, 'file' | 'key'>): Promise<void> {
  const folder = dirname(file);
  const left = (await readdir(folder)).filter((name) => name.startsWith(`.sluice-${key}-`));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}

/** Marks of changes that were called off stay for those who ask later, but not for ever. */
async function sweepOldMarks(folder: string): Promise<void> {
  const marks = (await readdir(folder)).filter((name) => /^\.sluice-[0-9a-f]{32}-[0-9a-f]{8}\.off$/.test(name)).map((name) => join(folder, name));
  await Promise.all(
    marks.map(async (mark) => {
      const left = await stat(mark).catch(() => undefined);
      if (left !== undefined && Date.now() - left.mtimeMs > MARK_KEPT_MS) await rm(mark, { force: true });
    }),
  );
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
