import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Database } from './database.js';
import { executions, incidents } from './schema.js';

/** The ledger of executions: a key is claimed once, begun once and ended once. */
export const createExecutionRecords = (db: Database) => ({
  /** Claims a step under its gate, or finds the claim that is there. Undefined where another gate has it or the incident is closed. */
  async claimExecution(row: { readonly key: string; readonly incidentId: string; readonly gateId: string; readonly digest: string; readonly stepId: string }) {
    return db.transaction(async (tx) => {
      const [open] = await tx
        .select({ id: incidents.id })
        .from(incidents)
        .where(and(eq(incidents.id, row.incidentId), isNull(incidents.closedAt)))
        .for('share');
      if (open === undefined) return undefined;
      await tx.insert(executions).values({ ...row, state: 'claimed' }).onConflictDoNothing();
      const [claimed] = await tx.select().from(executions).where(eq(executions.key, row.key));
      if (claimed === undefined || claimed.gateId !== row.gateId) return undefined;
      return { state: claimed.state, result: claimed.result };
    });
  },

  /** False when it was called off meanwhile. */
  async markStarted(key: string): Promise<boolean> {
    const started = await db
      .update(executions)
      .set({ state: 'started', startedAt: sql`coalesce(${executions.startedAt}, now())` })
      .where(and(eq(executions.key, key), inArray(executions.state, ['claimed', 'started'])))
      .returning({ key: executions.key });
    return started.length === 1;
  },

  async markEnded(key: string, state: 'succeeded' | 'failed', result: string): Promise<void> {
    await db.update(executions).set({ state, result, endedAt: sql`now()` }).where(and(eq(executions.key, key), inArray(executions.state, ['started', 'unknown'])));
  },

  /** When the last step of this plan ended, and when its first was claimed; null where none was. */
  async readExecutionSpan(incidentId: string, digest: string): Promise<{ readonly claimedAt: Date; readonly endedAt: Date } | null> {
    const rows = await db.select().from(executions).where(and(eq(executions.incidentId, incidentId), eq(executions.digest, digest))).orderBy(asc(executions.claimedAt));
    const claimedAt = rows[0]?.claimedAt;
    const endedAt = rows.map((row) => row.endedAt).findLast((moment) => moment !== null);
    return claimedAt === undefined || endedAt === undefined ? null : { claimedAt, endedAt };
  },

  /** Marks what was started and never ended as unknown, and calls off what was not begun; says whether anything may have changed. */
  async settleExecution(incidentId: string, digest: string): Promise<boolean> {
    const mine = and(eq(executions.incidentId, incidentId), eq(executions.digest, digest));
    const settled = sql`case ${executions.state} when 'started' then 'unknown' when 'claimed' then 'void' else ${executions.state} end`;
    const rows = await db.update(executions).set({ state: settled }).where(mine).returning({ state: executions.state });
    return rows.some(({ state }) => state !== 'void');
  },
});
