import { Type, type Static } from 'typebox';
import { decidingRoles } from '../domain/actor.js';
import type { reaches } from '../domain/reach.js';
import { autonomies } from '../domain/policy.js';
import { severities } from '../domain/severity.js';
import { Body, Moment, Reason, Uuid, Words } from './http.js';

const TEN_YEARS_MS = 3_650 * 86_400_000;
const Ms = (description: string) => Type.Integer({ minimum: 1, maximum: TEN_YEARS_MS, description: `${description} Milliseconds.` });
const Approvals = (minimum: number) => Type.Integer({ minimum, maximum: 5 });
const Approver = Words(decidingRoles);

export const Policy = Body({
  autonomy: Words(autonomies),
  approvals: Body({ LOW: Approvals(1), MEDIUM: Approvals(1), HIGH: Approvals(1), CRITICAL: Approvals(2) }),
  approvers: Body({
    session: Approver,
    row: Approver,
    file: Approver,
    pod: Approver,
    workload: Approver,
    namespace: Approver,
    host: Approver,
    cluster: Approver,
  } satisfies Record<(typeof reaches)[number], typeof Approver>),
  breakGlass: Type.Boolean({ description: 'Whether a supervisor may let a plan run alone, with a reason that everyone is told.' }),
  skipVerificationGate: Type.Boolean({ description: 'Whether what nobody had to approve is verified without a person who looks.' }),
  gateWaitMs: Ms('Until an unanswered execution gate expires.'),
  gateRemindMs: Ms('Until the first group is reminded.'),
  escalateMs: Ms('Until the next group is called; after that at twice the time, and so on.'),
  groups: Type.Array(Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,62})$' }), { minItems: 1, maxItems: 10, uniqueItems: true, description: 'Who is told, one after the other; the channels of sluice.yaml name the groups that they reach.' }),
  verificationEscalateMs: Ms('Until an unanswered verification gate becomes NEEDS_HUMAN.'),
  stabilizationMs: Ms('How long the signals must stay well.'),
  maxRounds: Type.Integer({ minimum: 1, maximum: 10, description: 'How many fixes may fail their verification before a person is asked.' }),
  onFailedVerification: Words(['ask', 'rollBack']),
  snapshotKeptMs: Ms('How long a change can be taken back.'),
  evidenceValidMs: Ms('How old the evidence of a plan may be when it runs, before the root cause is looked for again.'),
  cooldownMs: Ms('After a fix of a target the next one needs a supervisor for so long, and what people closed is not opened again by a sweep.'),
  maxTries: Type.Integer({ minimum: 1, maximum: 100, description: 'The same fix of the same target is not proposed again once it ran so often within triesWithinMs.' }),
  triesWithinMs: Ms('Within which maxTries counts.'),
});

export const PolicyVersion = Type.Object({
  version: Type.Integer(),
  policy: Policy,
  changedBy: Type.String({ description: 'A person, or `sluice.yaml`.' }),
  reason: Type.String(),
  signed: Type.Boolean({ description: 'Whether a key that is good now signed this very policy. One that is not signed holds only together with the last one that is, and with sluice.yaml: the stricter of them.' }),
  changedAt: Moment,
});
export type PolicyVersion = Static<typeof PolicyVersion>;

export const PolicyVersionsQuery = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })) });
export const PolicyVersions = Type.Object({ versions: Type.Array(PolicyVersion) });
export type PolicyVersions = Static<typeof PolicyVersions>;

export const PolicyBody = Body({
  policy: Policy,
  version: Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'The version that this one is to take the place of: a change that was made meanwhile is not overwritten.' }),
  reason: Reason,
});
export const PolicyDryRunBody = Body({ policy: Policy });

const RulingWords = Type.Object({
  kind: Words(['auto', 'gate', 'observe', 'forbid']),
  says: Type.String(),
});
/** What each open execution gate would do under another policy. */
export const PolicyDryRun = Type.Object({
  gates: Type.Array(
    Type.Object({
      incidentId: Uuid,
      gateId: Uuid,
      title: Type.String({ description: "The plan's." }),
      risk: Words(severities),
      approvals: Type.Integer({ description: 'How many approved it by now.' }),
      now: RulingWords,
      would: RulingWords,
      changes: Type.Boolean(),
    }),
  ),
  leftOut: Type.Integer({ description: 'How many more gates are open; the oldest ones were looked at.' }),
});
export type PolicyDryRun = Static<typeof PolicyDryRun>;
