import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Checkpoint, KeptCheckpoints } from '../domain/audit.js';
import { hasCode } from './key-files.js';
import type { Keyring, Verifier } from './keyring.js';

/** One line of the file: the checkpoint for people to read, and the signature, which says the same. */
interface Line extends Checkpoint {
  readonly signature: string;
}

/** Signs checkpoints and adds them to the file. They are on the disk when it returns. */
export async function appendCheckpoints(path: string, keyring: Pick<Keyring, 'sign'>, checkpoints: readonly Checkpoint[]): Promise<void> {
  const lines = await Promise.all(checkpoints.map(async (checkpoint): Promise<Line> => ({ ...checkpoint, signature: await keyring.sign('checkpoint', checkpoint) })));
  const file = await open(path, 'a+', 0o644);
  try {
    const { size } = await file.stat();
    // What a crash or a full disk left of a line was never a checkpoint.
    const end = await findLastLineEnd(file, size);
    if (end < size) await file.truncate(end);
    await file.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await file.sync();
    if (size === 0) await syncFolder(dirname(path));
  } finally {
    await file.close();
  }
}

/** Where the last whole line ends, found from behind: the file is long, and added to all the time. */
async function findLastLineEnd(file: FileHandle, size: number): Promise<number> {
  const { buffer } = Buffer.alloc(0);
}

const toWholeLines = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What the file keeps of a workspace's chain; undefined where there is no file. */
export async function readCheckpoints(path: string, verifier: Verifier, workspaceId: string): Promise<KeptCheckpoints | undefined> {
  const lines = await readLines(path);
  if (lines === undefined) return undefined;
  const checkpoints: Checkpoint[] = [];
  let untrusted = 0;
  for (const line of lines) {
    if (line !== undefined && line.workspaceId !== workspaceId) continue;
    const checkpoint = line && (await verifyLine(line, verifier));
    if (checkpoint === undefined) untrusted += 1;
    else {
      checkpoints.push(checkpoint);
      // A revoked key leaves lines that nobody can trust; the next checkpoint speaks for all rows before it.
      untrusted = 0;
    }
  }
  return { workspaceId, checkpoints, untrusted };
}

/** The newest checkpoint of each workspace that a trusted key signed. */
export async function readLastCheckpoints(path: string, verifier: Verifier): Promise<ReadonlyMap<string, Checkpoint>> {
  const last = new Map<string, Checkpoint>();
  for (const line of ((await readLines(path)) ?? []).toReversed()) {
    if (line === undefined || last.has(line.workspaceId)) continue;
    const checkpoint = await verifyLine(line, verifier);
    if (checkpoint !== undefined) last.set(checkpoint.workspaceId, checkpoint);
  }
  return last;
}

async function verifyLine({ signature, ...said }: Line, verifier: Verifier): Promise<Checkpoint | undefined> {
  const signed = (await verifier.verify('checkpoint', signature)) as Checkpoint | undefined;
  if (signed === undefined) return undefined;
  const { workspaceId, seq, hash, at } = signed;
  return workspaceId === said.workspaceId && seq === said.seq && hash === said.hash && at === said.at ? { workspaceId, seq, hash, at } : undefined;
}

/** Undefined in place of a line that cannot be read. */
async function readLines(path: string): Promise<readonly (Line | undefined)[] | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : toWholeLines(text).split('\n').slice(0, -1).map(parseLine);
}

function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Partial<Line> | null;
    return typeof line?.workspaceId === 'string' && typeof line.signature === 'string' ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
