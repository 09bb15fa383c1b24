export const notificationKinds = ['gateOpened', 'reminder', 'escalation', 'needsHuman', 'brokenGlass', 'ranByPolicy', 'answer'] as const;
/** Why people are told; `answer` is what one person's click in chat came to. */
export type NotificationKind = (typeof notificationKinds)[number];

/** What of an update people are told besides the tail: the groups say whom. */
export interface Telling {
  readonly kind: NotificationKind;
  readonly groups: readonly string[];
  readonly gateId: string | null;
}
