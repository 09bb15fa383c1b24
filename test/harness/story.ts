import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { createActivities } from '../../activities/index.js';
import type { Ports } from '../../activities/ports.js';
import type { IncidentInput } from '../../contracts/messages.js';
import { cancelSignal, incidentWorkflowId, resolvedSignal, signalNameOf, viewQuery } from '../../contracts/messages.js';
import { approveByPolicy } from '../../db/approve-by-policy.js';
import { cancel, decide } from '../../db/decisions.js';
import { openIncident } from '../../db/open-incident.js';
import { adoptPolicy, changePolicy, readPolicy } from '../../db/policies.js';
import { createRecorder } from '../../db/recorder.js';
import { decisions, executions, gates, incidents, measurements, notifications, plans, tail } from '../../db/schema.js';
import { createScript, seedLibrary } from '../../db/scripts.js';
import type { Actor, Role } from '../../domain/actor.js';
import type { GateKind, Verdict } from '../../domain/gate.js';
import type { UpdateDraft } from '../../domain/incident.js';
import type { Policy } from '../../domain/policy.js';
import type { RootCauseCategory, ScriptParameter } from '../../domain/root-cause.js';
import type { Severity } from '../../domain/severity.js';
import { formatUpdate } from '../../domain/tail-text.js';
import type { Channel, Workspace } from '../../domain/watch.js';
import { incident as incidentWorkflow } from '../../workflows/index.js';
import { aPolicy, plainScript } from '../builders.js';
import { fakeWorld, type Trouble } from '../fakes/fake-world.js';
import type { FreshDatabase } from './database.js';
import { testSign, testSignatures, testSignPolicy } from './signatures.js';
import { createWorker, replay, type TemporalHarness } from './temporal.js';
import { until } from './until.js';

/** A script of the library whose effect can be taken back. */
export const revokeDelete = {
  name: 'Revoke Delete',
  description: 'Takes the right to delete from the actor who deleted most.',
  type: 'SQL' as const,
  command: 'UPDATE app.actors SET can_delete = false WHERE name = $1',
  parameters: ['actor'] as readonly ScriptParameter[],
  category: 'massDeletion' as RootCauseCategory,
  risk: 'MEDIUM' as Severity,
  estimatedDurationMs: 1_000,
  ...plainScript,
  enabled: true,
  createdBy: 'test',
};

export interface StoryOptions {
  readonly trouble?: Trouble;
  readonly policy?: Partial<Policy>;
  readonly library?: 'seeded' | 'empty';
  /** That of the worker, where it is not the incident's any more. */
  readonly policyNow?: Partial<Policy>;
  readonly targets?: readonly string[];
  /** What differs in the script that is added to the library. */
  readonly script?: Partial<typeof revokeDelete>;
  /** Another incident, in whose workspace this one is opened. */
  readonly beside?: { readonly workspaceId: string };
}

const aChannel = (name: string, ...groups: readonly string[]): Channel => ({ kind: 'webhook', name, url: 'https://example.com', secret: { env: 'UNUSED' }, groups });
/** `oncall` reaches the responders, `leads` the supervisors, `room` both. */
const channels = [aChannel('oncall', 'responders'), aChannel('leads', 'supervisors'), aChannel('room', 'responders', 'supervisors')];

