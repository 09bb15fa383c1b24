import { and, asc, count, desc, eq, inArray, isNull, max, ne, sql } from 'drizzle-orm';
import type { Confidence } from '../domain/confidence.js';
import type { GateKind, GateState } from '../domain/gate.js';
import type { Outcome, Phase, UpdateDraft } from '../domain/incident.js';
import type { Plan } from '../domain/plan.js';
import type { RootCause } from '../domain/root-cause.js';
import type { RemediationScript, TrackRecord } from '../domain/script-library.js';
import type { Severity } from '../domain/severity.js';
import type { Measurement } from '../domain/signal.js';
import type { Approval } from '../domain/updates.js';
import { notify } from './channels.js';
import type { Database } from './database.js';
import type { Opening } from './open-incident.js';
import { openIncident } from './open-incident.js';
import { decisions, executions, gates, incidents, measurements, outbox, plans, scripts } from './schema.js';
import { appendTail, appendUpdate, type TailRow } from './tail-writer.js';

const toApproval = (row: typeof decisions.$inferSelect): Approval => ({
  person: row.person,
  role: row.role,
  reason: row.reason,
  at: row.createdAt.toISOString(),
});

const toArray = (names: readonly string[]) => sql`array[${sql.join(names.map((name) => sql`${name}`), sql`, `)}]::text[]`;
const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Everything that an incident's activities write and read back. A repeated call changes nothing more. */
export function createRecorder(db: Database) {
  const told = async (incidentId: string) => notify(db, 'tail', incidentId);

  async function recordUpdate(incidentId: string, key: string, update: UpdateDraft): Promise<void> {
    await appendUpdate(db, incidentId, key, update);
    await told(incidentId);
  }

  async function readGate(incidentId: string, gateId: string) {
    const [gate] = await db.select().from(gates).where(and(eq(gates.id, gateId), eq(gates.incidentId, incidentId)));
    if (gate === undefined) return undefined;
    const heard = await db.select().from(decisions).where(eq(decisions.incidentId, incidentId)).orderBy(asc(decisions.createdAt));
    const said = heard.filter((decision) => decision.gateId === gateId);
    const settling: Partial<Record<GateState, string>> = { rejected: 'reject', changesRequested: 'requestChanges' };
    const settled = said.find(({ verdict }) => verdict === settling[gate.state]);
    return {
      state: gate.state,
      planVersion: gate.planVersion,
      digest: gate.digest,
      approvals: said.filter(({ verdict }) => verdict === 'approve').map(toApproval),
      decisionIds: heard.map(({ id }) => id),
      settledBy: settled === undefined ? null : toApproval(settled),
    };
  }

  return {
    recordUpdate,
    readGate,

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

    async saveMeasurement(row: { readonly id: string; readonly incidentId: string; readonly purpose: 'detection' | 'recheck' | 'verification'; readonly planVersion: number; readonly measurement: Measurement }): Promise<void> {
      const { measurement, ...rest } = row;
      const { measuredAt, signals, facts } = measurement;
      await db.insert(measurements).values({ ...rest, measuredAt: new Date(measuredAt), signals, facts }).onConflictDoNothing();
    },

    async readMeasurement(id: string): Promise<Measurement | undefined> {
      const [row] = await db.select().from(measurements).where(eq(measurements.id, id));
      return row && { measuredAt: row.measuredAt.toISOString(), signals: row.signals, facts: row.facts };
    },

    async readSamples(incidentId: string, planVersion: number): Promise<readonly Measurement[]> {
      const rows = await db
        .select()
        .from(measurements)
        .where(and(eq(measurements.incidentId, incidentId), eq(measurements.purpose, 'verification'), eq(measurements.planVersion, planVersion)))
        .orderBy(asc(measurements.measuredAt));
      return rows.map((row) => ({ measuredAt: row.measuredAt.toISOString(), signals: row.signals, facts: row.facts }));
    },

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

    async openGate(
      ref: { readonly incidentId: string; readonly workspaceId: string },
      gate: {
        readonly gateId: string;
        readonly kind: GateKind;
        readonly digest: string | null;
        readonly planVersion: number | null;
        readonly approvalsNeeded: number;
        readonly roleNeeded: 'responder' | 'supervisor' | 'admin';
        readonly expiresAt: string | null;
      },
      update: UpdateDraft,
    ): Promise<void> {
      const { gateId, expiresAt, ...rest } = gate;
      await db.transaction(async (tx) => {
        const updateId = await appendUpdate(tx, ref.incidentId, `gate:${gateId}`, update);
        if (updateId === undefined) throw new Error(`incident ${ref.incidentId} has no row`);
        // A workflow that was reset or started anew opens another gate; what was asked before is asked no more.
        await tx
          .update(gates)
          .set({ state: 'withdrawn', settledAt: sql`now()` })
          .where(and(eq(gates.incidentId, ref.incidentId), eq(gates.state, 'open'), ne(gates.id, gateId)));
        await tx
          .insert(gates)
          .values({ ...rest, id: gateId, ...ref, updateId, expiresAt: expiresAt === null ? null : new Date(expiresAt) })
          .onConflictDoNothing({ target: gates.id });
      });
      await told(ref.incidentId);
    },

    /** One conditional update: a gate that a person settled first stays as that person settled it. */
    async settleGate(incidentId: string, gateId: string, state: 'expired' | 'withdrawn'): Promise<void> {
      await db
        .update(gates)
        .set({ state, settledAt: sql`now()` })
        .where(and(eq(gates.id, gateId), eq(gates.incidentId, incidentId), eq(gates.state, 'open')));
    },

    async readCancellation(incidentId: string, decisionId: string): Promise<Approval | undefined> {
      // It comes from a signal, which may hold anything.
      if (!isUuid(decisionId)) return undefined;
      const [row] = await db
        .select()
        .from(decisions)
        .where(and(eq(decisions.id, decisionId), eq(decisions.incidentId, incidentId), eq(decisions.verdict, 'cancel')));
      return row && toApproval(row);
    },

    /** Claims a step under its gate, or finds the claim that is there. Undefined where another gate has it or the incident is closed. */
    async claimExecution(row: { readonly key: string; readonly incidentId: string; readonly gateId: string; readonly digest: string; readonly stepId: string }) {
      return db.transaction(async (tx) => {
        const [open] = await tx
          .select({ id: incidents.id })
          .from(incidents)
          .where(and(eq(incidents.id, row.incidentId), isNull(incidents.closedAt)))
          .for('key share');
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

    /** Opens an incident that a sweep found, unless one that watches any of its targets is open. */
    async openFromSweep(opening: Opening): Promise<{ readonly incidentId: string; readonly isNew: boolean }> {
      const result = await db.transaction(async (tx) => {
        const names = opening.targets ?? [];
        const [busy] = await tx
          .select({ id: incidents.id })
          .from(incidents)
          .where(
            and(
              eq(incidents.workspaceId, opening.workspaceId),
              isNull(incidents.closedAt),
              sql`(${incidents.targets} is null or ${incidents.targets} ?| ${toArray(names)})`,
            ),
          )
          .limit(1);
        return busy === undefined ? openIncident(tx, opening) : { incidentId: busy.id, isNew: false };
      });
      if (result.isNew) await notify(db, 'outbox', '');
      return result;
    },

    /** Tells open incidents that nothing has run for, and whose targets are all well, that it may be over: once, until a target is unwell again. */
    async tellWell(workspaceId: string, unwellTargets: readonly string[], wellTargets: readonly string[]): Promise<void> {
      const told = await db.transaction(async (tx) => {
        const openHere = sql`exists (select from ${incidents} i where i.id = ${gates.incidentId} and i.workspace_id = ${workspaceId} and i.closed_at is null`;
        await tx
          .update(gates)
          .set({ toldWellAt: null })
          .where(and(eq(gates.state, 'open'), sql`${gates.toldWellAt} is not null`, sql`${openHere} and i.targets ?| ${toArray(unwellTargets)})`));
        const newlyWell = await tx
          .update(gates)
          .set({ toldWellAt: sql`now()` })
          .where(
            and(
              eq(gates.state, 'open'),
              isNull(gates.toldWellAt),
              sql`${openHere} and i.targets <@ to_jsonb(${toArray(wellTargets)}))`,
              sql`not exists (select from ${executions} e where e.incident_id = ${gates.incidentId} and e.state not in ('claimed', 'void'))`,
            ),
          )
          .returning({ incidentId: gates.incidentId });
        for (const { incidentId } of newlyWell) await tx.insert(outbox).values({ workspaceId, incidentId, message: { kind: 'resolved' } });
        return newlyWell.length;
      });
      if (told > 0) await notify(db, 'outbox', '');
    },

    async setTargets(incidentId: string, targets: readonly string[]): Promise<void> {
      await db.update(incidents).set({ targets }).where(eq(incidents.id, incidentId));
    },
  };
}

export type Recorder = ReturnType<typeof createRecorder>;
