import { and, desc, eq, inArray, isNotNull, isNull } from 'drizzle-orm';
import type { Actor } from '../domain/actor.js';
import type { Status } from '../domain/incident.js';
import type { Plan } from '../domain/plan.js';
import { rollbackAsked } from '../domain/updates.js';
import { notify } from './channels.js';
import { readClock } from './clock.js';
import type { Connection, Database } from './database.js';
import { toApproval } from './gate-records.js';
import { audit, auditRefusal, isSame, type SignDecision, toContent, toSigned } from './decisions.js';
import { decisions, executions, incidents, outbox, plans } from './schema.js';
import { appendUpdate } from './tail-writer.js';

export type RollbackAnswer =
  | { readonly kind: 'asked' }
  | { readonly kind: 'unknownIncident' }
  /** It is not closed: its gates decide. */
  | { readonly kind: 'open' }
  | { readonly kind: 'nothingToRollBack' }
  | { readonly kind: 'rolledBack' }
  /** Somebody asked before, and it is not over. */
  | { readonly kind: 'underWay' }
  | { readonly kind: 'snapshotExpired'; readonly keptUntil: Date }
  | { readonly kind: 'conflict' };

export interface LastRun {
  readonly digest: string;
  /** Until when all of it can be taken back. */
  readonly keptUntil: Date;
  readonly wasRolledBack: boolean;
}

/** The newest plan that ran, had a way back and was not wholly taken back; where all were, the newest of those. */
export async function findLastRun(db: Connection, incidentId: string): Promise<LastRun | undefined> {
  const rows = await db.select().from(executions).where(eq(executions.incidentId, incidentId)).orderBy(desc(executions.claimedAt));
  const undone = new Set(rows.filter(({ kind, state }) => kind === 'rollback' && state === 'succeeded').map(({ digest, stepId }) => `${digest}/${stepId}`));
  const ran = rows.filter(({ kind, handle, state }) => kind === 'execute' && handle !== null && state !== 'void');
  const runs = [...new Set(ran.map(({ digest }) => digest))].flatMap((digest): readonly LastRun[] => {
    const steps = ran.filter((row) => row.digest === digest).flatMap(({ stepId, snapshotKeptUntil }) => (snapshotKeptUntil === null ? [] : [{ stepId, snapshotKeptUntil }]));
    if (steps.length === 0) return [];
    const keptUntil = new Date(Math.min(...steps.map(({ snapshotKeptUntil }) => snapshotKeptUntil.getTime())));
    return [{ digest, keptUntil, wasRolledBack: steps.every(({ stepId }) => undone.has(`${digest}/${stepId}`)) }];
  });
  return runs.find(({ wasRolledBack }) => !wasRolledBack) ?? runs[0];
}

interface RollbackRequest {
  readonly id: string;
  readonly incidentId: string;
  readonly actor: Actor;
  readonly reason: string;
}

/** Records a person's request to take back what a closed incident had changed; its workflow claims under this very decision. */
export async function askRollback(db: Database, sign: SignDecision, request: RollbackRequest): Promise<RollbackAnswer> {
  const { actor, incidentId } = request;
  const answer = await db.transaction(async (tx) => {
    const heard = await hearRequest(tx, sign, request);
    if (heard.kind !== 'asked' && heard.kind !== 'unknownIncident') await auditRefusal(tx, actor, incidentId, { verdict: 'rollBack', because: heard.kind });
    return heard;
  });
  if (answer.kind === 'asked') {
    await notify(db, 'outbox', '');
    await notify(db, 'tail', incidentId);
  }
  return answer;
}

async function hearRequest(tx: Connection, sign: SignDecision, request: RollbackRequest): Promise<RollbackAnswer> {
  const { id, actor, incidentId, reason } = request;
  const { workspaceId } = actor;
  const [incident] = await tx.select().from(incidents).where(and(eq(incidents.id, incidentId), eq(incidents.workspaceId, workspaceId))).for('update');
  if (incident === undefined) return { kind: 'unknownIncident' };
  if (incident.closedAt === null) return { kind: 'open' };
  const last = await findLastRun(tx, incidentId);
  const content = { ...toContent(request, incidentId), gateId: null, digest: last?.digest ?? null, verdict: 'rollBack' as const, reason };
  const [repeated] = await tx.select().from(decisions).where(eq(decisions.id, id));
  if (repeated !== undefined) return { kind: isSame(repeated, content) ? 'asked' : 'conflict' };
  const now = await readClock(tx);
  if (last === undefined) return { kind: 'nothingToRollBack' };
  if (last.wasRolledBack) return { kind: 'rolledBack' };
  if (isUnderWay(incident)) return { kind: 'underWay' };
  if (last.keptUntil < now) return { kind: 'snapshotExpired', keptUntil: last.keptUntil };

  const signature = await sign(toSigned(content, { gateKind: null, planVersion: null }, now));
  await tx.insert(decisions).values({ ...content, signature });
  await appendUpdate(tx, incidentId, `rollback:${id}`, rollbackAsked({ person: actor.person, role: actor.role, reason, at: now.toISOString() }));
  await tx.insert(outbox).values({ workspaceId, incidentId, message: { kind: 'rollback', decisionId: id } });
  await audit(tx, content, signature, {});
  return { kind: 'asked' };
}

/** What a recorded request asks to take back, and who asked. */
export async function readRollbackRequest(db: Database, decisionId: string) {
  const [row] = await db
    .select({ decision: decisions, canonical: plans.canonical })
    .from(decisions)
    .innerJoin(plans, and(eq(plans.incidentId, decisions.incidentId), eq(plans.digest, decisions.digest)))
    .where(and(eq(decisions.id, decisionId), eq(decisions.verdict, 'rollBack')));
  if (row?.decision.digest == null) return undefined;
  const { title } = JSON.parse(row.canonical) as Plan;
  return { digest: row.decision.digest, title, askedBy: toApproval(row.decision) };
}

const isUnderWay = ({ status }: { readonly status: Status }): boolean => status === 'IN_PROGRESS' || status === 'NEEDS_HUMAN';

/** Closed incidents that are being taken back, with the request that a workflow should be at. */
export async function listRollbacksUnderWay(db: Database) {
  return db
    .selectDistinctOn([incidents.id], { incident: incidents, decisionId: decisions.id })
    .from(incidents)
    .innerJoin(decisions, and(eq(decisions.incidentId, incidents.id), eq(decisions.verdict, 'rollBack'), isNull(decisions.gateId)))
    .where(and(isNotNull(incidents.closedAt), inArray(incidents.status, ['IN_PROGRESS', 'NEEDS_HUMAN'])))
    .orderBy(incidents.id, desc(decisions.createdAt))
    .limit(1_000);
}
