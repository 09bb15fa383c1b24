import { sql } from 'drizzle-orm';
import type { AuditEntry } from '../domain/audit.js';
import { toEntryText } from '../domain/audit.js';
import { readChainEnds } from './audit-reads.js';
import type { Connection } from './database.js';
import { audit, tokens } from './schema.js';

/**
 * Adds an entry to the workspace's chain, as part of the caller's transaction and as the last thing in it: until that ends, nobody
 * else adds to this chain. The transaction must be at Postgres's default, read committed.
 */
export async function appendAudit(tx: Connection, workspaceId: string, entry: Omit<AuditEntry, 'at'>): Promise<void> {
  // A statement of its own: the next one must see what whoever held the lock before has written.
  const { rows } = await tx.execute<{ at: string }>(
    sql`select (extract(epoch from clock_timestamp()) * 1000)::bigint as at, pg_advisory_xact_lock(hashtextextended(${`sluice audit ${workspaceId}`}, 0))`,
  );
  const text = toEntryText({ ...entry, at: Number(rows[0]?.at) });
  // The hash as `toLink` has it; made here, because that saves asking for the end of the chain first.
  await tx.execute(sql`
    insert into ${audit} (workspace_id, seq, entry, hash)
    select ${workspaceId}::text, coalesce(max(seq), 0) + 1, ${text}::text, encode(sha256(convert_to(coalesce(max(hash), ${workspaceId}) || chr(10) || ${text}, 'UTF8')), 'hex')
    from (select seq, hash from ${audit} where workspace_id = ${workspaceId} order by seq desc limit 1) as newest`);
}

/** Adds an entry about all of Sluice to the chain of every workspace: those that have one, and those that somebody has a token for. */
export async function appendAuditEverywhere(tx: Connection, entry: Omit<AuditEntry, 'at'>): Promise<void> {
  const holders = await tx.selectDistinct({ workspaceId: tokens.workspaceId }).from(tokens);
  const workspaces = new Set([...holders, ...(await readChainEnds(tx))].map(({ workspaceId }) => workspaceId));
  // In one order, or two of these would wait for each other.
  for (const workspaceId of [...workspaces].toSorted()) await appendAudit(tx, workspaceId, entry);
}
