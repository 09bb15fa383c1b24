import { type SQL, sql } from 'drizzle-orm';
import { type AnyPgColumn, bigint, boolean, check, doublePrecision, index, integer, jsonb, pgTable, primaryKey, text, timestamp, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { decidingRoles, roles } from '../domain/actor.js';
import { alertSources } from '../domain/alert.js';
import type { Confidence } from '../domain/confidence.js';
import { executionStates } from '../domain/execution.js';
import { gateKinds, gateModes, gateStates, verdicts } from '../domain/gate.js';
import type { UpdateDraft } from '../domain/incident.js';
import { outcomes, phases, statuses, triggers } from '../domain/incident.js';
import { notificationKinds } from '../domain/notification.js';
import type { Policy } from '../domain/policy.js';
import type { RootCause, ScriptParameter } from '../domain/root-cause.js';
import { rootCauseCategories } from '../domain/root-cause.js';
import { scriptTypes } from '../domain/script-library.js';
import { severities } from '../domain/severity.js';
import type { Fact, Signal } from '../domain/signal.js';
import { ofIncident, ofWorkspace, ofWorkspaceOrAll } from './row-security.js';

const at = (name: string) => timestamp(name, { withTimezone: true });
const createdAt = () => at('created_at').notNull().defaultNow();

/** Bearer tokens. Only a SHA-256 of each is kept. */
export const tokens = pgTable(
  'tokens',
  {
    id: uuid('id').primaryKey(),
    tokenHash: text('token_hash').notNull().unique(),
    workspaceId: text('workspace_id').notNull(),
    person: text('person').notNull(),
    role: text('role', { enum: roles }).notNull(),
    /** What it is for, in its owner's words. */
    name: text('name').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: createdAt(),
    expiresAt: at('expires_at').notNull(),
    /** To the minute. */
    lastUsedAt: at('last_used_at'),
    revokedAt: at('revoked_at'),
    revokedBy: text('revoked_by'),
  },
  (table) => [...ofWorkspace(table.workspaceId), index('tokens_page').on(table.workspaceId, table.createdAt, table.id)],
);

/** People who decide in chat: who they are there, and what they may do. */
export const people = pgTable(
  'people',
  {
    workspaceId: text('workspace_id').notNull(),
    person: text('person').notNull(),
    role: text('role', { enum: roles }).notNull(),
    /** Team and user of Slack, as `T…/U…`. */
    slackUser: text('slack_user').notNull(),
    changedBy: text('changed_by').notNull(),
    changedAt: at('changed_at').notNull().defaultNow(),
  },
  (table) => [...ofWorkspace(table.workspaceId), primaryKey({ columns: [table.workspaceId, table.person] }), unique('people_slack_user').on(table.workspaceId, table.slackUser)],
);

/** Every policy that a workspace had, oldest first; the one with the highest version holds. */
export const policies = pgTable(
  'policies',
  {
    workspaceId: text('workspace_id').notNull(),
    version: integer('version').notNull(),
    policy: jsonb('policy').$type<Policy>().notNull(),
    /** A person, or `sluice.yaml`. */
    changedBy: text('changed_by').notNull(),
    reason: text('reason').notNull(),
    /** A JWS over a SignedPolicy, by a key of the API; null for what the file says, which a worker reads for itself. */
    signature: text('signature'),
    createdAt: createdAt(),
  },
  (table) => [...ofWorkspace(table.workspaceId), primaryKey({ columns: [table.workspaceId, table.version] })],
);

/** Closed because people said so; not because nobody answered. */
export const isLeftAlone = ({ leftAlone, outcome }: { readonly leftAlone: AnyPgColumn; readonly outcome: AnyPgColumn }): SQL =>
  sql`${leftAlone} and ${outcome} in ('REJECTED', 'CANCELLED', 'HANDED_OVER', 'ROLLED_BACK')`;

/** Opened by whoever reports it; from then on a copy, written by the incident's workflow, for lists and search. */
export const incidents = pgTable(
  'incidents',
  {
    id: uuid('id').primaryKey(),
    workspaceId: text('workspace_id').notNull(),
    trigger: text('trigger', { enum: triggers }).notNull(),
    title: text('title').notNull(),
    /** Who asked, where a person did. */
    startedBy: text('started_by'),
    fingerprint: text('fingerprint').notNull(),
    labels: jsonb('labels').$type<Readonly<Record<string, string>>>().notNull(),
    /** null: every target of the workspace. A worker maps an alert's labels when it starts the workflow. */
    targets: jsonb('targets').$type<readonly string[]>(),
    severityThreshold: text('severity_threshold', { enum: severities }).notNull(),
    phase: text('phase', { enum: phases }).notNull().default('DETECTION'),
    status: text('status', { enum: statuses }).notNull().default('IN_PROGRESS'),
    outcome: text('outcome', { enum: outcomes }),
    severity: text('severity', { enum: severities }),
    score: doublePrecision('score'),
    rootCause: jsonb('root_cause').$type<RootCause>(),
    openedAt: at('opened_at').notNull().defaultNow(),
    updatedAt: at('updated_at').notNull().defaultNow(),
    closedAt: at('closed_at'),
    /** Whether a sweep may take what it finds for this very trouble, where people closed it: until all was well in between. */
    leftAlone: boolean('left_alone').notNull().default(true),
  },
  (table) => [
    ...ofWorkspace(table.workspaceId),
    check('incidents_outcome_iff_closed', sql`(${table.phase} = 'CLOSED') = (${table.outcome} is not null) and (${table.outcome} is null) = (${table.closedAt} is null)`),
    // One open incident per trouble and workspace.
    uniqueIndex('incidents_open_fingerprint').on(table.workspaceId, table.fingerprint).where(sql`${table.closedAt} is null`),
    // What a sweep leaves alone: few, so that it can ask of every target each time.
    index('incidents_left_alone').on(table.workspaceId, table.fingerprint).where(isLeftAlone(table)),
    index('incidents_page').on(table.workspaceId, table.openedAt, table.id),
  ],
);

/** One row per notification's trouble: repeats are counted, not stored. */
export const alerts = pgTable(
  'alerts',
  {
    workspaceId: text('workspace_id').notNull(),
    incidentId: uuid('incident_id').notNull(),
    fingerprint: text('fingerprint').notNull(),
    source: text('source', { enum: alertSources }).notNull(),
    state: text('state', { enum: ['firing', 'resolved'] }).notNull(),
    title: text('title').notNull(),
    labels: jsonb('labels').$type<Readonly<Record<string, string>>>().notNull(),
    startsAt: at('starts_at'),
    times: integer('times').notNull().default(1),
    firstAt: at('first_at').notNull().defaultNow(),
    lastAt: at('last_at').notNull().defaultNow(),
  },
  (table) => [...ofWorkspace(table.workspaceId, table.incidentId), primaryKey({ columns: [table.incidentId, table.fingerprint] })],
);

/** The job tail, numbered per incident without a gap. `key` makes a repeated write harmless. */
export const tail = pgTable(
  'tail',
  {
    incidentId: uuid('incident_id').notNull(),
    seq: integer('seq').notNull(),
    id: uuid('id').notNull().defaultRandom(),
    key: text('key').notNull(),
    event: text('event', { enum: ['update', 'output', 'done'] }).notNull(),
    /** An UpdateDraft, a chunk of output, or the outcome. */
    body: jsonb('body').$type<TailBody>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [...ofIncident(table.incidentId), primaryKey({ columns: [table.incidentId, table.seq] }), unique('tail_key').on(table.incidentId, table.key), unique('tail_id').on(table.id)],
);

export type TailBody =
  | { readonly update: UpdateDraft }
  | { readonly output: { readonly stream: 'stdout' | 'stderr'; readonly text: string; readonly firstLine: number } }
  | { readonly done: { readonly outcome: (typeof outcomes)[number] } };

/** Evidence: what the detectors said, whole. The workflow carries only the id. */
export const measurements = pgTable(
  'measurements',
  {
    id: uuid('id').primaryKey(),
    incidentId: uuid('incident_id').notNull(),
    purpose: text('purpose', { enum: ['detection', 'recheck', 'verification'] }).notNull(),
    /** The plan that was executed before; 0 for a detection. */
    planVersion: integer('plan_version').notNull(),
    measuredAt: at('measured_at').notNull(),
    signals: jsonb('signals').$type<readonly Signal[]>().notNull(),
    facts: jsonb('facts').$type<readonly Fact[]>().notNull(),
  },
  (table) => [...ofIncident(table.incidentId), index('measurements_by_incident').on(table.incidentId, table.measuredAt)],
);

/** Frozen plans. `canonical` is the exact text that `digest` is a SHA-256 of. */
export const plans = pgTable(
  'plans',
  {
    incidentId: uuid('incident_id').notNull(),
    version: integer('version').notNull(),
    /** null: it restores what was there before. */
    scriptId: uuid('script_id'),
    category: text('category', { enum: rootCauseCategories }).notNull(),
    digest: text('digest').notNull(),
    canonical: text('canonical').notNull(),
    confidence: jsonb('confidence').$type<Confidence>().notNull(),
    rehearsal: jsonb('rehearsal').$type<readonly { readonly stepId: string; readonly lines: readonly string[] }[]>().notNull(),
    /** null until a verification answered. */
    verifiedWell: boolean('verified_well'),
    createdAt: createdAt(),
  },
  (table) => [...ofIncident(table.incidentId), primaryKey({ columns: [table.incidentId, table.version] }), unique('plans_digest').on(table.incidentId, table.digest)],
);

/** The truth about a gate: approve, reject and expire are one conditional update here. */
export const gates = pgTable(
  'gates',
  {
    id: uuid('id').primaryKey(),
    incidentId: uuid('incident_id').notNull(),
    workspaceId: text('workspace_id').notNull(),
    kind: text('kind', { enum: gateKinds }).notNull(),
    state: text('state', { enum: gateStates }).notNull().default('open'),
    digest: text('digest'),
    planVersion: integer('plan_version'),
    mode: text('mode', { enum: gateModes }).notNull(),
    offersRollback: boolean('offers_rollback').notNull().default(false),
    approvalsNeeded: integer('approvals_needed').notNull(),
    roleNeeded: text('role_needed', { enum: decidingRoles }).notNull(),
    reviewNeeded: boolean('review_needed').notNull(),
    excluded: jsonb('excluded').$type<readonly string[]>().notNull(),
    /** The update of the tail that says it waits. */
    updateId: uuid('update_id').notNull(),
    openedAt: at('opened_at').notNull().defaultNow(),
    expiresAt: at('expires_at'),
    settledAt: at('settled_at'),
    /** When a sweep last said that it may be over; cleared when it is unwell again, so that each recovery is told once. */
    toldWellAt: at('told_well_at'),
  },
  (table) => [
    ...ofWorkspace(table.workspaceId, table.incidentId),
    check('gates_settled_iff_not_open', sql`(${table.state} = 'open') = (${table.settledAt} is null)`),
    check('gates_execution_has_digest', sql`${table.kind} <> 'execution' or ${table.digest} is not null`),
    index('gates_by_policy').on(table.openedAt).where(sql`${table.state} = 'open' and ${table.mode} = 'policy'`),
    uniqueIndex('gates_one_open').on(table.incidentId).where(sql`${table.state} = 'open'`),
    unique('gates_update').on(table.updateId),
    index('gates_by_incident').on(table.incidentId),
  ],
);

/** What people said, once each. A cancellation belongs to no gate. */
export const decisions = pgTable(
  'decisions',
  {
    id: uuid('id').primaryKey(),
    workspaceId: text('workspace_id').notNull(),
    incidentId: uuid('incident_id').notNull(),
    gateId: uuid('gate_id'),
    verdict: text('verdict', { enum: [...verdicts, 'cancel'] }).notNull(),
    digest: text('digest'),
    person: text('person').notNull(),
    /** `system` where policy decided. */
    role: text('role', { enum: [...roles, 'system'] }).notNull(),
    reason: text('reason'),
    /** A JWS over a SignedDecision, by a key of the API: the row without it proves nothing. */
    signature: text('signature').notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    ...ofWorkspace(table.workspaceId, table.incidentId),
    check('decisions_gate_unless_cancel', sql`${table.gateId} is not null or ${table.verdict} in ('cancel', 'rollBack')`),
    index('decisions_by_incident').on(table.incidentId),
  ],
);

/** The ledger: one change of one step under one grant. The key is its identity, so it is claimed, begun and ended once. */
export const executions = pgTable(
  'executions',
  {
    key: text('key').primaryKey(),
    kind: text('kind', { enum: ['execute', 'rollback'] }).notNull(),
    workspaceId: text('workspace_id').notNull(),
    incidentId: uuid('incident_id').notNull(),
    /** What allowed it: an execution gate; for a rollback the decision, or again the gate where the policy rolls back by itself. */
    grantId: uuid('grant_id').notNull(),
    /** Who claimed it: a workflow that is reset claims under another one. */
    claimId: uuid('claim_id').notNull(),
    digest: text('digest').notNull(),
    stepId: text('step_id').notNull(),
    target: text('target').notNull(),
    state: text('state', { enum: executionStates }).notNull(),
    /** What it touches, as it was before; null where there is no way back, and once it is no longer kept. */
    snapshot: text('snapshot'),
    snapshotKeptUntil: at('snapshot_kept_until'),
    /** Noted before the change is made: how to find out whether it was. */
    handle: text('handle'),
    result: text('result'),
    claimedAt: at('claimed_at').notNull().defaultNow(),
    startedAt: at('started_at'),
    endedAt: at('ended_at'),
  },
  (table) => [...ofWorkspace(table.workspaceId, table.incidentId), unique('executions_grant_step').on(table.grantId, table.stepId, table.kind), index('executions_by_incident').on(table.incidentId), index('executions_by_target').on(table.workspaceId, table.target)],
);

/** Which pod may run a script: whoever is first for its one-time token, a pod or who sees to it that none ever does. */
export const podClaims = pgTable(
  'pod_claims',
  {
    /** SHA-256 of the token, which the handle of its execution names. */
    tokenHash: text('token_hash').primaryKey(),
    key: text('key').notNull(),
    workspaceId: text('workspace_id').notNull(),
    /** null: sealed, no pod may claim it any more. */
    pod: text('pod'),
    /** The one process in the pod, by a name that it chose; it may ask again when the answer was lost. */
    claimant: text('claimant'),
    claimedAt: at('claimed_at').notNull().defaultNow(),
  },
  (table) => [...ofWorkspace(table.workspaceId), index('pod_claims_by_key').on(table.key)],
);

/** In place of a workspace: all of them. */
export const EVERYWHERE = '*';

/** While on, nothing is claimed: in one workspace, or in all of them where it is `*`. */
export const killSwitches = pgTable(
  'kill_switches',
  {
    workspaceId: text('workspace_id').primaryKey(),
    isOn: boolean('is_on').notNull(),
    person: text('person').notNull(),
    reason: text('reason').notNull(),
    changedAt: at('changed_at').notNull().defaultNow(),
  },
  (table) => [...ofWorkspaceOrAll(table.workspaceId, EVERYWHERE)],
);

/** A member of an entry's details that is a plain text. */
export const memberOf = (entry: AnyPgColumn, name: 'grant' | 'key'): SQL => sql`substring(${entry} from ${sql.raw(`'"${name}":"([^"]*)"'`)})`;

/** Who did what, per workspace in one chain of hashes. Append-only: by trigger, and by what the role may do. */
export const audit = pgTable(
  'audit',
  {
    workspaceId: text('workspace_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** The canonical text (RFC 8785) of an AuditEntry; the hash is over it and the hash before. */
    entry: text('entry').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [
    ...ofWorkspace(table.workspaceId),
    primaryKey({ columns: [table.workspaceId, table.seq] }),
    // By what a claim asks whether it was made before; the text is what is hashed, so it is what counts.
    index('audit_grants').on(memberOf(table.entry, 'grant')),
    index('audit_keys').on(memberOf(table.entry, 'key')),
  ],
);

/** What a watched configuration file was while all that it serves was well. */
export const lastKnownGood = pgTable(
  'last_known_good',
  {
    workspaceId: text('workspace_id').notNull(),
    target: text('target').notNull(),
    hash: text('hash').notNull(),
    content: text('content').notNull(),
    /** Since when it is unchanged and all is well; null once something was not, or another content took its place. */
    wellSince: at('well_since'),
    /** When all was last seen to be well with it. */
    wellAt: at('well_at').notNull(),
    /** When it had been well for a whole stabilization window, and so became the last known good; null until then. */
    goodAt: at('good_at'),
  },
  (table) => [...ofWorkspace(table.workspaceId), primaryKey({ columns: [table.workspaceId, table.target, table.hash] })],
);

/** The library. */
export const scripts = pgTable(
  'scripts',
  {
    id: uuid('id').primaryKey(),
    workspaceId: text('workspace_id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull(),
    type: text('type', { enum: scriptTypes }).notNull(),
    command: text('command').notNull(),
    parameters: jsonb('parameters').$type<readonly ScriptParameter[]>().notNull(),
    category: text('category', { enum: rootCauseCategories }).notNull(),
    risk: text('risk', { enum: severities }).notNull(),
    estimatedDurationMs: integer('estimated_duration_ms').notNull(),
    timeoutMs: integer('timeout_ms').notNull(),
    paths: jsonb('paths').$type<readonly string[]>().notNull(),
    secrets: jsonb('secrets').$type<readonly string[]>().notNull(),
    enabled: boolean('enabled').notNull().default(true),
    /** null where Sluice brought it. */
    createdBy: text('created_by'),
    createdAt: createdAt(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [...ofWorkspace(table.workspaceId), unique('scripts_name').on(table.workspaceId, table.name)],
);

/** Executor workers, as they said of themselves when they last asked for work. */
export const executors = pgTable(
  'executors',
  {
    workspaceId: text('workspace_id').notNull(),
    queue: text('queue').notNull(),
    /** Its process. */
    workerId: uuid('worker_id').notNull(),
    /** Of the folder in which it keeps its runs. */
    place: text('place').notNull(),
    version: text('version').notNull(),
    capabilities: jsonb('capabilities').$type<ExecutorCapabilities>().notNull(),
    startedAt: at('started_at').notNull().defaultNow(),
    lastSeenAt: at('last_seen_at').notNull().defaultNow(),
  },
  (table) => [...ofWorkspace(table.workspaceId), primaryKey({ columns: [table.workspaceId, table.queue, table.workerId] })],
);

export interface ExecutorCapabilities {
  /** The targets that it acts on, by their names in its own sluice.yaml. */
  readonly targets: readonly string[];
  /** What it cannot do for want of a program, a sentence each. */
  readonly lacks: readonly string[];
}

/** What an activity asks of an executor worker. Both keep a lease while they live: nothing begins for somebody who is gone. */
export const executorCalls = pgTable(
  'executor_calls',
  {
    id: uuid('id').primaryKey(),
    workspaceId: text('workspace_id').notNull(),
    queue: text('queue').notNull(),
    /** Only who keeps its runs there can settle what began there; null: anybody with the queue. */
    place: text('place'),
    kind: text('kind', { enum: ['rehearse', 'snapshot', 'run', 'settle'] }).notNull(),
    /** The execution that is to be run or settled; null for other kinds. */
    key: text('key'),
    /** JSON, as text: no other reader than the worker. */
    request: text('request').notNull(),
    waiterUntil: at('waiter_until').notNull(),
    /** Who took it; null until then. */
    workerId: uuid('worker_id'),
    workerUntil: at('worker_until'),
    isAborted: boolean('is_aborted').notNull().default(false),
    /** With which it asks to begin; null until then. */
    handle: text('handle'),
    beginning: text('beginning', { enum: ['begun', 'calledOff', 'lost'] }),
    /** JSON, as text; null until it is done. */
    answer: text('answer'),
    createdAt: createdAt(),
  },
  (table) => [...ofWorkspace(table.workspaceId), index('executor_calls_waiting').on(table.workspaceId, table.queue, table.createdAt).where(sql`${table.workerId} is null`)],
);

/** Lines of a call on their way to the tail; gone once they are fetched. */
export const executorOutput = pgTable(
  'executor_output',
  {
    callId: uuid('call_id').notNull().references(() => executorCalls.id, { onDelete: 'cascade' }),
    workspaceId: text('workspace_id').notNull(),
    /** Counted from 1. */
    firstLine: integer('first_line').notNull(),
    text: text('text').notNull(),
  },
  (table) => [...ofWorkspace(table.workspaceId), primaryKey({ columns: [table.callId, table.firstLine] })],
);

/** What people are to be told, once per channel. Written with the update that it tells of. */
export const notifications = pgTable(
  'notifications',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    workspaceId: text('workspace_id').notNull(),
    incidentId: uuid('incident_id').notNull(),
    /** Names what it tells of within the incident, so that a repeated write tells once. */
    key: text('key').notNull(),
    /** By its name in sluice.yaml. */
    channel: text('channel').notNull(),
    kind: text('kind', { enum: notificationKinds }).notNull(),
    /** The gate to decide at, where there is one. */
    gateId: uuid('gate_id'),
    text: text('text').notNull(),
    /** In Slack: the one user who sees it; null: everybody in the channel. */
    onlyFor: text('only_for'),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    dueAt: at('due_at').notNull().defaultNow(),
    createdAt: createdAt(),
    deliveredAt: at('delivered_at'),
    gaveUpAt: at('gave_up_at'),
  },
  (table) => [
    ...ofWorkspace(table.workspaceId, table.incidentId),
    unique('notifications_once').on(table.incidentId, table.key, table.channel),
    index('notifications_waiting').on(table.dueAt).where(sql`${table.deliveredAt} is null and ${table.gaveUpAt} is null`),
  ],
);

/** What Temporal must still be told. Written with what it tells of, so nothing is lost between the two. */
export const outbox = pgTable(
  'outbox',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    workspaceId: text('workspace_id').notNull(),
    incidentId: uuid('incident_id').notNull(),
    message: jsonb('message').$type<OutboxMessage>().notNull(),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    dueAt: at('due_at').notNull().defaultNow(),
    deliveredAt: at('delivered_at'),
    createdAt: createdAt(),
  },
  (table) => [...ofWorkspace(table.workspaceId, table.incidentId), index('outbox_waiting').on(table.dueAt).where(sql`${table.deliveredAt} is null`)],
);

export type OutboxMessage =
  | { readonly kind: 'start' }
  | { readonly kind: 'decision'; readonly decisionId: string; readonly gateKind: (typeof gateKinds)[number] | 'cancel' }
  | { readonly kind: 'resolved' }
  /** What the policy would have let run by itself is left to people. */
  | { readonly kind: 'leftToPeople'; readonly gateId: string }
  /** A closed incident is to be taken back. */
  | { readonly kind: 'rollback'; readonly decisionId: string };
