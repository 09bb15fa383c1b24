import { and, asc, count, desc, eq, inArray, isNull, max, ne, sql } from 'drizzle-orm';
import type { Confidence } from '../domain/confidence.js';
import type { Outcome, Phase, UpdateDraft } from '../domain/incident.js';
import type { Plan } from '../domain/plan.js';
import type { Past, Policy } from '../domain/policy.js';
import type { RootCause } from '../domain/root-cause.js';
import type { RemediationScript, TrackRecord } from '../domain/script-library.js';
import type { Severity } from '../domain/severity.js';
import { notify } from './channels.js';
import type { Database } from './database.js';
import { createGateRecords, type Tell } from './gate-records.js';
import { createLastKnownGoodRecords } from './last-known-good-records.js';
import { createLedgerRecords } from './ledger-records.js';
import { createMeasurementRecords } from './measurement-records.js';
import { addNotifications } from './notifications.js';
import { readPast } from './past.js';
import { readPolicies, readPolicy } from './policies.js';
import { executions, gates, incidents, plans, scripts } from './schema.js';
import { createSweepRecords } from './sweep-records.js';
import { countOutputLines } from './tail-reads.js';
import { appendTail, appendUpdate, type TailRow } from './tail-writer.js';

/** Everything that an incident's activities write and read back. A repeated call changes nothing more. */
export function createRecorder(db: Database) {
  const told = async (incidentId: string) => notify(db, 'tail', incidentId);

  async function recordUpdate(incidentId: string, key: string, update: UpdateDraft, tell?: Tell): Promise<void> {
    await db.transaction(async (tx) => {
      await appendUpdate(tx, incidentId, key, update);
      if (tell !== undefined) await addNotifications(tx, { ...tell, incidentId, key, text: update.text });
    });
    await told(incidentId);
  }

  return {
    ...createGateRecords(db),
    ...createLedgerRecords(db),
    ...createMeasurementRecords(db),
    ...createSweepRecords(db),
    ...createLastKnownGoodRecords(db),
    recordUpdate,

    async showPhase(incidentId: string, phase: Phase): Promise<void> {
      await db
        .update(incidents)
        .set({ phase, status: 'IN_PROGRESS', updatedAt: sql`now()` })
        .where(and(eq(incidents.id, incidentId), isNull(incidents.closedAt)));
      await told(incidentId);
    },

    async appendOutput(incidentId: string, rows: readonly TailRow[]): Promise<void> {
      await appendTail(db, incidentId, rows);
      await told(incidentId);
    },

    countOutputLines: (incidentId: string, key: string): Promise<number> => countOutputLines(db, incidentId, key),

    async setSeverity(incidentId: string, severity: Severity, score: number): Promise<void> {
      await db.update(incidents).set({ severity, score }).where(eq(incidents.id, incidentId));
    },

    async setRootCause(incidentId: string, rootCause: RootCause): Promise<void> {
      await db.update(incidents).set({ rootCause }).where(eq(incidents.id, incidentId));
    },

    /** Other open incidents of HIGH severity and above, newest first. */
    async listActiveSevere(workspaceId: string, exceptId: string | null) {
      return db
        .select({ id: incidents.id, title: incidents.title, severity: incidents.severity })
        .from(incidents)
        .where(
          and(
            eq(incidents.workspaceId, workspaceId),
            isNull(incidents.closedAt),
            inArray(incidents.severity, ['HIGH', 'CRITICAL']),
            exceptId === null ? undefined : ne(incidents.id, exceptId),
          ),
        )
        .orderBy(desc(incidents.openedAt))
        .limit(1_000);
    },

    async listScripts(workspaceId: string): Promise<readonly RemediationScript[]> {
      const rows = await db.select().from(scripts).where(eq(scripts.workspaceId, workspaceId)).orderBy(asc(scripts.createdAt));
      return rows.map((row) => ({
        ...row,
        estimatedDuration: row.estimatedDurationMs,
        createdAt: row.createdAt.toISOString(),
        updatedAt: row.updatedAt.toISOString(),
      }));
    },

    async readTrackRecords(workspaceId: string): Promise<Readonly<Record<string, TrackRecord>>> {
      const rows = await db
        .select({ scriptId: plans.scriptId, well: plans.verifiedWell, times: count() })
        .from(plans)
        .innerJoin(incidents, eq(incidents.id, plans.incidentId))
        .where(and(eq(incidents.workspaceId, workspaceId), sql`${plans.verifiedWell} is not null`))
        .groupBy(plans.scriptId, plans.verifiedWell);
      const records: Record<string, TrackRecord> = {};
      for (const { scriptId, well, times } of rows) {
        if (scriptId === null) continue;
        const { succeeded, failed } = records[scriptId] ?? { succeeded: 0, failed: 0 };
        records[scriptId] = well === true ? { succeeded: succeeded + times, failed } : { succeeded, failed: failed + times };
      }
      return records;
    },

    /** One more than any plan of the incident has, from whatever run of its workflow. */
    async nextPlanVersion(incidentId: string): Promise<number> {
      const [row] = await db.select({ newest: max(plans.version) }).from(plans).where(eq(plans.incidentId, incidentId));
      return (row?.newest ?? 0) + 1;
    },

    async savePlan(row: {
      readonly plan: Plan;
      readonly category: RootCause['category'];
      readonly digest: string;
      readonly canonical: string;
      readonly confidence: Confidence;
      readonly rehearsal: readonly { readonly stepId: string; readonly lines: readonly string[] }[];
    }): Promise<void> {
      const { plan, ...rest } = row;
      await db.insert(plans).values({ incidentId: plan.incidentId, version: plan.version, scriptId: plan.scriptId, ...rest }).onConflictDoNothing();
    },

    async readPlan(incidentId: string, digest: string) {
      const [row] = await db.select().from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest)));
      return row && { version: row.version, canonical: row.canonical };
    },

    async markVerified(incidentId: string, planVersion: number, verifiedWell: boolean): Promise<void> {
      await db.update(plans).set({ verifiedWell }).where(and(eq(plans.incidentId, incidentId), eq(plans.version, planVersion)));
    },

    readPolicy: (workspaceId: string) => readPolicy(db, workspaceId),

    readPolicies: (workspaceId: string) => readPolicies(db, workspaceId),

    readPast: (plan: Pick<Plan, 'workspaceId' | 'incidentId' | 'scriptId' | 'steps'>, policies: readonly Policy[]): Promise<Past> => readPast(db, plan, policies),

    async close(incidentId: string, outcome: Outcome, update: UpdateDraft): Promise<void> {
      await db.transaction(async (tx) => {
        await appendTail(tx, incidentId, [
          { key: 'closed', event: 'update', body: { update } },
          { key: 'done', event: 'done', body: { done: { outcome } } },
        ]);
        await tx.update(gates).set({ state: 'withdrawn', settledAt: sql`now()` }).where(and(eq(gates.incidentId, incidentId), eq(gates.state, 'open')));
        // An attempt that nobody hears of any more must not begin after this.
        await tx.update(executions).set({ state: 'void' }).where(and(eq(executions.incidentId, incidentId), eq(executions.state, 'claimed')));
        await tx
          .update(incidents)
          .set({ phase: update.phase, status: update.status, outcome, closedAt: sql`now()`, updatedAt: sql`now()` })
          .where(and(eq(incidents.id, incidentId), isNull(incidents.closedAt)));
      });
      await told(incidentId);
    },

    /** How a rollback after closing ended. A repeat changes nothing. */
    async closeRollback({ incidentId }: { readonly incidentId: string }, decisionId: string, update: UpdateDraft, rolledBack: boolean): Promise<void> {
      await db.transaction(async (tx) => {
        const [incident] = await tx.select({ outcome: incidents.outcome }).from(incidents).where(eq(incidents.id, incidentId)).for('update');
        const outcome = rolledBack ? 'ROLLED_BACK' : (incident?.outcome ?? 'RESOLVED');
        await appendTail(tx, incidentId, [
          { key: `rollback:${decisionId}:closed`, event: 'update', body: { update } },
          { key: `rollback:${decisionId}:done`, event: 'done', body: { done: { outcome } } },
        ]);
        await tx.update(gates).set({ state: 'withdrawn', settledAt: sql`now()` }).where(and(eq(gates.incidentId, incidentId), eq(gates.state, 'open')));
        await tx.update(incidents).set({ outcome, status: update.status, updatedAt: sql`now()` }).where(eq(incidents.id, incidentId));
      });
      await told(incidentId);
    },

    async setTargets(incidentId: string, targets: readonly string[]): Promise<void> {
      await db.update(incidents).set({ targets }).where(eq(incidents.id, incidentId));
    },
  };
}

export type Recorder = ReturnType<typeof createRecorder>;
