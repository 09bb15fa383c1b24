import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Checkpoint, KeptCheckpoints } from '../domain/audit.js';
import { hasCode } from './key-files.js';
import type { Keyring, Verifier } from './keyring.js';

/** One line of the file: the checkpoint for people to read, and the signature, which says the same. */
interface Line extends Checkpoint {
  readonly signature: string;
}

const CHUNK_BYTES = 4_096;

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
  for (let end = size; end > 0; end -= CHUNK_BYTES) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(end - start), position: start });
    const found = buffer.subarray(0, bytesRead).lastIndexOf('\n');
    if (found >= 0) return start + found + 1;
  }
  return 0;
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
  let revoked = 0;
  for (const line of lines) {
    if (line !== undefined && line.workspaceId !== workspaceId) continue;
    const signed = line && (await recallLine(line, verifier));
    if (signed?.isRevoked === true) revoked += 1;
    if (signed === undefined || signed.isRevoked) untrusted += 1;
    else {
      checkpoints.push(signed.checkpoint);
      // It was signed only once the chain fitted what was signed before, so it speaks for all rows before it.
      untrusted = 0;
    }
  }
  return { workspaceId, checkpoints, untrusted, revoked };
}

/** A checkpoint and the key that signed it, which may be revoked by now. */
interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly keyId: string;
  readonly isRevoked: boolean;
}

/** The last checkpoint of each workspace, by workspace. One by a revoked key proves nothing, and is no reason to sign what contradicts it. */
export async function readLastCheckpoints(path: string, verifier: Verifier): Promise<ReadonlyMap<string, SignedCheckpoint>> {
  const last = new Map<string, SignedCheckpoint>();
  for (const line of ((await readLines(path)) ?? []).toReversed()) {
    if (line === undefined || line.seq <= (last.get(line.workspaceId)?.checkpoint.seq ?? 0)) continue;
    const signed = await recallLine(line, verifier);
    if (signed !== undefined) last.set(line.workspaceId, signed);
  }
  return last;
}

async function recallLine({ signature, ...said }: Line, verifier: Verifier): Promise<SignedCheckpoint | undefined> {
  const recalled = await verifier.recall('checkpoint', signature);
  if (recalled === undefined) return undefined;
  const { workspaceId, seq, hash, at } = recalled.payload as Checkpoint;
  const isSame = workspaceId === said.workspaceId && seq === said.seq && hash === said.hash && at === said.at;
  return isSame ? { checkpoint: { workspaceId, seq, hash, at }, keyId: recalled.keyId, isRevoked: recalled.isRevoked } : undefined;
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
