import { and, asc, desc, eq, inArray, isNotNull, isNull, ne, or } from 'drizzle-orm';
import type { KnownContent } from '../domain/last-known-good.js';
import type { Database } from './database.js';
import { lastKnownGood } from './schema.js';

const KEPT = 10;

/** What watched configuration files were while all was well: the newest that were good, and the one that may become so. */
export const createLastKnownGoodRecords = (db: Database) => ({
  async listKnownContents(workspaceId: string, target: string): Promise<readonly KnownContent[]> {
    const { hash, wellSince, wellAt, goodAt } = lastKnownGood;
    return db.select({ hash, wellSince, wellAt, goodAt }).from(lastKnownGood).where(isOf(workspaceId, target)).orderBy(asc(wellAt));
  },

  /** Notes that all was well with this content, and that no other is in place any more. */
  async noteWell(workspaceId: string, target: string, known: KnownContent & { readonly content: string }): Promise<void> {
    const { hash, content, ...moments } = known;
    await db.transaction(async (tx) => {
      await tx
        .insert(lastKnownGood)
        .values({ workspaceId, target, hash, content, ...moments })
        .onConflictDoUpdate({ target: [lastKnownGood.workspaceId, lastKnownGood.target, lastKnownGood.hash], set: moments });
      const others = and(isOf(workspaceId, target), ne(lastKnownGood.hash, hash));
      await tx.update(lastKnownGood).set({ wellSince: null }).where(and(others, isNotNull(lastKnownGood.wellSince)));
      const oldest = tx
        .select({ hash: lastKnownGood.hash })
        .from(lastKnownGood)
        .where(and(isOf(workspaceId, target), isNotNull(lastKnownGood.goodAt)))
        .orderBy(desc(lastKnownGood.goodAt))
        .offset(KEPT);
      await tx.delete(lastKnownGood).where(and(others, or(isNull(lastKnownGood.goodAt), inArray(lastKnownGood.hash, oldest))));
    });
  },

  /** Notes that not all is well: what is to be good must begin anew. */
  async noteUnwell(workspaceId: string, target: string): Promise<void> {
    await db.delete(lastKnownGood).where(and(isOf(workspaceId, target), isNull(lastKnownGood.goodAt)));
    await db.update(lastKnownGood).set({ wellSince: null }).where(and(isOf(workspaceId, target), isNotNull(lastKnownGood.wellSince)));
  },

  /** The content that became good last, and when all was last seen to be well with it. */
  async readLastKnownGood(workspaceId: string, target: string): Promise<{ readonly content: string; readonly wellAt: Date } | undefined> {
    const [row] = await db
      .select({ content: lastKnownGood.content, wellAt: lastKnownGood.wellAt })
      .from(lastKnownGood)
      .where(and(isOf(workspaceId, target), isNotNull(lastKnownGood.goodAt)))
      .orderBy(desc(lastKnownGood.goodAt))
      .limit(1);
    return row;
  },
});

const isOf = (workspaceId: string, target: string) => and(eq(lastKnownGood.workspaceId, workspaceId), eq(lastKnownGood.target, target));
