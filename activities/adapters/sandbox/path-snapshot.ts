import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalize } from '../../../domain/canonical.js';
import { sha256 } from '../../digest.js';
import { hasCode } from '../staged-file.js';

export const MAX_SNAPSHOT_BYTES = 8 * 1_048_576;
export const MAX_SNAPSHOT_ENTRIES = 2_000;

/** One thing below a declared path, or the path itself, where `at` is empty. Times are nanoseconds, contents base64. */
export interface SnapshotEntry {
  readonly at: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedNs: string;
  /** Of a file what is in it, of a link where it leads. */
  readonly content: string | null;
}

export interface PathSnapshot {
  readonly path: string;
  readonly entries: readonly SnapshotEntry[];
}

/** What declared paths are. `text` is the same as long as they are; where it is `whole`, they can be put back from it. */
export type PathsReading = { readonly kind: 'whole'; readonly text: string; readonly lines: readonly string[] } | { readonly kind: 'partly'; readonly text: string; readonly lines: readonly string[]; readonly because: string };

/** Why there is no whole snapshot. */
class NotWhole extends Error {
  override readonly name = 'NotWhole';
}

interface Room {
  bytes: number;
  entries: number;
}

/** Reads declared paths, never through a link. The one order of everything makes the text the same each time. */
export async function readPaths(paths: readonly string[]): Promise<PathsReading> {
  const room: Room = { bytes: MAX_SNAPSHOT_BYTES, entries: MAX_SNAPSHOT_ENTRIES };
  try {
    const snapshots: PathSnapshot[] = [];
    for (const path of paths.toSorted()) snapshots.push({ path, entries: await readEntries(path, '', room) });
    return { kind: 'whole', text: canonicalize(snapshots.map(({ path, entries }) => ({ path, entries: entries.map((entry) => ({ ...entry })) }))), lines: snapshots.map(describe) };
  } catch (error) {
    const because = error instanceof NotWhole ? error.message : hasCode(error, 'ENAMETOOLONG') ? 'folders are too deep' : hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP') ? 'they change while they are read' : undefined;
    if (because === undefined) throw error;
    const roots = await Promise.all(paths.toSorted().map(async (path) => ({ path, ...toFacts(await lstat(path, { bigint: true })) })));
    return { kind: 'partly', because, text: canonicalize(roots), lines: roots.map(({ path }) => path) };
  }
}

/** The SHA-256 of what the paths are; where they cannot be read a word that none is, since how a run ended must be told anyway. */
export const digestPaths = (paths: readonly string[]): Promise<string> => readPaths(paths).then(({ text }) => sha256(text), () => 'unreadable');

/** Reads back what `readPaths` wrote. */
export const parseSnapshot = (text: string): readonly PathSnapshot[] => JSON.parse(text) as readonly PathSnapshot[];

const describe = ({ path, entries }: PathSnapshot): string => {
  const bytes = entries.reduce((sum, { kind, content }) => sum + (kind === 'file' ? Buffer.from(content ?? '', 'base64').length : 0), 0);
  const files = entries.filter(({ kind }) => kind === 'file').length;
  return entries[0]?.kind === 'folder' ? `${path}, a folder with ${files} files of ${bytes} bytes` : `${path}, a file of ${bytes} bytes`;
};

const toFacts = ({ mode, uid, gid, ino }: BigIntStats) => ({ mode: Number(mode), uid: Number(uid), gid: Number(gid), file: `${ino}` });

async function readEntries(root: string, at: string, room: Room): Promise<readonly SnapshotEntry[]> {
  const path = join(root, at);
  const stats = await lstat(path, { bigint: true }).catch(refuseUnreadable(path));
  room.entries -= 1;
  if (room.entries < 0) throw new NotWhole(`there are more than ${MAX_SNAPSHOT_ENTRIES} files and folders`);
  const shared = { at, mode: Number(stats.mode) & 0o7777, uid: Number(stats.uid), gid: Number(stats.gid), modifiedNs: `${stats.mtimeNs}` };
  if (stats.isSymbolicLink()) return [{ ...shared, kind: 'link', content: Buffer.from(await readlink(path, 'buffer')).toString('base64') }];
  if (stats.isFile()) {
    if (stats.nlink > 1n) throw new NotWhole(`${path} has ${stats.nlink} names (hard links)`);
    return [{ ...shared, kind: 'file', content: (await readBytes(path, room)).toString('base64') }];
  }
  if (!stats.isDirectory()) throw new NotWhole(`${path} is neither a file nor a folder nor a link`);
  const below: SnapshotEntry[] = [];
  for (const name of (await readNames(path)).toSorted()) below.push(...(await readEntries(root, join(at, name), room)));
  return [{ ...shared, kind: 'folder', content: null }, ...below];
}

async function readNames(path: string): Promise<readonly string[]> {
  const names = await readdir(path, 'buffer').catch(refuseUnreadable(path));
  const texts = names.map((name) => name.toString('utf8'));
  if (texts.some((text, index) => !Buffer.from(text, 'utf8').equals(names[index] ?? Buffer.alloc(0)))) throw new NotWhole(`a name in ${path} is not text in UTF-8`);
  return texts;
}

async function readBytes(path: string, room: Room): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(refuseUnreadable(path));
  try {
    const { size } = await file.stat();
    if (size > room.bytes) throw new NotWhole(`there are more than ${MAX_SNAPSHOT_BYTES} bytes`);
    const bytes = await file.readFile();
    room.bytes -= bytes.length;
    return bytes;
  } finally {
    await file.close();
  }
}

const refuseUnreadable = (path: string) => (error: unknown): never => {
  throw hasCode(error, 'EACCES', 'EPERM') ? new NotWhole(`${path} cannot be read`) : error;
};
