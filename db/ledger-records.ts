import { createHash } from 'node:crypto';
import { and, asc, desc, eq, inArray, isNotNull, isNull, lt, ne, or, type SQL, sql } from 'drizzle-orm';
import type { AuditKind } from '../domain/audit.js';
import type { ClaimRefusal } from '../domain/grant.js';
import type { GateKind } from '../domain/gate.js';
import type { Plan } from '../domain/plan.js';
import type { Past, Policy } from '../domain/policy.js';
import { appendAudit } from './audit-writer.js';
import { readClock } from './clock.js';
import type { Connection, Database } from './database.js';
import { readKillSwitch } from './kill-switch.js';
import { CLAIM_LASTS, holdTargets, readPast } from './past.js';
import { type PolicyRows, readPolicies } from './policies.js';
import { audit, decisions, executions, gates, incidents, measurements, memberOf, plans } from './schema.js';

type Row = typeof executions.$inferSelect;

interface ClaimRequest {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly kind: Row['kind'];
  readonly claimId: string;
  readonly digest: string;
  readonly grant: { readonly kind: 'gate' | 'decision'; readonly id: string };
}

interface ClaimRecord {
  readonly gate: { readonly id: string; readonly kind: GateKind; readonly state: string; readonly digest: string | null } | undefined;
  readonly decisions: readonly (typeof decisions.$inferSelect)[];
  readonly canonical: string | undefined;
  readonly killSwitchOn: boolean;
  readonly isClosed: boolean;
  readonly verificationFailed: boolean;
  readonly now: Date;
  readonly ledger: readonly Row[];
  /** As they are now. */
  readonly policies: PolicyRows;
  readonly lookAround: (plan: Plan, policies: readonly Policy[]) => Promise<{ readonly past: Past; readonly isTargetBusy: boolean }>;
}

type Judgement =
  | { readonly kind: 'granted'; readonly steps: readonly { readonly key: string; readonly stepId: string; readonly target: string }[] }
  | { readonly kind: 'refused'; readonly because: ClaimRefusal };

const ofPlan = (incidentId: string, digest: string) => and(eq(executions.incidentId, incidentId), eq(executions.digest, digest));

