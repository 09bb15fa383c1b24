import { and, asc, eq, ne, sql } from 'drizzle-orm';
import { isSamePerson } from '../domain/actor.js';
import { GRANT_VALID_MS } from '../domain/grant.js';
import type { GateOpening, GateState, Verdict } from '../domain/gate.js';
import type { UpdateDraft } from '../domain/incident.js';
import type { Approval } from '../domain/updates.js';
import { notify } from './channels.js';
import type { Database } from './database.js';
import { addNotifications } from './notifications.js';
import { decisions, gates } from './schema.js';
import { appendUpdate } from './tail-writer.js';

export const toApproval = (row: typeof decisions.$inferSelect): Approval => ({
  person: row.person,
  role: row.role,
  reason: row.reason,
  at: row.createdAt.toISOString(),
  ...(row.verdict === 'breakGlass' ? { brokeGlass: true } : {}),
});

/** Each person's last word that let it run, as far as it was still good when the gate was settled, or is now. */
export function toCounted(said: readonly (typeof decisions.$inferSelect)[], settledAt: Date | null): readonly (typeof decisions.$inferSelect)[] {
  const oldest = (settledAt ?? new Date()).getTime() - GRANT_VALID_MS;
  const good = said.filter(({ verdict, createdAt }) => (verdict === 'approve' || verdict === 'breakGlass') && createdAt.getTime() >= oldest);
  return good.filter(({ person }, index) => !good.slice(index + 1).some((later) => isSamePerson(later.person, person)));
}

/** Whom to notify of an update. */
export type Tell = Pick<Parameters<typeof addNotifications>[1], 'workspaceId' | 'kind' | 'gateId' | 'channels'>;

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Gates as their workflow opens and reads them; people settle them in decisions.ts. */
export const createGateRecords = (db: Database) => ({
  async readGate(incidentId: string, gateId: string) {
    const [gate] = await db.select().from(gates).where(and(eq(gates.id, gateId), eq(gates.incidentId, incidentId)));
    if (gate === undefined) return undefined;
    const heard = await db.select().from(decisions).where(eq(decisions.incidentId, incidentId)).orderBy(asc(decisions.createdAt));
    const said = heard.filter((decision) => decision.gateId === gateId);
    const settling: Partial<Record<GateState, Verdict>> = { rejected: 'reject', changesRequested: 'requestChanges', rollbackRequested: 'rollBack' };
    const settled = said.find(({ verdict }) => verdict === settling[gate.state]);
    return {
      state: gate.state,
      mode: gate.mode,
      planVersion: gate.planVersion,
      digest: gate.digest,
      approvals: toCounted(said, gate.settledAt).map(toApproval),
      reviews: said.filter(({ verdict }) => verdict === 'review').map(toApproval),
      decisions: heard,
      settledBy: settled === undefined ? null : toApproval(settled),
      settledById: settled?.id ?? null,
    };
  },

  async openGate(
    ref: { readonly incidentId: string; readonly workspaceId: string },
    gate: GateOpening,
    update: UpdateDraft,
    tell?: Tell,
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
      if (tell !== undefined) await addNotifications(tx, { ...tell, incidentId: ref.incidentId, key: `gate:${gateId}`, text: update.text });
    });
    await notify(db, 'tail', ref.incidentId);
  },

  /** One conditional update: a gate that a person settled first stays as that person settled it. */
  async settleGate(incidentId: string, gateId: string, state: 'expired' | 'withdrawn'): Promise<void> {
    await db
      .update(gates)
      .set({ state, settledAt: sql`now()` })
      .where(and(eq(gates.id, gateId), eq(gates.incidentId, incidentId), eq(gates.state, 'open')));
  },

  async readCancellation(incidentId: string, decisionId: string): Promise<{ readonly approval: Approval; readonly signature: string } | undefined> {
    // It comes from a signal, which may hold anything.
    if (!isUuid(decisionId)) return undefined;
    const [row] = await db
      .select()
      .from(decisions)
      .where(and(eq(decisions.id, decisionId), eq(decisions.incidentId, incidentId), eq(decisions.verdict, 'cancel')));
    return row && { approval: toApproval(row), signature: row.signature };
  },
});
