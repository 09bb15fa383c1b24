import { createHash } from 'node:crypto';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/client';
import pg from 'pg';
import type { IncidentInput } from '../contracts/messages.js';
import { cancelSignal, incidentWorkflowId, resolvedSignal, signalNameOf, taskQueue } from '../contracts/messages.js';
import { channels } from '../db/channels.js';
import type { Database } from '../db/database.js';
import { deliverDue, type Waiting } from '../db/outbox.js';
import { createRecorder } from '../db/recorder.js';
import { matchTargets } from '../domain/alert.js';
import { canonicalize } from '../domain/canonical.js';
import { withoutMarkup } from '../domain/current-details.js';
import type { Policy } from '../domain/policy.js';
import type { Workspace } from '../domain/watch.js';

const POLL_MS = 1_000;

interface Log {
  warn(details: object, message: string): void;
}

/** Brings to Temporal what the API and the sweeps have committed. Woken by a notification; a slow poll makes up for a lost one. */
export function startOutbox(options: {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly client: Client;
  readonly workspaces: readonly Workspace[];
  readonly log: Log;
}): { stop(): Promise<void> } {
  const { db, databaseUrl, client, workspaces, log } = options;
  const recorder = createRecorder(db);
  let stopped = false;
  let wake: () => void = () => {};

  async function start({ workspaceId, incidentId, incident }: Waiting): Promise<void> {
    const workspace = workspaces.find(({ id }) => id === workspaceId);
    if (workspace === undefined) throw new Error(`workspace ${workspaceId} is not in sluice.yaml; add it and restart the worker`);
    const { trigger, severityThreshold } = incident;
    const targets = incident.targets ?? toTargets(workspace, incident.labels);
    await recorder.setTargets(incidentId, targets);
    const input: IncidentInput = { workspaceId, incidentId, trigger, severityThreshold, targets, policy: workspace.policy, policyVersion: toPolicyVersion(workspace.policy) };
    await client.workflow.start('incident', {
      taskQueue,
      workflowId: incidentWorkflowId(workspaceId, incidentId),
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      args: [input],
      searchAttributes: { SluiceWorkspace: [workspaceId], SluicePhase: ['DETECTION'], SluiceGate: ['none'] },
      staticSummary: withoutMarkup(incident.title).slice(0, 120),
    });
  }

  async function deliver(waiting: Waiting): Promise<void> {
    const handle = client.workflow.getHandle(incidentWorkflowId(waiting.workspaceId, waiting.incidentId));
    const { message } = waiting;
    try {
      switch (message.kind) {
        case 'start':
          return await start(waiting);
        case 'decision':
          return await handle.signal(message.gateKind === 'cancel' ? cancelSignal.name : signalNameOf[message.gateKind], { decisionId: message.decisionId });
        case 'resolved':
          return await handle.signal(resolvedSignal);
      }
    } catch (error) {
      // Started before, or over already: what was to be told has been.
      if (error instanceof WorkflowExecutionAlreadyStartedError) return;
      if (error instanceof WorkflowNotFoundError && waiting.incident.closedAt !== null) return;
      log.warn({ error, incidentId: waiting.incidentId, message }, 'not delivered, tried again soon');
      throw error;
    }
  }

  async function run(): Promise<void> {
    let listener: pg.Client | undefined;
    while (!stopped) {
      // Without a listener the poll is still there, so a database that is away is no trouble here.
      listener ??= await listen(databaseUrl, () => wake(), () => (listener = undefined)).catch(() => undefined);
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, POLL_MS);
      });
      try {
        if ((await deliverDue(db, deliver)) > 0) continue;
      } catch (error) {
        log.warn({ error }, 'the outbox could not be read, tried again soon');
      }
      await woken;
    }
    await listener?.end();
  }

  const running = run();
  return {
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}

const toTargets = (workspace: Workspace, labels: Readonly<Record<string, string>>): readonly string[] =>
  (Object.keys(labels).length === 0 ? undefined : matchTargets(labels, workspace.alertRules)) ?? workspace.targets.map(({ name }) => name);

const toPolicyVersion = (policy: Policy): string => createHash('sha256').update(canonicalize({ ...policy })).digest('hex').slice(0, 12);

/** Hears of new rows until the connection breaks. */
async function listen(databaseUrl: string, heard: () => void, broken: () => void): Promise<pg.Client> {
  const listener = new pg.Client({ connectionString: databaseUrl });
  listener.on('error', broken);
  listener.on('end', broken);
  listener.on('notification', heard);
  await listener.connect();
  await listener.query(`listen ${channels.outbox}`);
  return listener;
}