/** The ledger of changes: a key is claimed once, begun once and ended once. */
export const createLedgerRecords = (db: Database) => ({
  async claim(request: ClaimRequest, judge: (record: ClaimRecord) => Promise<Judgement>): Promise<Judgement> {
    return db.transaction(async (tx) => {
      const record = await lockRecord(tx, request);
      const mine = record.ledger.filter(({ kind, claimId }) => kind === request.kind && claimId === request.claimId);
      // The answer to the same claim was lost.
      if (mine.length > 0) return { kind: 'granted', steps: mine };
      const refusal = await compareWithAudit(tx, request, record.ledger);
      const judgement: Judgement = refusal === undefined ? await judge(record) : { kind: 'refused', because: refusal };
      const { workspaceId, incidentId, kind, claimId, digest, grant } = request;
      if (judgement.kind === 'granted') {
        // What is taken back must not go on behind it.
        if (kind === 'rollback') await settle(tx, and(ofPlan(incidentId, digest), eq(executions.kind, 'execute')));
        for (const { key, stepId, target } of judgement.steps) {
          const row = { key, kind, workspaceId, incidentId, grantId: grant.id, claimId, digest, stepId, target, state: 'claimed' as const };
          await tx
            .insert(executions)
            .values(row)
            // Only a rollback comes here twice. What had begun keeps its handle, so that it is looked after and not made again.
            .onConflictDoUpdate({
              target: executions.key,
              set: { claimId, grantId: grant.id, claimedAt: sql`now()`, state: sql`case when ${executions.state} in ('started', 'unknown') then ${executions.state} else 'claimed' end`, handle: sql`case when ${executions.state} in ('started', 'unknown') then ${executions.handle} end` },
              setWhere: sql`${executions.kind} = 'rollback' and ${executions.state} <> 'succeeded'`,
            });
        }
      }
      const details = { kind, digest, grant: grant.id, ...(judgement.kind === 'refused' ? { because: judgement.because } : { keys: judgement.steps.map(({ key }) => key) }) };
      await appendAudit(tx, workspaceId, { kind: judgement.kind === 'granted' ? 'claim.granted' : 'claim.refused', actor: 'sluice', subject: incidentId, details });
      return judgement;
    });
  },

  async readLedger(incidentId: string, digest: string): Promise<readonly Row[]> {
    return db.select().from(executions).where(ofPlan(incidentId, digest)).orderBy(asc(executions.claimedAt));
  },

  /** The newest plan of which a step began and was not taken back, with the incident's last detection. */
  async readEarlierRun(incidentId: string) {
    const rows = await db.select().from(executions).where(eq(executions.incidentId, incidentId)).orderBy(desc(executions.claimedAt));
    const isUndone = ({ digest, stepId }: Row): boolean => rows.some((row) => row.kind === 'rollback' && row.state === 'succeeded' && row.digest === digest && row.stepId === stepId);
    const last = rows.find((row) => row.kind === 'execute' && row.handle !== null && row.state !== 'void' && !isUndone(row));
    if (last === undefined) return undefined;
    const [plan] = await db.select({ canonical: plans.canonical }).from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, last.digest)));
    const [detection] = await db.select().from(measurements).where(and(eq(measurements.incidentId, incidentId), eq(measurements.purpose, 'detection'))).orderBy(desc(measurements.measuredAt)).limit(1);
    return plan && detection && { digest: last.digest, canonical: plan.canonical, measurementId: detection.id, signals: detection.signals };
  },

  /** Who let a plan of the incident run alone, once it was claimed. */
  async listGlassBreakers(incidentId: string): Promise<readonly string[]> {
    const rows = await db
      .selectDistinct({ person: decisions.person })
      .from(decisions)
      .innerJoin(executions, eq(executions.grantId, decisions.gateId))
      .where(and(eq(decisions.incidentId, incidentId), eq(decisions.verdict, 'breakGlass'), isNotNull(executions.handle)));
    return rows.map(({ person }) => person);
  },

  /** Kept from now on, and from its end anew: what is unknown can be taken back too. */
  async saveSnapshot(key: string, snapshot: string, keptMs: number): Promise<void> {
    await db.update(executions).set({ snapshot, snapshotKeptUntil: inMs(keptMs) }).where(and(eq(executions.key, key), isNull(executions.handle)));
  },

  /** Notes that the change may have its effect from now on; refuses where it was called off, was claimed too long ago, or the kill switch is on. */
  async begin(key: string, handle: string, seen: string | null): Promise<'begun' | 'calledOff' | 'killSwitch'> {
    return db.transaction(async (tx) => {
      const [row] = await tx.select().from(executions).where(eq(executions.key, key)).for('update');
      if (row === undefined || row.handle !== seen || !canBegin(row)) return 'calledOff';
      // Whoever sets its row back does not make it run again.
      if (row.kind === 'execute' && row.state === 'claimed' && (await isInAudit(tx, 'execution.started', 'key', key))) return 'calledOff';
      if (await readKillSwitch(tx, row.workspaceId)) return 'killSwitch';
      const [begun] = await tx
        .update(executions)
        .set({ state: 'started', handle, startedAt: sql`coalesce(${executions.startedAt}, now())` })
        // From then on the targets are free for others.
        .where(and(eq(executions.key, key), or(ne(executions.state, 'claimed'), sql`${executions.claimedAt} > clock_timestamp() - ${CLAIM_LASTS}`)))
        .returning({ key: executions.key });
      if (begun === undefined) return 'calledOff';
      await appendAudit(tx, row.workspaceId, { kind: row.kind === 'execute' ? 'execution.started' : 'rollback.started', actor: 'sluice', subject: row.incidentId, details: { ...toDetails(row), handle: sha256(handle) } });
      return 'begun';
    });
  },

  /** `void`: it had no effect and never will. */
  async end(key: string, state: 'succeeded' | 'failed' | 'void', result: string, keptMs: number, handle: string | null): Promise<void> {
    await db.transaction(async (tx) => {
      const [row] = await tx
        .update(executions)
        .set({ state, result, endedAt: sql`now()`, snapshotKeptUntil: sql`case when ${executions.snapshotKeptUntil} is not null then ${inMs(keptMs)} end` })
        .where(and(eq(executions.key, key), inArray(executions.state, ['claimed', 'started', 'unknown']), sql`${executions.handle} is not distinct from ${handle}`))
        .returning();
      if (row === undefined) return;
      const kind = row.kind === 'execute' ? 'execution.ended' : 'rollback.ended';
      await appendAudit(tx, row.workspaceId, { kind, actor: 'sluice', subject: row.incidentId, details: { ...toDetails(row), state, result } });
    });
  },

  /** Forgets every snapshot that is not kept any longer. */
  async forgetSnapshots(): Promise<void> {
    await db.update(executions).set({ snapshot: null }).where(and(isNotNull(executions.snapshot), lt(executions.snapshotKeptUntil, sql`now()`)));
  },

  /** Marks what was started and never ended as unknown, and calls off what was not begun; says whether anything may have changed. */
  async settleExecution(incidentId: string, digest: string): Promise<boolean> {
    return db.transaction(async (tx) => {
      const rows = await settle(tx, ofPlan(incidentId, digest));
      return rows.some(({ state, handle }) => state !== 'void' && handle !== null);
    });
  },
});

