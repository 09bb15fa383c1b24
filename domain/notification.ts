import type { Tier } from './confidence.js';
import type { Gate } from './gate.js';
import type { Phase, Status, UpdateDraft } from './incident.js';
import { toUpdate } from './incident.js';
import type { Plan } from './plan.js';
import type { Severity } from './severity.js';
import { formatWayBack } from './updates.js';

export const notificationKinds = ['gateOpened', 'reminder', 'escalation', 'needsHuman', 'brokenGlass', 'ranByPolicy', 'answer'] as const;
/** Why people are told; `answer` is what one person's click in chat came to. */
export type NotificationKind = (typeof notificationKinds)[number];

/** Whether it only asks for an answer at its gate: once that is settled, nobody needs to hear of it. */
export const isOnlyAsking = (kind: NotificationKind): boolean => kind !== 'brokenGlass' && kind !== 'ranByPolicy' && kind !== 'answer';

/** What of an update people are told besides the tail: the groups say whom. */
export interface Telling {
  readonly kind: NotificationKind;
  readonly groups: readonly string[];
  readonly gateId: string | null;
}

/** What one channel is told once. `id` is the same however often it is sent. */
export interface Notice {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly title: string;
  readonly severity: Severity | null;
  readonly text: string;
  readonly gate: NoticeGate | null;
  /** Where people decide; null where nobody said under which address Sluice is reached. */
  readonly url: string | null;
  /** The one Slack user who sees it; null: everybody in the channel. */
  readonly onlyFor: string | null;
}

export interface NoticeGate {
  readonly id: string;
  readonly kind: Gate['kind'];
  readonly digest: string | null;
  readonly roleNeeded: Gate['roleNeeded'];
  readonly approvalsNeeded: number;
  /** RFC 3339; null: it never expires. */
  readonly expiresAt: string | null;
  readonly plan: NoticePlan | null;
  /** Whether it waits and may be answered in chat. */
  readonly isForChat: boolean;
}

export interface NoticePlan {
  readonly title: string;
  readonly risk: Severity;
  readonly wayBack: string;
  readonly confidence: { readonly value: number; readonly tier: Tier };
}

/** What became of one try to deliver. */
export type Delivery =
  | { readonly kind: 'delivered' }
  /** `afterMs` is how long the channel asked to be left alone; null where it did not. */
  | { readonly kind: 'tryAgain'; readonly because: string; readonly afterMs: number | null }
  /** It will not go better next time. */
  | { readonly kind: 'gaveUp'; readonly because: string };

/** Whether a click in chat may settle the gate: what is grave, or needs more than a word, is decided where the whole plan is shown. */
export const mayDecideInChat = ({ kind, mode, reviewNeeded }: Pick<Gate, 'kind' | 'mode' | 'reviewNeeded'>, risk: Severity | null): boolean =>
  kind === 'execution' && mode === 'people' && !reviewNeeded && (risk === 'LOW' || risk === 'MEDIUM');

/** The gate and its plan, as a channel is told of them. */
export function toNoticeGate(gate: Gate, plan: { readonly plan: Plan; readonly confidence: NoticePlan['confidence'] } | null): NoticeGate {
  const { id, kind, digest, roleNeeded, approvalsNeeded, expiresAt, state } = gate;
  return {
    id,
    kind,
    digest,
    roleNeeded,
    approvalsNeeded,
    expiresAt: expiresAt?.toISOString() ?? null,
    plan: plan && { title: plan.plan.title, risk: plan.plan.risk, wayBack: formatWayBack(plan.plan), confidence: { value: plan.confidence.value, tier: plan.confidence.tier } },
    isForChat: state === 'open' && mayDecideInChat(gate, plan?.plan.risk ?? null),
  };
}

/** Where the page shows an incident; null where its address is not known. */
export const toIncidentUrl = (publicUrl: string, incidentId: string): string | null => (publicUrl === '' ? null : `${publicUrl.replace(/\/+$/, '')}/incidents/${incidentId}`);

const kindWords: Readonly<Record<NotificationKind, string>> = {
  gateOpened: 'gate opened',
  reminder: 'reminder',
  escalation: 'nobody has decided yet',
  needsHuman: 'a person is needed',
  brokenGlass: 'somebody broke the glass',
  ranByPolicy: 'it runs by policy',
  answer: 'answer to a click',
};

/** What the tail says of a try to tell a channel; the incident stays as it is. */
export function toldUpdate(incident: { readonly phase: Phase; readonly status: Status }, whom: string, kind: NotificationKind, delivery: Delivery): UpdateDraft {
  const what = `${whom}: ${kindWords[kind]}`;
  const { phase, status } = incident;
  switch (delivery.kind) {
    case 'delivered':
      return toUpdate({ phase, status, text: `Told ${what}` });
    case 'tryAgain':
      return toUpdate({ phase, status, text: `Could not tell ${what}, tried again\n${delivery.because}` });
    case 'gaveUp':
      return toUpdate({ phase, status, text: `Gave up telling ${what}\n${delivery.because}` });
  }
}