/** Opens one incident in a workspace of its own, on the real record and a real Temporal, with a target in memory. */
export async function openStory(temporal: TemporalHarness, { db }: FreshDatabase, options: StoryOptions = {}) {
  const workspaceId = options.beside?.workspaceId ?? `w-${randomUUID()}`;
  const incidentId = randomUUID();
  const policy = aPolicy(options.policy);
  const world = fakeWorld(options.trouble);
  const workspace: Workspace = {
    id: workspaceId,
    targets: [{ kind: 'postgres', name: 'shop-db', connection: { env: 'UNUSED' }, executor: 'sql', detectors: [] }],
    alertRules: [],
    channels,
    sweepEveryMs: null,
    startingPolicy: policy,
  };
  if (options.beside === undefined) await adoptPolicy(db, workspaceId, { ...policy, ...options.policyNow });
  let watched = workspace;
  const ports: Ports = { ...world, recorder: createRecorder(db), signatures: testSignatures, watch: { readWorkspace: () => watched }, now: () => new Date() };
  if (options.library !== 'empty' && options.beside === undefined) {
    await seedLibrary(db, workspaceId);
    await createScript(db, { ...revokeDelete, ...options.script, id: randomUUID(), workspaceId });
  }
  const opening = { id: incidentId, workspaceId, title: 'checkout is slow', fingerprint: incidentId, startedBy: null, labels: {}, targets: options.targets ?? ['shop-db'] };
  await openIncident(db, { ...opening, trigger: 'alert', severityThreshold: 'LOW', severity: null });
  const { worker, taskQueue } = await createWorker(temporal, ports);
  const input: IncidentInput = { workspaceId, incidentId, trigger: 'alert', severityThreshold: 'LOW', targets: opening.targets, policy };
  const handle = await temporal.client.workflow.start(incidentWorkflow, { taskQueue, workflowId: incidentWorkflowId(workspaceId, incidentId), args: [input] });

  const person = (name: string, role: Role = 'responder'): Actor => ({ person: name, role, workspaceId });
  const updates = async (): Promise<readonly UpdateDraft[]> => {
    const rows = await db.select().from(tail).where(eq(tail.incidentId, incidentId)).orderBy(tail.seq);
    return rows.flatMap(({ body }) => ('update' in body ? [body.update] : []));
  };
  const openGate = (kind: GateKind) =>
    until(`an open ${kind} gate`, async () => {
      const rows = await db.select().from(gates).where(and(eq(gates.incidentId, incidentId), eq(gates.state, 'open'), eq(gates.kind, kind)));
      return rows[0];
    });

  const titleOf = async ({ digest }: { readonly digest: string | null }): Promise<string | null> => {
    const [plan] = await db.select().from(plans).where(and(eq(plans.incidentId, incidentId), eq(plans.digest, digest ?? '')));
    return plan === undefined ? null : (JSON.parse(plan.canonical) as { readonly title: string }).title;
  };

  return {
    ...world,
    handle,
    workspaceId,
    incidentId,
    worker,
    updates,
    openGate,
    tailText: async () => (await updates()).map(formatUpdate).join('\n'),
    headlines: async () => (await updates()).map(({ phase, status }) => `${phase} ${status}`),
    view: () => handle.query(viewQuery),
    executions: () => db.select().from(executions).where(eq(executions.incidentId, incidentId)),
    measurements: () => db.select().from(measurements).where(eq(measurements.incidentId, incidentId)),
    row: async () => (await db.select().from(incidents).where(eq(incidents.id, incidentId)))[0],
    /** Whom it was written down to tell, in order. */
    async told() {
      const rows = await db.select().from(notifications).where(eq(notifications.incidentId, incidentId)).orderBy(notifications.createdAt, notifications.channel);
      return rows.map(({ kind, channel, gateId }) => ({ kind, channel, gateId }));
    },
    /** The open execution gate, once another than the one of this id is. */
    gateAfter: (before: { readonly id: string }) =>
      until('another execution gate', async () => {
        const gate = await openGate('execution');
        return gate.id === before.id ? undefined : gate;
      }),
    /** The policy signs for the open execution gate, if it lets its plan run; the workflow does not hear of it yet. */
    async letPolicySign(): Promise<string | undefined> {
      const gate = await openGate('execution');
      if ((await approveByPolicy(db, testSign, async () => true, gate.id)) !== 'approved') return undefined;
      const [decision] = await db.select().from(decisions).where(eq(decisions.gateId, gate.id));
      return decision?.id;
    },
    tell: (kind: GateKind, decisionId: string | undefined) => handle.signal(signalNameOf[kind], { decisionId: decisionId ?? '' }),
    /** A person answers the open gate of this kind, as the API lets them: the row first, then the signal. */
    async answer(kind: GateKind, verdict: Verdict, by: Actor = person('ana'), reason: string | null = 'seen the lock graph') {
      const gate = await openGate(kind);
      const decision = { id: randomUUID(), gateId: gate.id, verdict, digest: gate.digest, actor: by, reason, confirmation: await titleOf(gate) };
      const heard = await decide(db, testSign, incidentId, decision);
      await handle.signal(signalNameOf[kind], { decisionId: decision.id });
      return { ...heard, decisionId: decision.id };
    },
    async askToCancel(reason = 'not now') {
      const id = randomUUID();
      await cancel(db, testSign, { id, incidentId, actor: person('ana'), reason });
      await handle.signal(cancelSignal, { decisionId: id });
    },
    policy,
    taskQueue,
    /** Adds a script to the library that has run so often in vain. */
    async addScript(script: Partial<typeof revokeDelete>, { failed }: { readonly failed: number }) {
      const scriptId = randomUUID();
      await createScript(db, { ...revokeDelete, ...script, id: scriptId, workspaceId });
      const digests = Array.from({ length: failed }, () => randomUUID());
      const old = { incidentId, scriptId, canonical: '{}', category: revokeDelete.category, confidence: { value: 80, tier: 'HIGH' as const, factors: [], caps: [] }, rehearsal: [], verifiedWell: false };
      for (const [index, digest] of digests.entries()) await db.insert(plans).values({ ...old, digest, version: index + 1 });
    },
    /** An admin changes the policy. */
    async changePolicy(change: Partial<Policy>) {
      const now = await readPolicy(db, workspaceId);
      await changePolicy(db, testSignPolicy, { workspaceId, policy: { ...now.policy, ...change }, seen: now.version, changedBy: 'adam', reason: 'test' });
    },
    /** A decision is recorded, and the workflow does not hear of it yet. */
    async decideQuietly(kind: GateKind, verdict: Verdict, actor: Actor = person('ana'), reason: string | null = null) {
      const gate = await openGate(kind);
      const decisionId = randomUUID();
      await decide(db, testSign, incidentId, { id: decisionId, gateId: gate.id, verdict, digest: gate.digest, actor, reason, confirmation: await titleOf(gate) });
      return { decisionId };
    },
    /** Somebody who can write to the database, but has no key, writes a decision. */
    async forge({ gate, verdict }: { readonly gate: typeof gates.$inferSelect; readonly verdict: 'approve' | 'reject' | 'requestChanges' | 'rollBack' }) {
      const id = randomUUID();
      const { role } = person('eve', 'supervisor');
      await db.insert(decisions).values({ id, workspaceId, incidentId, gateId: gate.id, verdict, digest: gate.digest, person: 'eve', role, reason: null, signature: 'forged' });
      const state = { approve: 'approved', reject: 'rejected', requestChanges: 'changesRequested', rollBack: 'rollbackRequested' } as const;
      await db.update(gates).set({ state: state[verdict], settledAt: new Date() }).where(eq(gates.id, gate.id));
      return id;
    },
    /** Answers a gate of another run than the first. */
    async answerOf(run: WorkflowHandle, kind: GateKind, verdict: Verdict, reason: string, role: Role = 'responder') {
      const gate = await openGate(kind);
      const decisionId = randomUUID();
      await decide(db, testSign, incidentId, { id: decisionId, gateId: gate.id, verdict, digest: gate.digest, actor: person('ana', role), reason });
      await run.signal(signalNameOf[kind], { decisionId });
    },
    activities: createActivities(ports),
    /** The workflow of the same incident once more, after it was terminated. */
    startAgain: () => temporal.client.workflow.start(incidentWorkflow, { taskQueue, workflowId: handle.workflowId, args: [input] }),
    /** Another worker on the same queue, once the first has stopped. */
    anotherWorker: async () => (await createWorker(temporal, ports, taskQueue)).worker,
    /** Resets the workflow to where its execution gate was open, with the signals that came after it. */
    async resetToGate() {
      const { workflowService } = temporal.client;
      const { events = [] } = await handle.fetchHistory();
      const signalled = events?.findIndex((event) => event.workflowExecutionSignaledEventAttributes) ?? -1;
      // The task that first heard the signal is done again.
      const completed = events?.slice(signalled).find((event) => event.workflowTaskCompletedEventAttributes);
      const answer: { readonly runId?: string } = await workflowService.resetWorkflowExecution({
        namespace: 'default',
        requestId: randomUUID(),
        workflowExecution: { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
        workflowTaskFinishEventId: completed?.eventId ?? null,
        reason: 'test',
      });
      return temporal.client.workflow.getHandle(handle.workflowId, answer.runId);
    },
    /** Somebody takes the targets out of sluice.yaml. */
    forgetTargets() {
      watched = { ...workspace, targets: [] };
    },
    tellResolved: () => handle.signal(resolvedSignal),
    person,
    /** Lets the story run to its end while `meanwhile` happens, replays it, and says how it ended. */
    async run(meanwhile: () => Promise<unknown> = async () => {}) {
      const outcome = await worker.runUntil(async () => {
        await meanwhile();
        return handle.result();
      });
      await replay(temporal, handle);
      return outcome;
    },
    historyLength: async () => (await handle.describe()).historyLength,
  };
}
