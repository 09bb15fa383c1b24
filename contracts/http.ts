import { Type, type Static, type TProperties, type TSchema } from 'typebox';
import { roles } from '../domain/actor.js';
import { auditKinds } from '../domain/audit.js';
import { gateKinds, gateModes, gateStates, verdicts } from '../domain/gate.js';
import { stepTypes } from '../domain/plan.js';
import { scriptTypes } from '../domain/script-library.js';
import { kept, reaches } from '../domain/reach.js';
import { outcomes, phases, statuses, triggers, updateActors, updateKinds } from '../domain/incident.js';
import { rootCauseCategories, scriptParameters } from '../domain/root-cause.js';
import { severities } from '../domain/severity.js';
import { units } from '../domain/signal.js';

export const Words = <const Values extends readonly string[]>(values: Values) => Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] });
export const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
export const Body = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: false });
export const Uuid = Type.String({ format: 'uuid' });
export const Moment = Type.String({ format: 'date-time' });
// Closed, because the pattern that a record is checked by misses names with line breaks.
const Labels = Type.Record(Type.String(), Type.String(), { additionalProperties: false });
export const Cursor = Type.String({ format: 'uuid', description: 'As the previous page gave it.' });
export const Name = Type.String({ minLength: 1, maxLength: 200 });
export const Reason = Type.String({ minLength: 1, maxLength: 2_000, pattern: '\\S' });
const Confirmation = Type.String({ maxLength: 1_000, description: "The plan's title, typed to approve it where the gate's `confirmation` asks for it." });

const Finding = Type.Object({
  rule: Type.String(),
  position: Type.Integer({ description: 'The character that it is about, counted from 1; 0 for the whole.' }),
  reason: Type.String(),
  remedy: Type.String(),
});

/** RFC 9457. `type` is stable; `detail` says what the reader can do. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.Optional(Type.String()),
  findings: Type.Optional(Type.Array(Finding)),
});
export type Problem = Static<typeof Problem>;

/** With the same key, the same person's repeat of a write is answered as the first time and has one effect. */
export const WriteHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Chosen by the caller; a repeat with the same key counts once.' })),
});

export const IncidentParams = Type.Object({ incidentId: Uuid });
export const ExecutionParams = Type.Object({ key: Type.String({ pattern: '^[0-9a-f]{32}$', description: 'The key of an execution.' }) });
export const PodClaimBody = Body({ pod: Type.String({ minLength: 1, maxLength: 253, description: 'Its name.' }) });
export const PodClaimed = Type.Object({ key: Type.String(), pod: Type.String() });

export const IncidentUpdate = Type.Object({
  id: Uuid,
  incidentId: Uuid,
  seq: Type.Integer(),
  phase: Words(phases),
  status: Words(statuses),
  kind: Words(updateKinds),
  actor: Words(updateActors),
  text: Type.String(),
  details: Nullable(
    Type.Object({
      anomalies: Type.Optional(Type.Integer()),
      severity: Type.Optional(Words(severities)),
      gateId: Type.Optional(Uuid),
      planVersion: Type.Optional(Type.Integer()),
      digest: Type.Optional(Type.String()),
      confidence: Type.Optional(Type.Number()),
      improvementPercent: Type.Optional(Type.Number()),
      outcome: Type.Optional(Words(outcomes)),
    }),
  ),
  approvedBy: Nullable(Type.String()),
  approvedAt: Nullable(Moment),
  reason: Nullable(Type.String()),
  createdAt: Moment,
});
export type IncidentUpdate = Static<typeof IncidentUpdate>;

/** Lines of a running script: `firstLine` counts from 1, `text` holds whole lines. */
export const TailOutput = Type.Object({ stream: Words(['stdout', 'stderr']), text: Type.String(), firstLine: Type.Integer() });
export const TailDone = Type.Object({ outcome: Words(outcomes) });

/** One entry of the job tail. Over SSE: `event: <event>`, `id: <seq>`, `data: <data>`. */
export const TailEntry = Type.Union([
  Type.Object({ event: Type.Literal('update'), seq: Type.Integer(), data: IncidentUpdate }),
  Type.Object({ event: Type.Literal('output'), seq: Type.Integer(), data: TailOutput }),
  Type.Object({ event: Type.Literal('done'), seq: Type.Integer(), data: TailDone }),
]);
export type TailEntry = Static<typeof TailEntry>;

const Streamed = <Event extends TailEntry['event']>(event: Event, data: TSchema) =>
  Type.Object({ id: Type.String(), event: Type.Literal(event), data: Type.String({ contentMediaType: 'application/json', contentSchema: data }) });
/** One event of a stream, as its reader has it. */
export const TailEvent = Type.Union([Streamed('update', IncidentUpdate), Streamed('output', TailOutput), Streamed('done', TailDone)], {
  description: 'Each event of the stream: `id` is its seq. Between them are comments, so that nobody takes a quiet stream for a dead one.',
});

