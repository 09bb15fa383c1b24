import { execFile } from 'node:child_process';
import { chmod, lchown, lstat, mkdir, open, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { hasCode } from '../staged-file.js';
import { type PathSnapshot, parseSnapshot, readPaths, type SnapshotEntry } from './path-snapshot.js';

const run = promisify(execFile);
const PATH = '/usr/bin:/bin';

/**
 * Makes paths what they were, to the nanosecond: what was added goes, what was there comes back. What did not change is left alone, and no link is ever followed.
 * May be repeated, also after half of it. Returns why they are still not the same, or null.
 */
export async function restorePaths(snapshot: string, suffix: string): Promise<string | null> {
  const now = await readPaths(parseSnapshot(snapshot).map(({ path }) => path));
  const current = new Map(now.kind === 'whole' ? parseSnapshot(now.text).map(({ path, entries }) => [path, new Map(entries.map((entry) => [entry.at, entry]))]) : []);
  for (const wanted of parseSnapshot(snapshot)) await restore(wanted, current.get(wanted.path) ?? new Map<string, SnapshotEntry>(), suffix);
  const after = await readPaths(parseSnapshot(snapshot).map(({ path }) => path));
  return after.kind === 'whole' && after.text === snapshot ? null : 'they are not what they were, after everything was put back';
}

async function restore({ path: root, entries }: PathSnapshot, current: ReadonlyMap<string, SnapshotEntry>, suffix: string): Promise<void> {
  const names = new Map<string, Set<string>>();
  for (const { at } of entries) if (at !== '') names.set(toParent(at), (names.get(toParent(at)) ?? new Set()).add(at));
  // Folders come before what is in them, so that nothing is reached through a link that took the place of one.
  for (const entry of entries) {
    const path = join(root, entry.at);
    if (!isSame(entry, current.get(entry.at))) await put(path, entry, suffix);
    if (entry.kind === 'folder') await removeOthers(root, entry.at, names.get(entry.at) ?? new Set());
  }
  // And times last, from below: whatever is done in a folder changes its time.
  for (const entry of entries.toReversed()) await setTime(join(root, entry.at), entry);
}

const toParent = (at: string): string => (at.includes('/') ? dirname(at) : '');

const isSame = (one: SnapshotEntry, other: SnapshotEntry | undefined): boolean =>
  other !== undefined && one.kind === other.kind && one.mode === other.mode && one.uid === other.uid && one.gid === other.gid && one.content === other.content;

async function put(path: string, entry: SnapshotEntry, suffix: string): Promise<void> {
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
    return setRights(path, entry);
  }
  if (isFolder) await removeAll(path);
  // Beside it and then in its place, so that nobody ever sees half of it.
  const staged = join(dirname(path), `.sluice-${suffix}`);
  await rm(staged, { force: true });
  const content = Buffer.from(entry.content ?? '', 'base64');
  if (entry.kind === 'link') await symlink(content, staged);
  else await writeSafely(staged, content);
  await setRights(staged, entry);
  await setTime(staged, entry);
  await rename(staged, path);
}

async function setRights(path: string, { kind, mode, uid, gid }: SnapshotEntry): Promise<void> {
  const stats = await lstat(path);
  if (stats.uid !== uid || stats.gid !== gid) await lchown(path, uid, gid);
  if (kind !== 'link') await chmod(path, mode);
}

async function removeOthers(root: string, at: string, wanted: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(join(root, at))) {
    if (!wanted.has(join(at, name))) await removeAll(join(root, at, name));
  }
}

/** By `rm`, which also removes folders that are too deep to be named. */
const removeAll = (path: string): Promise<unknown> => run('rm', ['-rf', '--one-file-system', '--', path], { env: { PATH } });

/** By `touch`, because Node rounds to what a double can hold. */
async function setTime(path: string, { modifiedNs }: SnapshotEntry): Promise<void> {
  const { mtimeNs } = await lstat(path, { bigint: true });
  if (`${mtimeNs}` === modifiedNs) return;
  const seconds = BigInt(modifiedNs) / 1_000_000_000n;
  const rest = `${BigInt(modifiedNs) % 1_000_000_000n}`.padStart(9, '0');
  await run('touch', ['--no-dereference', '--no-create', '-m', `--date=@${seconds}.${rest}`, '--', path], { env: { PATH } });
}

async function writeSafely(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
