import type { Stats } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import process from 'node:process';
import { hasCode } from '../staged-file.js';

/** Who a script runs as; null where that is whoever we are. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

// What the sandbox itself puts there, or what is no file at all.
const ownPlaces = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc', '/tmp', '/run', '/run/secrets'];
const neverBelow = ['/proc', '/sys', '/dev', '/boot', '/run/secrets'];
const FIRST_OWN_USER = 2_100_000_000;
const OWN_USERS = 0x1000000;

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder === sep ? sep : `${folder}${sep}`);

/** Why a script may not be given these paths, in words; undefined where it may. `allowed` is what the target allows, `ownFolders` what belongs to Sluice. */
export async function refusePaths(paths: readonly string[], { allowed, ownFolders }: { readonly allowed: readonly string[]; readonly ownFolders: readonly string[] }): Promise<string | undefined> {
  for (const path of paths) {
    const because = (await refusePath(path, allowed)) ?? (await refuseOwn(path, ownFolders));
    if (because !== undefined) return `the path ${JSON.stringify(path)} ${because}`;
  }
  const inner = paths.find((path) => paths.some((other) => other !== path && isWithin(path, other)));
  return inner === undefined ? undefined : `the path ${JSON.stringify(inner)} is within another one; declare the outer one only`;
}

async function refusePath(path: string, allowed: readonly string[]): Promise<string | undefined> {
  if (!isAbsolute(path) || resolve(path) !== path) return 'is not absolute and plain (no "..", no "//", no "/" at its end)';
  if (!allowed.some((each) => isWithin(path, resolve(each)))) return 'is not below one of the `paths` of the target in sluice.yaml';
  if (path === sep || ownPlaces.includes(path) || neverBelow.some((place) => isWithin(path, place))) return 'belongs to the system, and no script is given it';
  try {
    if ((await realpath(path)) !== path) return 'leads through a symbolic link; declare where it leads';
    const stats = await lstat(path);
    return stats.isFile() || stats.isDirectory() ? undefined : 'is neither a file nor a folder';
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'is not there; declare the folder in which the script is to make it';
    if (hasCode(error, 'EACCES', 'EPERM', 'ELOOP')) return `cannot be reached by this worker (${error instanceof Error ? error.message : String(error)})`;
    throw error;
  }
}

async function refuseOwn(path: string, ownFolders: readonly string[]): Promise<string | undefined> {
  for (const folder of ownFolders) {
    const real = await realpath(folder).catch(() => resolve(folder));
    if (isWithin(path, real) || isWithin(real, path)) return 'is, or has in it, what belongs to Sluice itself';
  }
  return undefined;
}

/**
 * Who the script runs as, or why nobody can. Where the worker is root that is whoever the first path belongs to, and without one, or where that is root,
 * a user of the run's own, whom nothing belongs to; never root.
 */
export async function chooseUser(paths: readonly string[], key: string): Promise<{ readonly user: User | null } | { readonly because: string }> {
  if (process.getuid?.() !== 0) return { user: null };
  const own = FIRST_OWN_USER + (Number.parseInt(key.slice(0, 8), 16) % OWN_USERS);
  const stats = await Promise.all(paths.map((path) => lstat(path)));
  const user = { uid: stats[0]?.uid || own, gid: stats[0]?.gid || own };
  const closed = paths.find((_path, index) => !mayChange(user, stats[index]));
  if (closed === undefined) return { user };
  return { because: `a script never runs as root, and nobody else may write ${closed}: give it to a user of its own (chown), or run the worker as the user that it belongs to` };
}

function mayChange({ uid, gid }: User, stats: Stats | undefined): boolean {
  if (stats === undefined) return false;
  const shift = stats.uid === uid ? 6 : stats.gid === gid ? 3 : 0;
  const needed = stats.isDirectory() ? 0o3 : 0o2;
  return ((stats.mode >> shift) & needed) === needed;
}