export const TailQuery = Type.Object({
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'Only entries after this seq. `Last-Event-ID` does the same.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 500 })),
});
export const TailHeaders = Type.Object({
  'last-event-id': Type.Optional(Type.String({ pattern: '^[0-9]{1,9}$', description: 'The id of the last event that was received.' })),
});
export const TailPage = Type.Object({ entries: Type.Array(TailEntry), nextAfter: Type.Integer(), text: Type.String() });
export type TailPage = Static<typeof TailPage>;

const Signal = Type.Object({
  target: Type.String(),
  name: Type.String(),
  title: Type.String(),
  unit: Words(units),
  value: Nullable(Type.Number()),
  threshold: Type.Number(),
  better: Words(['lower', 'higher']),
});

const Approval = Type.Object({ person: Type.String(), role: Type.String(), reason: Nullable(Type.String()), at: Moment });

export const Gate = Type.Object({
  id: Uuid,
  kind: Words(gateKinds),
  mode: Type.Enum([...gateModes], { description: '`people` decide; the `policy` lets it run by itself; or `nobody` can, because it is only observed.' }),
  state: Words(gateStates),
  digest: Nullable(Type.String()),
  planVersion: Nullable(Type.Integer()),
  offersRollback: Type.Boolean({ description: 'Whether what was run can be taken back from here: by rollBack, at a verification gate also by reject.' }),
  approvalsNeeded: Type.Integer(),
  roleNeeded: Words(roles),
  reviewNeeded: Type.Boolean({ description: 'Whether a supervisor has to record a review before any approval counts.' }),
  excluded: Type.Array(Type.String(), { description: 'Whose approval does not count: they wrote what would run, or let it run alone.' }),
  confirmation: Type.Union([Type.String(), Type.Null()], { description: 'What must be typed to approve it; null where nothing.' }),
  approvals: Type.Array(Approval),
  reviews: Type.Array(Approval),
  settledBy: Nullable(Approval),
  openedAt: Moment,
  expiresAt: Nullable(Moment),
  updateId: Uuid,
});
export type Gate = Static<typeof Gate>;

export const Plan = Type.Object({
  version: Type.Integer(),
  digest: Type.String(),
  title: Type.String(),
  risk: Words(severities),
  estimatedDurationMs: Type.Integer(),
  steps: Type.Array(
    Type.Object({
      stepId: Type.String(),
      type: Words(stepTypes),
      target: Type.String(),
      script: Type.String(),
      parameters: Type.Array(Type.String()),
      reach: Words(reaches),
      findings: Type.Array(Finding, { description: 'What could not be inspected, or is risky. Where there is any, two people must approve.' }),
      queue: Type.Union([Type.String(), Type.Null()], { description: 'The executor worker that runs it; null where the control worker does.' }),
      sandbox: Type.Union(
        [
          Type.Object({
            paths: Type.Array(Type.String(), { description: 'Files and folders of the host that it may change.' }),
            secrets: Type.Array(Type.String(), { description: 'The names of the secrets that it is given.' }),
            memoryBytes: Type.Integer(),
            diskBytes: Type.Integer(),
            processes: Type.Integer(),
            outputBytes: Type.Integer(),
          }),
          Type.Null(),
        ],
        { description: 'What bash and python run in; null for other types.' },
      ),
      wayBack: Type.Union([
        Type.Object({ kind: Type.Literal('oneWay'), because: Type.String() }),
        Type.Object({ kind: Type.Literal('snapshot'), of: Words(kept), keptMs: Type.Integer() }),
      ]),
    }),
  ),
  confidence: Type.Object({
    value: Type.Number(),
    tier: Words(['HIGH', 'MEDIUM', 'LOW']),
    factors: Type.Array(Type.Object({ name: Type.String(), points: Type.Number() })),
    caps: Type.Array(Type.Object({ name: Type.String(), atMost: Type.Number() }), { description: 'What it can be at most, and why.' }),
  }),
  /** What each step would touch, as it was read without effect. */
  rehearsal: Type.Array(Type.Object({ stepId: Type.String(), lines: Type.Array(Type.String()) })),
});
export type Plan = Static<typeof Plan>;

export const IncidentSummary = Type.Object({
  id: Uuid,
  workspaceId: Type.String(),
  title: Type.String(),
  trigger: Words(triggers),
  phase: Words(phases),
  status: Words(statuses),
  outcome: Nullable(Words(outcomes)),
  severity: Nullable(Words(severities)),
  score: Nullable(Type.Number()),
  /** How often its alert was told. */
  alerts: Type.Integer(),
  openedAt: Moment,
  updatedAt: Moment,
  closedAt: Nullable(Moment),
});
export type IncidentSummary = Static<typeof IncidentSummary>;

