import { condition, upsertSearchAttributes } from '@temporalio/workflow';
import type { GateReading } from '../contracts/activities.js';
import { formatDuration } from '../domain/duration.js';
import type { GateOpening } from '../domain/gate.js';
import type { UpdateDraft } from '../domain/incident.js';
import { toUpdate } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import type { Approval } from '../domain/updates.js';
import { formatMoment } from '../domain/updates.js';
import { record } from './activity-proxies.js';
import type { Desk } from './desk.js';
import { hearCancel, refuse, say } from './desk.js';

export type GateAnswer =
  | { readonly kind: 'approved'; readonly approvals: readonly Approval[] }
  | { readonly kind: 'rejected'; readonly by: Approval | null; readonly decisionId: string | null }
  | { readonly kind: 'rollbackRequested'; readonly by: Approval | null; readonly decisionId: string | null }
  | { readonly kind: 'changesRequested'; readonly by: Approval | null }
  | { readonly kind: 'expired' }
  | { readonly kind: 'cancelled'; readonly by: Approval | null }
  | { readonly kind: 'recovered' };

export interface GateWait {
  readonly gate: GateOpening;
  readonly update: UpdateDraft;
  /** Shown in lists from here on; null: as it was. */
  readonly severity: Severity | null;
  /** When to say once more that somebody is waited for. */
  readonly remindMs: number;
  /** What that reminder makes of the status: an unanswered gate after a change calls a person. */
  readonly remindStatus: 'PENDING_HUMAN_APPROVAL' | 'NEEDS_HUMAN';
  /** How long until silence closes it; null: never. */
  readonly expiresInMs: number | null;
  /** Told that it may be over, measures; true closes the gate as recovered. Null where something has changed already. */
  readonly isRecovered: (() => Promise<boolean>) | null;
}

/** Opens a gate and waits until its row is settled. The row is believed, never the signal and never the timer. */
export async function awaitGate(desk: Desk, wait: GateWait): Promise<GateAnswer> {
  const { gate, update } = wait;
  await record.openGate({ ...desk.ref, gate, update });
  upsertSearchAttributes({ SluicePhase: [update.phase], SluiceGate: [gate.kind], ...(wait.severity === null ? {} : { SluiceSeverity: [wait.severity] }) });
  const answer = await hear(desk, wait);
  upsertSearchAttributes({ SluiceGate: ['none'] });
  return answer;
}

/** Hears messages one at a time, and the clock when there are none, until the row says that the gate is settled. */
async function hear(desk: Desk, wait: GateWait): Promise<GateAnswer> {
  const { gate, update } = wait;
  const openedAtMs = Date.now();
  let counted = 0;
  let reminded = false;
  for (;;) {
    const message = desk.inbox.shift();
    if (message === undefined) {
      const wakeInMs = nextWakeMs(wait, reminded, Date.now() - openedAtMs);
      if (wakeInMs === null) await condition(() => desk.inbox.length > 0);
      else if (wakeInMs > 0) await condition(() => desk.inbox.length > 0, wakeInMs, { summary: reminded ? 'until the gate expires' : 'until the reminder' });
      if (desk.inbox.length > 0) continue;
      const waitedMs = Date.now() - openedAtMs;
      if (wait.expiresInMs !== null && waitedMs >= wait.expiresInMs) {
        const answer = toAnswer(await record.readGate({ ...desk.ref, gateId: gate.gateId, settleAs: 'expired' }));
        if (answer !== undefined) return answer;
      } else if (!reminded && waitedMs >= wait.remindMs) {
        reminded = true;
        await say(desk, remind(wait));
      }
      continue;
    }
    switch (message.kind) {
      case 'decision': {
        const reading = await record.readGate({ ...desk.ref, gateId: gate.gateId });
        const answer = toAnswer(reading);
        if (answer !== undefined) return answer;
        if (!reading.decisionIds.includes(message.decisionId)) await refuse(desk, `${gate.kind} gate`);
        const newest = reading.approvals.at(-1);
        if (reading.approvals.length === counted || newest === undefined) break;
        counted = reading.approvals.length;
        await say(desk, toUpdate({
          phase: update.phase,
          status: 'PENDING_HUMAN_APPROVAL',
          kind: 'decision',
          actor: 'HUMAN_USER',
          text: `${counted} of ${gate.approvalsNeeded} approvals: ${newest.person} (${newest.role})`,
          approvedBy: newest.person,
          approvedAt: newest.at,
          reason: newest.reason,
        }));
        break;
      }
      case 'cancel':
      case 'cancelledByTemporal': {
        const cancelled = await hearCancel(desk, message);
        if (cancelled === undefined) break;
        await record.readGate({ ...desk.ref, gateId: gate.gateId, settleAs: 'withdrawn' });
        return { kind: 'cancelled', by: cancelled.by };
      }
      case 'malformed':
        await refuse(desk, message.signal);
        break;
      case 'resolved': {
        if (wait.isRecovered === null || !(await wait.isRecovered())) break;
        const reading = await record.readGate({ ...desk.ref, gateId: gate.gateId, settleAs: 'withdrawn' });
        return reading.state === 'withdrawn' ? { kind: 'recovered' } : (toAnswer(reading) ?? { kind: 'recovered' });
      }
    }
  }
}

function nextWakeMs({ remindMs, expiresInMs }: GateWait, reminded: boolean, waitedMs: number): number | null {
  const moments = [...(reminded ? [] : [remindMs]), ...(expiresInMs === null ? [] : [expiresInMs])];
  return moments.length === 0 ? null : Math.max(0, Math.min(...moments) - waitedMs);
}

const remind = ({ gate, update, remindMs, remindStatus }: GateWait): UpdateDraft =>
  toUpdate({
    phase: update.phase,
    status: remindStatus,
    text:
      `Still waiting after ${formatDuration(remindMs)} for ${gate.approvalsNeeded === 1 ? 'a' : gate.approvalsNeeded} ${gate.roleNeeded}` +
      (gate.expiresAt === null ? '' : `, until ${formatMoment(new Date(gate.expiresAt))}`),
    details: { gateId: gate.gateId },
  });

function toAnswer({ state, approvals, settledBy, settledById }: GateReading): GateAnswer | undefined {
  switch (state) {
    case 'open':
      return undefined;
    case 'approved':
      return { kind: 'approved', approvals };
    case 'rejected':
    case 'rollbackRequested':
      return { kind: state, by: settledBy, decisionId: settledById };
    case 'changesRequested':
      return { kind: 'changesRequested', by: settledBy };
    case 'expired':
      return { kind: 'expired' };
    case 'withdrawn':
      return { kind: 'cancelled', by: null };
  }
}
