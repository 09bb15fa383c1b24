import { Type, type Static } from 'typebox';

/** `action_id` of the buttons that decide, before the verdict; and of the one that only opens a page. */
export const decisionButton = 'sluice.';
export const openButton = 'sluice.open';

// As sluice.yaml names things.
const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' });
const Uuid = Type.String({ format: 'uuid' });

/** What a button of ours carries through Slack and back. */
export const SlackButton = Type.Object(
  {
    verdict: Type.Enum(['approve', 'reject']),
    workspaceId: Name,
    incidentId: Uuid,
    gateId: Uuid,
    digest: Type.Union([Type.String({ pattern: '^[0-9a-f]{64}$' }), Type.Null()]),
    /** The channel's name in sluice.yaml. */
    channel: Name,
  },
  { additionalProperties: false },
);
export type SlackButton = Static<typeof SlackButton>;

const SlackId = Type.String({ pattern: '^[A-Z0-9]{2,32}$' });

/** What of Slack's `block_actions` counts: who clicked on which button when. */
export const SlackClick = Type.Object({
  type: Type.Literal('block_actions'),
  user: Type.Object({ id: SlackId, team_id: Type.Optional(SlackId) }),
  /** null where the app is installed for a whole organization. */
  team: Type.Union([Type.Object({ id: SlackId }), Type.Null()]),
  actions: Type.Array(Type.Object({ action_id: Type.String(), action_ts: Type.String({ maxLength: 64 }), value: Type.Optional(Type.String({ maxLength: 2_000 })) }), { minItems: 1 }),
});
export type SlackClick = Static<typeof SlackClick>;
