import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import { type ChainEnd, readAuditPage, readChain, readChainEnds } from '../db/audit-reads.js';
import { isAway } from '../db/away.js';
import type { Database } from '../db/database.js';
import { type Checkpoint, type KeptCheckpoints, openChainCheck } from '../domain/audit.js';
import { appendCheckpoints, readCheckpoints, readLastCheckpoints } from '../keys/checkpoint-file.js';
import type { Keyring } from '../keys/keyring.js';

const EVERY_MS = 1_000;

/** The audit's checkpoints, which this process signs and keeps outside of the database. */
export interface Checkpoints {
  /** What is kept of a workspace's chain. Read it before the chain, which only grows. */
  read(workspaceId: string): Promise<KeptCheckpoints>;
  /** `ok`, or what keeps them from being written. */
  state(): string;
  /** Signs anew what this key signed last of each chain, by the key that signs now; what a chain contradicts is left. For a key that is to be revoked. */
  renew(keyId: string): Promise<void>;
  /** Writes from now on, whenever a chain has grown. Returns how to stop, after one last time. */
  start(log: FastifyBaseLogger): () => Promise<void>;
}

export function openCheckpoints({ db, keyring, folder, everyMs = EVERY_MS }: { readonly db: Database; readonly keyring: Keyring; readonly folder: string; readonly everyMs?: number }): Checkpoints {
  const path = join(folder, 'checkpoints.jsonl');
  if (folder === '') {
    return { read: async (workspaceId) => none(workspaceId), state: () => 'not kept: SLUICE_AUDIT_FOLDER is not set', renew: async () => {}, start: () => async () => {} };
  }
  const inTurn = createTurns();
  let last: Map<string, Checkpoint> | undefined;
  let isFailing = false;
  /** Workspaces whose chain contradicts what was signed of it. */
  const broken = new Set<string>();

  async function open(): Promise<Map<string, Checkpoint>> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await appendCheckpoints(path, keyring, []);
    return new Map([...(await readLastCheckpoints(path, keyring))].map(([workspaceId, { checkpoint }]) => [workspaceId, checkpoint]));
  }

  async function write(log: FastifyBaseLogger): Promise<void> {
    const known = (last ??= await open());
    const ends = new Map((await readChainEnds(db)).map((end) => [end.workspaceId, end]));
    const checkpoints: Checkpoint[] = [];
    for (const workspaceId of new Set([...known.keys(), ...ends.keys()])) {
      const next = await readNext(db, workspaceId, known.get(workspaceId), ends.get(workspaceId));
      tell(log, workspaceId, next.kind === 'broken' ? next.what : undefined);
      if (next.kind === 'grown') checkpoints.push({ workspaceId, seq: next.seq, hash: next.hash, at: Date.now() });
    }
    if (checkpoints.length === 0) return;
    await appendCheckpoints(path, keyring, checkpoints);
    for (const checkpoint of checkpoints) known.set(checkpoint.workspaceId, checkpoint);
  }

  function tell(log: FastifyBaseLogger, workspaceId: string, what: string | undefined): void {
    if (what === undefined) {
      if (broken.delete(workspaceId)) log.info({ workspaceId }, 'the audit follows from its last checkpoint again');
      return;
    }
    if (!broken.has(workspaceId)) log.error({ workspaceId, what, folder }, 'the audit does not follow from its last checkpoint; none is signed for it any more');
    broken.add(workspaceId);
  }

  async function tryToWrite(log: FastifyBaseLogger): Promise<void> {
    try {
      await inTurn(() => write(log));
      if (isFailing) log.info('checkpoints of the audit are written again');
      isFailing = false;
    } catch (error) {
      // Told by the check of the database itself; while it is away no chain grows.
      if (isAway(error)) return;
      if (!isFailing) log.error({ err: error, folder }, 'checkpoints of the audit cannot be written; trying again');
      isFailing = true;
    }
  }

  async function renew(keyId: string): Promise<void> {
    const fitting: Checkpoint[] = [];
    for (const signed of (await readLastCheckpoints(path, keyring)).values()) {
      const { workspaceId, seq, hash } = signed.checkpoint;
      if (signed.keyId !== keyId) continue;
      const [row] = await readAuditPage(db, workspaceId, { order: 'oldest', cursor: seq - 1, limit: 1 });
      if (row?.seq === seq && row.hash === hash) fitting.push(signed.checkpoint);
    }
    if (fitting.length > 0) await appendCheckpoints(path, keyring, fitting);
  }

  return {
    read: async (workspaceId) => (await readCheckpoints(path, keyring, workspaceId)) ?? none(workspaceId),
    state() {
      if (isFailing) return 'checkpoints cannot be written; the log of the API says why';
      return broken.size === 0 ? 'ok' : `not signed for ${broken.size} workspace${broken.size === 1 ? '' : 's'}, where it contradicts the last checkpoint; the log of the API says which`;
    },
    renew: (keyId) => inTurn(() => renew(keyId)),
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

/** Runs one piece of work after the other. */
function createTurns() {
  let before: Promise<unknown> = Promise.resolve();
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    const mine = before.then(work);
    before = mine.catch(() => {});
    return mine;
  };
}

type Next = { readonly kind: 'same' } | { readonly kind: 'grown'; readonly seq: number; readonly hash: string } | { readonly kind: 'broken'; readonly what: string };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What became of a chain since its last checkpoint. What is signed next is what was read here, row by row from there on. */
async function readNext(db: Database, workspaceId: string, last: Checkpoint | undefined, end: ChainEnd | undefined): Promise<Next> {
  if (last !== undefined && (end === undefined || end.seq < last.seq)) return { kind: 'broken', what: `the chain ends with row ${end?.seq ?? 0}` };
  if (last !== undefined && end?.seq === last.seq) return end.hash === last.hash ? { kind: 'same' } : { kind: 'broken', what: `row ${last.seq} has another hash` };
  const check = openChainCheck(none(workspaceId), sha256, last);
  let newest: ChainEnd | undefined;
  for await (const rows of readChain(db, workspaceId, last?.seq)) {
    check.read(rows);
    const { tampering } = check.finish();
    if (tampering !== null) return { kind: 'broken', what: `behind row ${last?.seq ?? 0}: ${tampering.what}` };
    const row = rows.at(-1);
    if (row !== undefined) newest = { workspaceId, ...row };
  }
  return newest === undefined ? { kind: 'same' } : { kind: 'grown', ...newest };
}

const none = (workspaceId: string): KeptCheckpoints => ({ workspaceId, checkpoints: [], untrusted: 0, revoked: 0 });
