import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, lstat, mkdir, open, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { hasCode } from '../staged-file.js';
import { type PathSnapshot, parseSnapshot, readPaths, type SnapshotEntry } from './path-snapshot.js';

const execute = promisify(execFile);
const PATH = '/usr/bin:/bin';
// O_PATH, which Node does not name: also of what may be entered and not read.
const AS_IT_IS = 0o10000000 | constants.O_NOFOLLOW;
const FOLDER = AS_IT_IS | constants.O_DIRECTORY;

/** Why paths cannot be put back, in words. */
class NotRestored extends Error {
  override readonly name = 'NotRestored';
}

/**
 * Makes paths what they were, to the nanosecond: what was added goes, what was there comes back. What did not change is left alone, and no link is ever followed.
 * May be repeated, also after half of it. Returns why they are still not the same, or null.
 */
export async function restorePaths(snapshot: string, suffix: string): Promise<string | null> {
  const now = await readPaths(parseSnapshot(snapshot).map(({ path }) => path));
  const current = new Map(now.kind === 'whole' ? parseSnapshot(now.text).map(({ path, entries }) => [path, new Map(entries.map((entry) => [entry.at, entry]))]) : []);
  try {
    for (const wanted of parseSnapshot(snapshot)) await restore(wanted, current.get(wanted.path) ?? new Map<string, SnapshotEntry>(), suffix);
  } catch (error) {
    if (error instanceof NotRestored) return error.message;
    throw error;
  }
  const after = await readPaths(parseSnapshot(snapshot).map(({ path }) => path));
  return after.kind === 'whole' && after.text === snapshot ? null : 'they are not what they were, after everything was put back';
}

async function restore({ path: root, entries }: PathSnapshot, current: ReadonlyMap<string, SnapshotEntry>, suffix: string): Promise<void> {
  const children = new Map<string, SnapshotEntry[]>();
  for (const entry of entries) if (entry.at !== '') children.set(toParent(entry.at), [...(children.get(toParent(entry.at)) ?? []), entry]);
  const restoreIn = async (folder: FileHandle, name: string, entry: SnapshotEntry): Promise<void> => {
    if (!isSame(entry, current.get(entry.at))) await put(folder, name, entry, suffix);
    if (entry.kind === 'folder') {
      const below = children.get(entry.at) ?? [];
      await withHandle(await open(inside(folder, name), FOLDER), async (own) => {
        await removeOthers(own, new Set(below.map(({ at }) => basename(at))));
        for (const each of below) await restoreIn(own, basename(each.at), each);
      });
    }
    // Last, because whatever is done in a folder changes its time.
    await setTime(inside(folder, name), entry);
  };
  const top = entries.find(({ at }) => at === '');
  if (top !== undefined) await withHandle(await openFolder(dirname(root)), (folder) => restoreIn(folder, basename(root), top));
}

const toParent = (at: string): string => (at.includes('/') ? dirname(at) : '');

const isSame = (one: SnapshotEntry, other: SnapshotEntry | undefined): boolean =>
  other !== undefined && one.kind === other.kind && one.mode === other.mode && one.uid === other.uid && one.gid === other.gid && one.content === other.content;

/** By handles of folders, each opened in the one before and never through a link: whoever owns them may swap one for a link at any moment, and we may be root. */
async function openFolder(path: string): Promise<FileHandle> {
  let folder = await open('/', FOLDER);
  for (const name of path.split('/').filter((each) => each !== '')) folder = await withHandle(folder, (outer) => open(inside(outer, name), FOLDER));
  return folder;
}

/** What the handle is of, also under a name that is not its any more; programs that we start can name it, too. */
const toPath = ({ fd }: FileHandle): string => `/proc/${process.pid}/fd/${fd}`;
const inside = (folder: FileHandle, name: string): string => join(toPath(folder), name);

async function withHandle<T>(handle: FileHandle, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

async function put(folder: FileHandle, name: string, entry: SnapshotEntry, suffix: string): Promise<void> {
  const path = inside(folder, name);
  const there = await lstat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  const isFolder = there?.isDirectory() ?? false;
  if (entry.kind === 'folder') {
    if (!isFolder) {
      await rm(path, { force: true });
      await mkdir(path);
    }
    return withHandle(await open(path, FOLDER), (handle) => setRights(handle, entry));
  }
  if (isFolder) await removeAll(path);
  // Beside it and then in its place, so that nobody ever sees half of it.
  const staged = inside(folder, `.sluice-${suffix}`);
  await rm(staged, { force: true });
  await (entry.kind === 'link' ? makeLink(staged, entry) : makeFile(staged, entry));
  await setTime(staged, entry);
  await rename(staged, path);
}

async function makeLink(path: string, entry: SnapshotEntry): Promise<void> {
  await symlink(toContent(entry), path);
  await withHandle(await open(path, AS_IT_IS), async (handle) => {
    if (!(await handle.stat()).isSymbolicLink()) throw new NotRestored('a link was replaced while it was put back');
    await setRights(handle, entry);
  });
}

async function makeFile(path: string, entry: SnapshotEntry): Promise<void> {
  await withHandle(await open(path, 'wx', 0o600), async (file) => {
    await file.writeFile(toContent(entry));
    await setRights(file, entry);
    await file.sync();
  });
}

const toContent = ({ content }: SnapshotEntry): Buffer => Buffer.from(content ?? '', 'base64');

async function setRights(handle: FileHandle, { kind, mode, uid, gid }: SnapshotEntry): Promise<void> {
  const stats = await handle.stat();
  if (stats.uid !== uid || stats.gid !== gid) await chown(toPath(handle), uid, gid);
  if (kind !== 'link') await chmod(toPath(handle), mode);
}

async function removeOthers(folder: FileHandle, wanted: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(toPath(folder))) if (!wanted.has(name)) await removeAll(inside(folder, name));
}

/** By `rm`, which also removes folders that are too deep to be named. */
async function removeAll(path: string): Promise<void> {
  const remove = (): Promise<void> => run('rm', ['-rf', '--one-file-system', '--', path]);
  await remove().catch(async (error: unknown) => {
    // Nothing is shut to root, and a chmod of root's must meet no link.
    if (process.geteuid?.() === 0) throw error;
    const shut = await open(path, FOLDER).catch(() => Promise.reject(error));
    await withHandle(shut, (folder) => run('chmod', ['-R', 'u+rwx', '--', `${toPath(folder)}/`]));
    await remove();
  });
}

/** By `touch`, because Node rounds to what a double can hold. */
async function setTime(path: string, { modifiedNs }: SnapshotEntry): Promise<void> {
  const { mtimeNs } = await lstat(path, { bigint: true });
  if (`${mtimeNs}` === modifiedNs) return;
  const seconds = BigInt(modifiedNs) / 1_000_000_000n;
  const rest = `${BigInt(modifiedNs) % 1_000_000_000n}`.padStart(9, '0');
  await run('touch', ['--no-dereference', '--no-create', '-m', `--date=@${seconds}.${rest}`, '--', path]);
}

/** What such a program says on its way out makes no difference when it is tried again. */
async function run(program: string, words: readonly string[]): Promise<void> {
  await execute(program, words, { env: { PATH } }).catch((error: Error & { readonly stderr?: string }) => {
    throw new NotRestored(error.stderr?.trim() || error.message);
  });
}
