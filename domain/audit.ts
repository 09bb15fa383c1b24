import type { Json } from './canonical.js';
import { canonicalize } from './canonical.js';

export const auditKinds = [
  'decision.counted',
  'decision.refused',
  'claim.granted',
  'claim.refused',
  'execution.started',
  'execution.ended',
  'pod.claimed',
  'rollback.started',
  'rollback.ended',
  'key.made',
  'key.rotated',
  'key.revoked',
  'killSwitch.on',
  'killSwitch.off',
  'policy.changed',
  'token.made',
  'token.revoked',
  'person.changed',
  'person.removed',
] as const;
export type AuditKind = (typeof auditKinds)[number];

/** One thing that was done: who did it, to what. */
export interface AuditEntry {
  readonly kind: AuditKind;
  /** A person, or the piece of Sluice that acted by itself. */
  readonly actor: string;
  readonly subject: string;
  readonly details: Json;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A link of a workspace's chain, as it is stored. */
export interface AuditRow {
  readonly seq: number;
  readonly entry: string;
  readonly hash: string;
}

/** The end of a workspace's chain as it once was, signed and kept where the database is not. */
export interface Checkpoint {
  readonly workspaceId: string;
  readonly seq: number;
  readonly hash: string;
  readonly at: number;
}

/** The text that is stored and hashed. */
export const toEntryText = ({ kind, actor, subject, details, at }: AuditEntry): string => canonicalize({ kind, actor, subject, details, at });

/** What the hash of a row is over. The first row of a chain has its workspace's id in place of the hash before. */
export const toLink = (previousHash: string, entryText: string): string => `${previousHash}\n${entryText}`;

/** Reads an entry back; undefined where the text is not one that `toEntryText` gives. */
export function readEntry(text: string): AuditEntry | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEntry(entry) && toEntryText(entry) === text ? entry : undefined;
}

function isEntry(value: unknown): value is AuditEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, actor, subject, details, at } = value as Partial<Record<keyof AuditEntry, unknown>>;
  const isKnown = auditKinds.some((known) => known === kind);
  return isKnown && typeof actor === 'string' && typeof subject === 'string' && details !== undefined && typeof at === 'number';
}

/** Where a chain is not what it was, and how that shows. */
export interface Tampering {
  readonly seq: number;
  readonly what: string;
}

export interface ChainReport {
  readonly rows: number;
  /** How many checkpoints of this workspace the chain was held against. */
  readonly checkpoints: number;
  /** Rows after the last checkpoint: they hang together, but nothing outside of the database speaks for them yet. */
  readonly notYetCheckpointed: number;
  /** Checkpoints of this workspace by keys that are revoked by now: they speak for nothing. */
  readonly revokedCheckpoints: number;
  readonly tampering: Tampering | null;
}

export interface ChainCheck {
  /** The next rows, in the order of their numbers. */
  read(rows: Iterable<AuditRow>): void;
  finish(): ChainReport;
}

/** What is kept of a workspace's chain outside of the database. */
export interface KeptCheckpoints {
  readonly workspaceId: string;
  /** Those whose signature was verified. */
  readonly checkpoints: readonly Checkpoint[];
  /** How many lines no trusted key signed, and no later checkpoint makes up for. */
  readonly untrusted: number;
  /** How many lines a key signed that is revoked by now. */
  readonly revoked: number;
}

/** Where a chain begins, or a row from which on it is read. */
type ChainStart = Pick<AuditRow, 'seq' | 'hash'>;

/** Holds a workspace's chain, from its beginning or behind a known row, against its checkpoints, page by page; names what is wrong first. */
export function openChainCheck(
  { workspaceId, checkpoints, untrusted, revoked }: KeptCheckpoints,
  hash: (text: string) => string,
  behind: ChainStart = { seq: 0, hash: workspaceId },
): ChainCheck {
  const hashesAt = new Map<number, Set<string>>();
  for (const { seq, hash: signed } of checkpoints) hashesAt.set(seq, (hashesAt.get(seq) ?? new Set()).add(signed));
  const lastCheckpoint = [...hashesAt.keys()].reduce((last, seq) => Math.max(last, seq), 0);
  let previous = behind;
  let confirmed = behind.seq;
  let rows = 0;
  let tampering: Tampering | null = null;

  function judge({ seq, entry, hash: stored }: AuditRow): Tampering | null {
    const expected = previous.seq + 1;
    if (seq > expected) return { seq: expected, what: seq === expected + 1 ? `row ${expected} is missing` : `rows ${expected} to ${seq - 1} are missing` };
    if (seq < expected) return { seq, what: `row ${seq} comes again or out of order` };
    if (hash(toLink(previous.hash, entry)) !== stored) return { seq, what: `row ${seq} was altered: its hash is not that of its entry after the row before` };
    if (readEntry(entry) === undefined) return { seq, what: `row ${seq} holds no entry that Sluice writes` };
    const signed = hashesAt.get(seq);
    if (signed !== undefined && (signed.size > 1 || !signed.has(stored))) {
      return { seq, what: `rows ${confirmed + 1} to ${seq} were rewritten: the signed checkpoint of row ${seq} has another hash` };
    }
    if (signed !== undefined) confirmed = seq;
    return null;
  }

  return {
    read(next) {
      for (const row of next) {
        rows += 1;
        tampering ??= judge(row);
        previous = row;
      }
    },
    finish() {
      if (tampering === null && lastCheckpoint > previous.seq) {
        tampering = { seq: previous.seq + 1, what: `the end was cut off: the chain ends with row ${previous.seq}, and a signed checkpoint knows row ${lastCheckpoint}` };
      }
      if (untrusted > 0) tampering ??= { seq: lastCheckpoint + 1, what: `${untrusted} of the last checkpoints are signed by no key that is trusted` };
      return { rows, checkpoints: checkpoints.length, notYetCheckpointed: Math.max(0, previous.seq - lastCheckpoint), revokedCheckpoints: revoked, tampering };
    },
  };
}
