import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { and, eq } from 'drizzle-orm';
import { createActivities } from '../../activities/index.js';
import type { Ports } from '../../activities/ports.js';
import type { IncidentInput } from '../../contracts/messages.js';
import { cancelSignal, incidentWorkflowId, resolvedSignal, signalNameOf, viewQuery } from '../../contracts/messages.js';
import { cancel, decide } from '../../db/decisions.js';
import { openIncident } from '../../db/open-incident.js';
import { createRecorder } from '../../db/recorder.js';
import { decisions, executions, gates, incidents, measurements, tail } from '../../db/schema.js';
import { createScript, seedLibrary } from '../../db/scripts.js';
import type { Actor, Role } from '../../domain/actor.js';
import type { GateKind, Verdict } from '../../domain/gate.js';
import type { UpdateDraft } from '../../domain/incident.js';
import type { Policy } from '../../domain/policy.js';
import { formatUpdate } from '../../domain/tail-text.js';
import type { Workspace } from '../../domain/watch.js';
import { incident as incidentWorkflow } from '../../workflows/index.js';
import { aPolicy } from '../builders.js';
import { fakeWorld, type Trouble } from '../fakes/fake-world.js';
import type { FreshDatabase } from './database.js';
import { testSign, testSignatures } from './signatures.js';
import { createWorker, replay, type TemporalHarness } from './temporal.js';
import { until } from './until.js';

/** A script of the library whose effect can be taken back. */
export const revokeDelete = {
  name: 'Revoke Delete',
  description: 'Takes the right to delete from the actor who deleted most.',
  type: 'SQL' as const,
  command: 'UPDATE app.actors SET can_delete = false WHERE name = $1',
  parameters: ['actor' as const],
  category: 'massDeletion' as const,
  risk: 'MEDIUM' as const,
  estimatedDurationMs: 1_000,
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
}

/** Opens one incident in a workspace of its own, on the real record and a real Temporal, with a target in memory. */
export async function openStory(temporal: TemporalHarness, { db }: FreshDatabase, options: StoryOptions = {}) {
  const workspaceId = `w-${randomUUID()}`;
  const incidentId = randomUUID();
  const policy = aPolicy(options.policy);
  const world = fakeWorld(options.trouble);
  const workspace: Workspace = {
    id: workspaceId,
    targets: [{ kind: 'postgres', name: 'shop-db', connection: { env: 'UNUSED' }, executor: 'sql', detectors: [] }],
    alertRules: [],
    sweepEveryMs: null,
    policy: { ...policy, ...options.policyNow },
  };
  let watched = workspace;
  const ports: Ports = { ...world, recorder: createRecorder(db), signatures: testSignatures, watch: { readWorkspace: () => watched }, now: () => new Date() };
  if (options.library !== 'empty') {
    await seedLibrary(db, workspaceId);
    await createScript(db, { ...revokeDelete, id: randomUUID(), workspaceId });
  }
  const opening = { id: incidentId, workspaceId, title: 'checkout is slow', fingerprint: incidentId, startedBy: null, labels: {}, targets: options.targets ?? ['shop-db'] };
  await openIncident(db, { ...opening, trigger: 'alert', severityThreshold: 'LOW', severity: null });
  const { worker, taskQueue } = await createWorker(temporal, ports);
  const input: IncidentInput = { workspaceId, incidentId, trigger: 'alert', severityThreshold: 'LOW', targets: opening.targets, policy, policyVersion: 'test' };
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
    /** A person answers the open gate of this kind, as the API lets them: the row first, then the signal. */
    async answer(kind: GateKind, verdict: Verdict, by: Actor = person('ana'), reason: string | null = 'seen the lock graph') {
      const gate = await openGate(kind);
      const decision = { id: randomUUID(), gateId: gate.id, verdict, digest: gate.digest, actor: by, reason, confirmation: 'Database Connection Reset' };
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
    /** The worker's sluice.yaml changes. */
    changePolicy(change: Partial<Policy>) {
      watched = { ...watched, policy: { ...watched.policy, ...change } };
    },
    /** A decision is recorded, and the workflow does not hear of it yet. */
    async decideQuietly(kind: GateKind, verdict: Verdict) {
      const gate = await openGate(kind);
      const decisionId = randomUUID();
      await decide(db, testSign, incidentId, { id: decisionId, gateId: gate.id, verdict, digest: gate.digest, actor: person('ana'), reason: null });
      return { decisionId };
    },
    /** Somebody who can write to the database, but has no key, writes a decision. */
    async forge({ gate, verdict }: { readonly gate: typeof gates.$inferSelect; readonly verdict: Verdict }) {
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