const inMs = (ms: number) => sql`now() + ${ms} * interval '1 millisecond'`;
/** What people were told is unknown is looked after, and never made; a rollback of it may be claimed again. */
const canBegin = ({ kind, state }: Row): boolean => state === 'claimed' || state === 'started' || (state === 'unknown' && kind === 'rollback');
const toDetails = ({ key, digest, stepId }: Row) => ({ key, digest, step: stepId });

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Whether the audit has such an entry, with this member among its details. Nobody can write a quote into a text of it that is not escaped,
 * so the pattern finds members only.
 */
async function isInAudit(tx: Connection, kind: AuditKind, name: 'grant' | 'key', value: string, more = ''): Promise<boolean> {
  const found = await tx
    .select({ seq: audit.seq })
    .from(audit)
    .where(and(sql`${audit.entry} like ${sql.raw(`'%"kind":"${kind}"%'`)}`, eq(memberOf(audit.entry, name), value), sql`position(${more} in ${audit.entry}) > 0`))
    .limit(1);
  return found.length > 0;
}

/** The ledger could be changed by whoever can write to the database; the audit only grows. What they do not agree about is not claimed. */
async function compareWithAudit(tx: Connection, { kind, grant }: ClaimRequest, ledger: readonly Row[]): Promise<ClaimRefusal | undefined> {
  if (await isInAudit(tx, 'claim.granted', 'grant', grant.id)) return 'alreadyUsed';
  if (kind === 'execute') return undefined;
  for (const { key, handle, kind: made } of ledger) {
    if (made === 'execute' && handle !== null && !(await isInAudit(tx, 'execution.started', 'key', key, `"handle":"${sha256(handle)}"`))) return 'snapshotAltered';
  }
  return undefined;
}

async function settle(tx: Connection, which: SQL | undefined): Promise<readonly Row[]> {
  const before = await tx.select().from(executions).where(and(which, eq(executions.state, 'started'))).for('update');
  const settled = sql`case ${executions.state} when 'started' then 'unknown' when 'claimed' then 'void' else ${executions.state} end`;
  const rows = await tx.update(executions).set({ state: settled }).where(which).returning();
  for (const row of before) {
    const kind = row.kind === 'execute' ? 'execution.ended' : 'rollback.ended';
    await appendAudit(tx, row.workspaceId, { kind, actor: 'sluice', subject: row.incidentId, details: { ...toDetails(row), state: 'unknown' } });
  }
  return rows;
}

async function lockRecord(tx: Connection, request: ClaimRequest): Promise<ClaimRecord> {
  const { workspaceId, incidentId, digest, grant } = request;
  const [incident] = await tx.select({ closedAt: incidents.closedAt }).from(incidents).where(and(eq(incidents.id, incidentId), eq(incidents.workspaceId, workspaceId))).for('update');
  const decision = grant.kind === 'decision' ? (await tx.select().from(decisions).where(and(eq(decisions.id, grant.id), eq(decisions.incidentId, incidentId))))[0] : undefined;
  const gateId = grant.kind === 'gate' ? grant.id : (decision?.gateId ?? null);
  const [gate] = gateId === null ? [] : await tx.select().from(gates).where(and(eq(gates.id, gateId), eq(gates.incidentId, incidentId))).for('update');
  const said = grant.kind === 'decision' ? [decision ?? []].flat() : await tx.select().from(decisions).where(and(eq(decisions.gateId, grant.id), eq(decisions.incidentId, incidentId)));
  const [plan] = await tx.select({ canonical: plans.canonical, verifiedWell: plans.verifiedWell }).from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest)));
  return {
    gate,
    decisions: said,
    canonical: plan?.canonical,
    killSwitchOn: await readKillSwitch(tx, workspaceId),
    verificationFailed: plan?.verifiedWell === false,
    isClosed: incident === undefined || incident.closedAt !== null,
    now: await readClock(tx),
    policies: await readPolicies(tx, workspaceId),
    lookAround: async (plan, policies) => {
      const { isBusy } = await holdTargets(tx, plan);
      return { past: await readPast(tx, plan, policies), isTargetBusy: isBusy };
    },
    ledger: await tx.select().from(executions).where(ofPlan(incidentId, digest)).orderBy(asc(executions.claimedAt)).for('update'),
  };
}
