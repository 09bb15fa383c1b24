import { and, eq, or, sql } from 'drizzle-orm';
import { readEntry } from '../domain/audit.js';
import { canonicalize } from '../domain/canonical.js';
import { appendAudit, appendAuditEverywhere } from './audit-writer.js';
import type { Connection, Database } from './database.js';
import { audit } from './schema.js';

// One change of keys at a time, so that what is done once is done once.
const LOCK = sql`select pg_advisory_xact_lock(hashtextextended('sluice keys', 0))`;

/** Records in a workspace, once, that this key was made. */
export async function recordKey(db: Database, workspaceId: string, keyId: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(LOCK);
    // A key that came by rotation is in the record as that.
    const rows = await tx
      .select({ seq: audit.seq })
      .from(audit)
      .where(and(eq(audit.workspaceId, workspaceId), has('subject', keyId), or(has('kind', 'key.made'), has('kind', 'key.rotated'))))
      .limit(1);
    if (rows.length === 0) await appendAudit(tx, workspaceId, { kind: 'key.made', actor: 'sluice', subject: keyId, details: {} });
  });
}

export interface KeyChange {
  readonly requestId: string;
  readonly workspaceId: string;
  readonly person: string;
  readonly reason: string | null;
}

/**
 * Changes the keys once per request, and records it in every workspace. `work` is not run where the record has the request already;
 * it returns the key that it was about, or undefined where it changed nothing.
 */
export async function recordKeyChange<Changed extends string | undefined>(
  db: Database,
  kind: 'key.rotated' | 'key.revoked',
  { requestId, workspaceId, person, reason }: KeyChange,
  work: () => Promise<Changed>,
): Promise<Changed | string> {
  return db.transaction(async (tx) => {
    await tx.execute(LOCK);
    const before = await findKeyChange(tx, kind, workspaceId, requestId);
    if (before !== undefined) return before;
    const keyId = await work();
    if (keyId !== undefined) await appendAuditEverywhere(tx, { kind, actor: person, subject: keyId, details: { reason, requestId } });
    return keyId;
  });
}

async function findKeyChange(tx: Connection, kind: string, workspaceId: string, requestId: string): Promise<string | undefined> {
  // As text, which a row that is not JSON does not keep from being searched. A quote within a value is escaped, so these are members.
  const [row] = await tx
    .select({ entry: audit.entry })
    .from(audit)
    .where(and(eq(audit.workspaceId, workspaceId), has('kind', kind), has('requestId', requestId)));
  return row && readEntry(row.entry)?.subject;
}

const has = (name: string, value: string) => sql`position(${`${canonicalize(name)}:${canonicalize(value)}`} in ${audit.entry}) > 0`;
