import { and, asc, eq, sql } from 'drizzle-orm';
import type { Actor } from '../domain/actor.js';
import type { Decision, GateKind, GateState, Refusal } from '../domain/gate.js';
import { hear } from '../domain/gate.js';
import type { SignedDecision } from '../domain/grant.js';
import { GRANT_VALID_MS } from '../domain/grant.js';
import type { Plan } from '../domain/plan.js';
import { toConfirmation } from '../domain/policy.js';
import { appendAudit } from './audit-writer.js';
import { readKillSwitch } from './kill-switch.js';
import { readPolicy } from './policies.js';
import { notify } from './channels.js';
import { readClock } from './clock.js';
import type { Connection, Database } from './database.js';
import { decisions, gates, incidents, outbox, plans } from './schema.js';

type DecisionRow = typeof decisions.$inferSelect;
type GateRow = typeof gates.$inferSelect;

export type DecisionAnswer =
  | { readonly kind: 'counted'; readonly gateState: GateState; readonly approvals: number; readonly approvalsNeeded: number }
  | { readonly kind: 'refused'; readonly because: Refusal; readonly gate: GateRow; readonly confirmation: string | null }
  | { readonly kind: 'unknownGate' }
  /** The id was used for another decision. */
  | { readonly kind: 'conflict' };

/** Signs a decision with a key that only the API has. */
export type SignDecision = (decision: SignedDecision) => Promise<string>;

/**
 * Hears one decision and settles its gate with it, in one transaction with its record and the message to the workflow.
 * A repeat of the same decision is answered as the first time and changes nothing.
 */
export async function decide(db: Database, sign: SignDecision, incidentId: string, decision: Decision): Promise<DecisionAnswer> {
  const { actor } = decision;
  const answer = await db.transaction(async (tx): Promise<DecisionAnswer> => {
    const [gate] = await tx
      .select()
      .from(gates)
      .where(and(eq(gates.id, decision.gateId), eq(gates.incidentId, incidentId), eq(gates.workspaceId, actor.workspaceId)))
      .for('update');
    if (gate === undefined) return { kind: 'unknownGate' };
    const said = await tx.select().from(decisions).where(eq(decisions.gateId, gate.id)).orderBy(asc(decisions.createdAt));
    const content = { ...toContent(decision, incidentId), gateId: gate.id, digest: decision.digest, verdict: decision.verdict, reason: decision.reason };
    const repeated = said.find(({ id }) => id === decision.id);
    if (repeated !== undefined) return isSame(repeated, content) ? recall(gate, said, repeated) : { kind: 'conflict' };

    const confirmation = await readConfirmation(tx, gate);
    const { policy } = await readPolicy(tx, actor.workspaceId);
    const killSwitchOn = await readKillSwitch(tx, actor.workspaceId);
    const now = await readClock(tx);
    const approvedBy = toGoodApprovals(said, now).map(({ person }) => person);
    const hearing = hear(gate, { approvedBy, isReviewed: said.some(({ verdict }) => verdict === 'review'), confirmation, breakGlass: policy.breakGlass, killSwitchOn }, decision, now);
    if (hearing.kind === 'refused') {
      await auditRefusal(tx, actor, incidentId, { gate: gate.id, verdict: decision.verdict, digest: decision.digest, because: hearing.because });
      return { ...hearing, gate, confirmation };
    }

    const signature = await sign(toSigned(content, { gateKind: gate.kind, planVersion: gate.planVersion }, now));
    // The clock and not the transaction's start, so that under the lock the order of the rows is the order in which they counted.
    const [written] = await tx.insert(decisions).values({ ...content, signature, createdAt: sql`clock_timestamp()` }).onConflictDoNothing().returning({ id: decisions.id });
    if (written === undefined) return { kind: 'conflict' };
    if (hearing.state !== 'open') {
      await tx.update(gates).set({ state: hearing.state, settledAt: sql`clock_timestamp()` }).where(and(eq(gates.id, gate.id), eq(gates.state, 'open')));
    }
    await tx.insert(outbox).values({
      workspaceId: actor.workspaceId,
      incidentId,
      message: { kind: 'decision', decisionId: decision.id, gateKind: gate.kind },
    });
    await audit(tx, content, signature, { gate: gate.id, gateState: hearing.state });
    return { kind: 'counted', gateState: hearing.state, approvals: hearing.approvals, approvalsNeeded: gate.approvalsNeeded };
  });
  if (answer.kind === 'counted') await notify(db, 'outbox', '');
  return answer;
}

/** The approvals that a run could still begin by at this moment. */
const toGoodApprovals = (said: readonly DecisionRow[], at: Date): readonly DecisionRow[] =>
  said.filter(({ verdict, createdAt }) => verdict === 'approve' && at.getTime() - createdAt.getTime() <= GRANT_VALID_MS);

