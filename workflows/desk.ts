import { uuid4 } from '@temporalio/workflow';
import type { IncidentRef } from '../contracts/activities.js';
import type { Telling } from '../domain/notification.js';
import type { UpdateDraft } from '../domain/incident.js';
import { toUpdate } from '../domain/incident.js';
import type { Approval } from '../domain/updates.js';
import { record } from './activity-proxies.js';

export type Message =
  | { readonly kind: 'decision'; readonly decisionId: string }
  | { readonly kind: 'cancel'; readonly decisionId: string }
  /** Temporal itself was asked to cancel; no signal can say this. */
  | { readonly kind: 'cancelledByTemporal' }
  | { readonly kind: 'resolved' }
  /** A signal that names no decision. */
  | { readonly kind: 'malformed'; readonly signal: string };

/** Where messages wait until the story hears them, one at a time and in order. */
export interface Desk {
  readonly ref: IncidentRef;
  readonly inbox: Message[];
  /** The update that the story told last; a message is answered in its phase. */
  readonly now: () => Pick<UpdateDraft, 'phase' | 'status'>;
}

/** Writes down something that the workflow itself decided, and has people told of it. */
export async function say(desk: Desk, update: UpdateDraft, telling: Telling | null = null): Promise<void> {
  await record.recordUpdate({ ...desk.ref, key: `story:${uuid4()}`, update, telling });
}

/** Says who cancelled, where the record knows; refuses by name what nobody decided. */
export async function hearCancel(desk: Desk, message: Extract<Message, { kind: 'cancel' | 'cancelledByTemporal' }>): Promise<{ readonly by: Approval | null } | undefined> {
  if (message.kind === 'cancelledByTemporal') return { by: null };
  const by = await record.readCancellation({ ...desk.ref, decisionId: message.decisionId });
  if (by !== null) return { by };
  await refuse(desk, 'cancel');
  return undefined;
}

/** Writes down a signal that no signed decision stands behind. It changes nothing. */
export async function refuse(desk: Desk, signal: string): Promise<void> {
  const text = [
    `Refused the ${signal} signal: no signed decision stands behind it`,
    `Decide with POST /api/incidents/${desk.ref.incidentId}/decisions, the page or the sluice command`,
  ].join('\n');
  await say(desk, toUpdate({ ...desk.now(), kind: 'decision', text }));
}

export function takeCancel(desk: Desk): Extract<Message, { kind: 'cancel' | 'cancelledByTemporal' }> | undefined {
  const index = desk.inbox.findIndex(({ kind }) => kind === 'cancel' || kind === 'cancelledByTemporal');
  const [message] = index === -1 ? [] : desk.inbox.splice(index, 1);
  return message?.kind === 'cancel' || message?.kind === 'cancelledByTemporal' ? message : undefined;
}

/** Takes a signal in that names a decision; anybody in the namespace can signal anything, so nothing is taken for granted. */
export const takeDecision =
  (inbox: Message[], signal: string, kind: 'decision' | 'cancel' = 'decision') =>
  (notice: unknown): void => {
    const decisionId = readDecisionId(notice);
    inbox.push(decisionId === undefined ? { kind: 'malformed', signal } : { kind, decisionId });
  };

function readDecisionId(notice: unknown): string | undefined {
  if (typeof notice !== 'object' || notice === null || !('decisionId' in notice)) return undefined;
  return typeof notice.decisionId === 'string' ? notice.decisionId : undefined;
}
