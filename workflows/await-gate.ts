import { condition, upsertSearchAttributes } from '@temporalio/workflow';
import type { GateReading } from '../contracts/activities.js';
import { toCall } from '../domain/escalation.js';
import type { GateOpening } from '../domain/gate.js';
import type { UpdateDraft } from '../domain/incident.js';
import type { NotificationKind } from '../domain/notification.js';
import type { Policy } from '../domain/policy.js';
import type { Severity } from '../domain/severity.js';
import type { Approval } from '../domain/updates.js';
import { answered, leftToPeople, stillWaiting } from '../domain/updates.js';
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
  /** Who is called while nobody answers, and when. */
  readonly policy: Policy;
  /** From when on silence calls for anybody, and the status says so; null: never. */
  readonly needsHumanAfterMs: number | null;
  /** How long until silence closes it; null: never. */
  readonly expiresInMs: number | null;
  /** Told that it may be over, measures; true closes the gate as recovered. Null where something has changed already. */
  readonly isRecovered: (() => Promise<boolean>) | null;
}

/** Opens a gate and waits until its row is settled. The row is believed, never the signal and never the timer. */
export async function awaitGate(desk: Desk, wait: GateWait): Promise<GateAnswer> {
  const { gate, update, policy } = wait;
  const groups = gate.mode === 'people' ? policy.groups.slice(0, 1) : [];
  await record.openGate({ ...desk.ref, gate, update, telling: { kind: gate.kind === 'needsHuman' ? 'needsHuman' : 'gateOpened', groups, gateId: gate.gateId } });
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
  let reviewed = 0;
  let { mode } = gate;
  let calls = 0;
  let needsHuman = wait.needsHumanAfterMs === 0;
  for (;;) {
    const message = desk.inbox.shift();
    if (message === undefined) {
      const next = nextMoment(wait, calls, needsHuman);
      const inMs = next === null ? null : Math.max(0, next.atMs - (Date.now() - openedAtMs));
      if (inMs === null) await condition(() => desk.inbox.length > 0);
      else if (inMs > 0) await condition(() => desk.inbox.length > 0, inMs, { summary: waitSummaries[next?.kind ?? 'call'] });
      if (desk.inbox.length > 0) continue;
      switch (next?.kind) {
        case 'expiry': {
          const answer = toAnswer(await record.readGate({ ...desk.ref, gateId: gate.gateId, settleAs: 'expired' }));
          if (answer !== undefined) return answer;
          break;
        }
        case 'needsHuman':
          needsHuman = true;
          await call(desk, wait, { afterMs: next.atMs, groups: wait.policy.groups, kind: 'needsHuman', needsHuman });
          break;
        case 'call':
          await call(desk, wait, { afterMs: next.atMs, groups: [toCall(calls, wait.policy).group], kind: calls === 0 ? 'reminder' : 'escalation', needsHuman });
          calls += 1;
          break;
        case undefined:
          break;
      }
      continue;
    }
    switch (message.kind) {
      case 'decision': {
        const reading = await record.readGate({ ...desk.ref, gateId: gate.gateId });
        for (const review of reading.reviews.slice(reviewed)) await say(desk, answered(update.phase, review, 'Reviewed by'));
        reviewed = reading.reviews.length;
        const answer = toAnswer(reading);
        if (answer !== undefined) return answer;
        if (mode === 'policy' && reading.mode === 'people') {
          await say(desk, leftToPeople(update, gate), { kind: 'gateOpened', groups: wait.policy.groups.slice(0, 1), gateId: gate.gateId });
        }
        mode = reading.mode;
        if (message.decisionId !== gate.gateId && !reading.decisionIds.includes(message.decisionId)) await refuse(desk, `${gate.kind} gate`);
        const newest = reading.approvals.at(-1);
        if (reading.approvals.length === counted || newest === undefined) break;
        counted = reading.approvals.length;
        await say(desk, answered(update.phase, newest, `${counted} of ${gate.approvalsNeeded} approvals:`));
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

interface Moment {
  readonly kind: 'call' | 'needsHuman' | 'expiry';
  /** Since the gate opened. */
  readonly atMs: number;
}

const waitSummaries: Readonly<Record<Moment['kind'], string>> = { call: 'until somebody is called', needsHuman: 'until a person is needed', expiry: 'until the gate expires' };

/** What comes next while nobody answers; at the same moment the graver. Nobody is called for what is only observed. */
function nextMoment({ gate, policy, needsHumanAfterMs, expiresInMs }: GateWait, calls: number, needsHuman: boolean): Moment | null {
  const moments: Moment[] = [];
  if (expiresInMs !== null) moments.push({ kind: 'expiry', atMs: expiresInMs });
  if (!needsHuman && needsHumanAfterMs !== null) moments.push({ kind: 'needsHuman', atMs: needsHumanAfterMs });
  if (gate.mode !== 'nobody') moments.push({ kind: 'call', atMs: toCall(calls, policy).afterMs });
  return moments.reduce<Moment | null>((first, moment) => (first === null || moment.atMs < first.atMs ? moment : first), null);
}

function call(
  desk: Desk,
  { gate, update }: GateWait,
  { afterMs, groups, kind, needsHuman }: { readonly afterMs: number; readonly groups: readonly string[]; readonly kind: NotificationKind; readonly needsHuman: boolean },
): Promise<void> {
  const status = needsHuman ? 'NEEDS_HUMAN' : 'PENDING_HUMAN_APPROVAL';
  return say(desk, stillWaiting({ phase: update.phase, status }, gate, afterMs, groups.join(', ')), { kind, groups, gateId: gate.gateId });
}

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
