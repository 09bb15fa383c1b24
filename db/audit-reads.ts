import { and, asc, desc, eq, gt, lt, sql } from 'drizzle-orm';
import type { AuditRow } from '../domain/audit.js';
import type { Connection } from './database.js';
import { audit } from './schema.js';

const PAGE = 1_000;

export type AuditOrder = 'newest' | 'oldest';

/** A page of a workspace's chain, after the row `cursor` in this order. */
export async function readAuditPage(
  db: Connection,
  workspaceId: string,
  { order, cursor, limit }: { readonly order: AuditOrder; readonly cursor: number | null; readonly limit: number },
): Promise<readonly AuditRow[]> {
  const isAfter = order === 'newest' ? lt : gt;
  return db
    .select({ seq: audit.seq, entry: audit.entry, hash: audit.hash })
    .from(audit)
    .where(and(eq(audit.workspaceId, workspaceId), cursor === null ? undefined : isAfter(audit.seq, cursor)))
    .orderBy(order === 'newest' ? desc(audit.seq) : asc(audit.seq))
    .limit(limit);
}

/** A workspace's chain, page by page from its first row or from behind the row `after`. */
export async function* readChain(db: Connection, workspaceId: string, after: number | null = null): AsyncGenerator<readonly AuditRow[]> {
  for (let cursor = after; ; ) {
    const rows = await readAuditPage(db, workspaceId, { order: 'oldest', cursor, limit: PAGE });
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    cursor = last.seq;
  }
}

export interface ChainEnd {
  readonly workspaceId: string;
  readonly seq: number;
  readonly hash: string;
}

/** The last row of every chain. */
export async function readChainEnds(db: Connection): Promise<readonly ChainEnd[]> {
  // From workspace to workspace along the index: the table is long, and this is asked all the time.
  const { rows } = await db.execute<{ workspace_id: string; seq: string; hash: string }>(sql`
    with recursive ends as (
      (select workspace_id, seq, hash from ${audit} order by workspace_id desc, seq desc limit 1)
      union all
      select next.workspace_id, next.seq, next.hash from ends, lateral (
        select workspace_id, seq, hash from ${audit} where workspace_id < ends.workspace_id order by workspace_id desc, seq desc limit 1
      ) as next
    ) select workspace_id, seq, hash from ends`);
  return rows.map((row) => ({ workspaceId: row.workspace_id, seq: Number(row.seq), hash: row.hash }));
}