export const IncidentDetail = Type.Object({
  ...IncidentSummary.properties,
  rootCause: Nullable(
    Type.Object({
      category: Words(rootCauseCategories),
      details: Type.String(),
      confidence: Type.Number(),
      affectedSystems: Type.Array(Type.String()),
      evidence: Type.Array(Type.String()),
      suggestedActions: Type.Array(Type.String()),
    }),
  ),
  /** The newest plan. */
  plan: Nullable(Plan),
  /** The newest gate, open or settled. */
  gate: Nullable(Gate),
  /** Signals out of bounds when they were last detected, worst first, and the same signals as measured last. */
  before: Type.Array(Signal),
  now: Type.Array(Signal),
  measuredAt: Nullable(Moment),
  /** Until when what was run can be taken back; null where nothing can. While the incident is open its gates say so. */
  canRollBackUntil: Nullable(Moment),
  temporalUrl: Nullable(Type.String()),
});
export type IncidentDetail = Static<typeof IncidentDetail>;

export const IncidentsQuery = Type.Object({
  state: Type.Optional(Words(['open', 'closed', 'all'])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Cursor),
});
export const IncidentPage = Type.Object({ incidents: Type.Array(IncidentSummary), nextCursor: Nullable(Type.String()) });
export type IncidentPage = Static<typeof IncidentPage>;

export const DecisionBody = Body({
  decisionId: Type.Optional(Type.String({ format: 'uuid', description: 'Chosen by the caller, so a retried request counts once.' })),
  gateId: Uuid,
  digest: Type.Optional(Nullable(Type.String({ pattern: '^[0-9a-f]{64}$', description: 'The digest of the plan that the person was shown; null where the gate has none.' }))),
  verdict: Words(verdicts),
  reason: Type.Optional(Reason),
  confirmation: Type.Optional(Confirmation),
});
export const DecisionReceipt = Type.Object({
  decisionId: Uuid,
  gateState: Words(gateStates),
  approvals: Type.Integer(),
  approvalsNeeded: Type.Integer(),
  message: Type.String(),
});
export type DecisionReceipt = Static<typeof DecisionReceipt>;
export const CancelBody = Body({ reason: Reason });
export const CancelReceipt = Type.Object({ decisionId: Uuid, message: Type.String() });
export type CancelReceipt = Static<typeof CancelReceipt>;

export const RollbackBody = Body({ reason: Reason });
export const RollbackReceipt = Type.Object({ decisionId: Uuid, message: Type.String() });
export type RollbackReceipt = Static<typeof RollbackReceipt>;

export const RemediateBody = Body({
  workspaceId: Name,
  severityThreshold: Type.Optional(Words([...severities, 'SEV-0', 'SEV-1', 'SEV-2', 'SEV-3'])),
  userId: Type.Optional(Name),
});
export const ApproveBody = Body({
  updateId: Uuid,
  approved: Type.Boolean(),
  userId: Type.Optional(Name),
  reason: Type.Optional(Reason),
  confirmation: Type.Optional(Confirmation),
});
export const ApproveReceipt = Type.Object({ success: Type.Boolean(), message: Type.String() });

export const RemediationScript = Type.Object({
  id: Uuid,
  workspaceId: Type.String(),
  name: Name,
  description: Type.String({ maxLength: 2_000 }),
  type: Words(scriptTypes),
  command: Type.String({ minLength: 1, maxLength: 20_000 }),
  parameters: Type.Array(Words(scriptParameters), { maxItems: 5, description: 'What each `$n` of SQL, each argument of a BASH or PYTHON script, or each `{…}` of a command line stands for, in order.' }),
  category: Words(rootCauseCategories),
  risk: Words(severities),
  estimatedDuration: Type.Integer({ minimum: 0, description: 'Milliseconds.' }),
  timeoutMs: Type.Integer({ minimum: 1_000, maximum: 900_000, description: 'Until it is stopped.' }),
  paths: Type.Array(Type.String({ pattern: '^/[^\\0]+$', maxLength: 1_000 }), { maxItems: 20, description: 'Files and folders that a BASH or PYTHON script may change; what it changes elsewhere cannot be undone.' }),
  secrets: Type.Array(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' }), { maxItems: 20, description: 'Secrets that a BASH or PYTHON script finds as files below /run/secrets, by the names that sluice.yaml gives them.' }),
  enabled: Type.Boolean(),
  createdAt: Moment,
  updatedAt: Moment,
});
const { name, description, type, command, parameters, category, risk, estimatedDuration, timeoutMs, paths, secrets } = RemediationScript.properties;
export const NewScript = Body({
  workspaceId: Name,
  name,
  description: Type.Optional(description),
  type,
  command,
  parameters,
  category,
  risk,
  estimatedDuration,
  timeoutMs: Type.Optional(timeoutMs),
  paths: Type.Optional(paths),
  secrets: Type.Optional(secrets),
  enabled: Type.Optional(Type.Boolean()),
});
export const ScriptsQuery = Type.Object({
  workspaceId: Type.Optional(Name),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 100 })),
  cursor: Type.Optional(Cursor),
});

