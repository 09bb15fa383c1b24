import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import { readChainEnds } from '../db/audit-reads.js';
import { isAway } from '../db/away.js';
import type { Database } from '../db/database.js';
import type { Checkpoint, KeptCheckpoints } from '../domain/audit.js';
import { appendCheckpoints, readCheckpoints, readLastCheckpoints } from '../keys/checkpoint-file.js';
import type { Keyring } from '../keys/keyring.js';

const EVERY_MS = 1_000;

/** The audit's checkpoints, which this process signs and keeps outside of the database. */
export interface Checkpoints {
  /** What is kept of a workspace's chain. Read it before the chain, which only grows. */
  read(workspaceId: string): Promise<KeptCheckpoints>;
  /** `ok`, or what keeps them from being written. */
  state(): string;
  /** Writes from now on, whenever a chain has grown. Returns how to stop, after one last time. */
  start(log: FastifyBaseLogger): () => Promise<void>;
}

export function openCheckpoints({ db, keyring, folder, everyMs = EVERY_MS }: { readonly db: Database; readonly keyring: Keyring; readonly folder: string; readonly everyMs?: number }): Checkpoints {
  const path = join(folder, 'checkpoints.jsonl');
  const none = (workspaceId: string): KeptCheckpoints => ({ workspaceId, checkpoints: [], untrusted: 0 });
  if (folder === '') {
    return { read: async (workspaceId) => none(workspaceId), state: () => 'not kept: SLUICE_AUDIT_FOLDER is not set', start: () => async () => {} };
  }
  let last: Map<string, Checkpoint> | undefined;
  let isFailing = false;

  async function open(): Promise<Map<string, Checkpoint>> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await appendCheckpoints(path, keyring, []);
    return new Map(await readLastCheckpoints(path, keyring));
  }

  async function write(): Promise<void> {
    const known = (last ??= await open());
    const grown = (await readChainEnds(db)).filter(({ workspaceId, seq }) => seq > (known.get(workspaceId)?.seq ?? 0));
    if (grown.length === 0) return;
    const at = Date.now();
    const checkpoints = grown.map((end) => ({ ...end, at }));
    await appendCheckpoints(path, keyring, checkpoints);
    for (const checkpoint of checkpoints) known.set(checkpoint.workspaceId, checkpoint);
  }

  async function tryToWrite(log: FastifyBaseLogger): Promise<void> {
    try {
      await write();
      if (isFailing) log.info('checkpoints of the audit are written again');
      isFailing = false;
    } catch (error) {
      // Told by the check of the database itself; while it is away no chain grows.
      if (isAway(error)) return;
      if (!isFailing) log.error({ err: error, folder }, 'checkpoints of the audit cannot be written; trying again');
      isFailing = true;
    }
  }

  return {
    read: async (workspaceId) => (await readCheckpoints(path, keyring, workspaceId)) ?? none(workspaceId),
    state: () => (isFailing ? 'checkpoints cannot be written; the log of the API says why' : 'ok'),
    start(log) {
      const stopping = new AbortController();
      const writing = (async () => {
        while (!stopping.signal.aborted) {
          await tryToWrite(log);
          await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
        }
      })();
      return async () => {
        stopping.abort();
        await writing;
        await tryToWrite(log);
      };
    },
  };
}