/** What the decision was answered when it was made. */
function recall(gate: GateRow, said: readonly DecisionRow[], made: DecisionRow): DecisionAnswer {
  const approvals = toGoodApprovals(said.slice(0, said.indexOf(made) + 1), made.createdAt).length;
  const states = {
    approve: approvals >= gate.approvalsNeeded ? 'approved' : 'open',
    breakGlass: 'approved',
    review: 'open',
    reject: 'rejected',
    requestChanges: 'changesRequested',
    rollBack: 'rollbackRequested',
  } as const;
  if (made.verdict === 'cancel') return { kind: 'conflict' };
  return { kind: 'counted', gateState: states[made.verdict], approvals, approvalsNeeded: gate.approvalsNeeded };
}

export type CancelAnswer = { readonly kind: 'asked' } | { readonly kind: 'unknownIncident' } | { readonly kind: 'closed' } | { readonly kind: 'conflict' };

/** Records a person's request to cancel and tells the workflow, which decides how the incident ends. */
export async function cancel(
  db: Database,
  sign: SignDecision,
  request: { readonly id: string; readonly incidentId: string; readonly actor: Actor; readonly reason: string },
): Promise<CancelAnswer> {
  const { actor, incidentId } = request;
  const answer = await db.transaction(async (tx): Promise<CancelAnswer> => {
    const [incident] = await tx
      .select({ closedAt: incidents.closedAt })
      .from(incidents)
      .where(and(eq(incidents.id, incidentId), eq(incidents.workspaceId, actor.workspaceId)))
      .for('share');
    if (incident === undefined) return { kind: 'unknownIncident' };
    const content = { ...toContent(request, incidentId), gateId: null, digest: null, verdict: 'cancel' as const, reason: request.reason };
    const [repeated] = await tx.select().from(decisions).where(eq(decisions.id, request.id));
    if (repeated !== undefined) return { kind: isSame(repeated, content) ? 'asked' : 'conflict' };
    if (incident.closedAt !== null) return { kind: 'closed' };
    const signature = await sign(toSigned(content, { gateKind: null, planVersion: null }, await readClock(tx)));
    const [written] = await tx.insert(decisions).values({ ...content, signature }).onConflictDoNothing().returning({ id: decisions.id });
    // Two requests with one id at the same moment: the other one wrote it, and it is the same.
    if (written === undefined) return { kind: 'asked' };
    await tx.insert(outbox).values({
      workspaceId: actor.workspaceId,
      incidentId,
      message: { kind: 'decision', decisionId: request.id, gateKind: 'cancel' },
    });
    await audit(tx, content, signature, {});
    return { kind: 'asked' };
  });
  if (answer.kind === 'asked') await notify(db, 'outbox', '');
  return answer;
}

type Content = Omit<DecisionRow, 'createdAt' | 'signature'>;

export const toContent = ({ id, actor }: { readonly id: string; readonly actor: Actor }, incidentId: string) => ({
  id,
  incidentId,
  workspaceId: actor.workspaceId,
  person: actor.person,
  role: actor.role,
});

/** What is signed of a decision: everything that a claim goes by. */
export const toSigned = (
  { id, workspaceId, incidentId, gateId, verdict, digest, person, role }: Omit<Content, 'reason'>,
  gate: { readonly gateKind: GateKind | null; readonly planVersion: number | null },
  now: Date,
): SignedDecision => ({
  decisionId: id,
  workspaceId,
  incidentId,
  gateId,
  ...gate,
  verdict,
  digest,
  person,
  role,
  decidedAt: now.getTime(),
  expiresAt: now.getTime() + GRANT_VALID_MS,
});

export async function audit(tx: Connection, content: Content, signature: string, more: Readonly<Record<string, string>>): Promise<void> {
  const { id, workspaceId, incidentId, verdict, digest, person, role, reason } = content;
  await appendAudit(tx, workspaceId, { kind: 'decision.counted', actor: person, subject: incidentId, details: { decision: id, verdict, digest, role, reason, signature, ...more } });
}

export const auditRefusal = (tx: Connection, { workspaceId, person, role }: Actor, incidentId: string, details: Readonly<Record<string, string | null>>): Promise<void> =>
  appendAudit(tx, workspaceId, { kind: 'decision.refused', actor: person, subject: incidentId, details: { ...details, role } });

/** The role is left out: it may have changed since, and the decision is the same. */
export const isSame = (row: DecisionRow, other: Content): boolean =>
  (['workspaceId', 'incidentId', 'gateId', 'verdict', 'digest', 'person', 'reason'] as const).every((name) => row[name] === other[name]);

/** What an approval of the gate's plan must type, read from the very text that the digest is made over. */
async function readConfirmation(tx: Connection, { incidentId, kind, digest }: GateRow): Promise<string | null> {
  if (digest === null) return null;
  const [plan] = await tx.select({ canonical: plans.canonical }).from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest)));
  return plan === undefined ? null : toConfirmation(kind, JSON.parse(plan.canonical) as Plan);
}