// More than fits in the body limit as it is by default: a group that is refused for its number is not sent again.
const MAX_ALERTS = 10_000;

/** Alertmanager's webhook, version 4. Fields that we do not read may come and go. */
export const AlertmanagerBody = Type.Object({
  version: Type.Optional(Type.String()),
  alerts: Type.Array(
    Type.Object({
      status: Words(['firing', 'resolved']),
      labels: Labels,
      annotations: Type.Optional(Labels),
      startsAt: Type.Optional(Moment),
      fingerprint: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    }),
    { minItems: 1, maxItems: MAX_ALERTS },
  ),
});

const JsonAlert = Body({
  title: Name,
  state: Type.Optional(Words(['firing', 'resolved'])),
  severity: Type.Optional(Type.String({ maxLength: 50 })),
  fingerprint: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  labels: Type.Optional(Labels),
  startsAt: Type.Optional(Moment),
});
/** One alert, or a batch. */
export const JsonAlertBody = Type.Union([JsonAlert, Type.Array(JsonAlert, { minItems: 1, maxItems: MAX_ALERTS })]);
export const AlertReceipt = Type.Object({
  accepted: Type.Integer(),
  incidents: Type.Array(Type.Object({ fingerprint: Type.String(), incidentId: Nullable(Uuid), isNew: Type.Boolean() })),
});

export const Me = Type.Object({ person: Type.String(), role: Words(roles), workspaceId: Type.String() });
export type Me = Static<typeof Me>;
export const Health = Type.Object({ status: Words(['ok', 'unavailable']), checks: Type.Record(Type.String(), Type.String()) });

export const AuditQuery = Type.Object({
  order: Type.Optional(Words(['newest', 'oldest'])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
  cursor: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'As the previous page gave it.' })),
});
export const AuditPage = Type.Object({
  rows: Type.Array(
    Type.Object({
      seq: Type.Integer(),
      kind: Nullable(Words(auditKinds)),
      actor: Nullable(Type.String()),
      subject: Nullable(Type.String()),
      details: Type.Unknown({ description: 'JSON; what there is depends on the kind.' }),
      at: Nullable(Moment),
      entry: Type.String({ description: 'The canonical text (RFC 8785) that is hashed; the fields beside it are read from it, and null where it is not one that Sluice writes.' }),
      hash: Type.String({ description: 'SHA-256 of the hash of the row before, a line feed, and `entry`; for the first row, the id of the workspace stands for the hash before.' }),
    }),
  ),
  nextCursor: Nullable(Type.Integer()),
});
export type AuditPage = Static<typeof AuditPage>;

export const AuditReport = Type.Object({
  rows: Type.Integer(),
  checkpoints: Type.Integer({ description: 'Signed checkpoints of this workspace that the chain was held against.' }),
  notYetCheckpointed: Type.Integer({ description: 'Rows after the last checkpoint.' }),
  revokedCheckpoints: Type.Integer({ description: 'Checkpoints of this workspace by keys that are revoked; they speak for nothing.' }),
  tampering: Type.Union([Type.Object({ seq: Type.Integer(), what: Type.String() }), Type.Null()], { description: 'What is wrong first; null where nothing is.' }),
});
export type AuditReport = Static<typeof AuditReport>;

export const KeyParams = Type.Object({ keyId: Type.String({ minLength: 1, maxLength: 100 }) });
export const KeyList = Type.Object({ keys: Type.Array(Type.Object({ keyId: Type.String(), madeAt: Moment, state: Words(['signing', 'verifying', 'revoked']) })) });
export type KeyList = Static<typeof KeyList>;
export const RotateBody = Body({ reason: Type.Optional(Reason) });
export const RevokeBody = Body({ reason: Reason });
export const KeyReceipt = Type.Object({ keyId: Type.String(), message: Type.String() });
export type KeyReceipt = Static<typeof KeyReceipt>;

const KillSwitch = Type.Object({ on: Type.Boolean(), person: Nullable(Type.String()), reason: Nullable(Type.String()), changedAt: Nullable(Moment) });
/** While one of them is on, nothing is run or rolled back. */
export const KillSwitches = Type.Object({ workspace: KillSwitch, all: KillSwitch });
export type KillSwitches = Static<typeof KillSwitches>;
export const KillSwitchBody = Body({ scope: Words(['workspace', 'all']), on: Type.Boolean(), reason: Reason });
