import { setMaxListeners } from 'node:events';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import pg from 'pg';
import { cancelSignal, executionGateSignal, incidentWorkflowId, resolvedSignal, rollbackWorkflowId, signalNameOf } from '../contracts/messages.js';
import { channels } from '../db/channels.js';
import type { Database } from '../db/database.js';
import { deliverDue, type IncidentRow, readStanding, type Waiting } from '../db/outbox.js';
import { createRecorder } from '../db/recorder.js';
import type { OutboxMessage } from '../db/schema.js';
import type { Workspace } from '../domain/watch.js';
import type { Log } from './log.js';
import { restartLost } from './lost-incidents.js';
import { createStarter } from './start-incident.js';
import { startRollback } from './start-rollback.js';
import { callTemporal } from './temporal-away.js';

const POLL_MS = 1_000;
const LISTEN_TIMEOUT_MS = 3_000;
const LOOK_FOR_LOST_EVERY_MS = 180_000;

/**
 * Brings to Temporal what the API and the sweeps have committed, and starts anew what Temporal has lost.
 * Woken by a notification; a slow poll makes up for a lost one.
 */
export function startOutbox(options: {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly client: Client;
  readonly workspaces: readonly Workspace[];
  readonly log: Log;
}): { stop(): Promise<void> } {
  const { db, databaseUrl, client, workspaces, log } = options;
  const starter = createStarter(db, client, workspaces);
  const stopped = new AbortController();
  const { signal } = stopped;
  // Every delivery under way listens to it, and there may be many.
  setMaxListeners(0, signal);
  let wake: () => void = () => {};

  async function tell({ id, workspaceId, closedAt }: IncidentRow, message: Exclude<OutboxMessage, { kind: 'start' | 'rollback' }>): Promise<void> {
    // What is decided after closing is for the rollback that asks.
    const workflowId = closedAt === null ? incidentWorkflowId(workspaceId, id) : rollbackWorkflowId(workspaceId, id);
    const handle = client.workflow.getHandle(workflowId);
    const send = (): Promise<void> => {
      switch (message.kind) {
        case 'resolved':
          return handle.signal(resolvedSignal);
        case 'leftToPeople':
          return handle.signal(executionGateSignal, { decisionId: message.gateId });
        case 'decision':
          return handle.signal(message.gateKind === 'cancel' ? cancelSignal.name : signalNameOf[message.gateKind], { decisionId: message.decisionId });
      }
    };
    try {
      await send();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      const standing = await readStanding(db, id);
      // Over already: nobody is left to be told.
      if (standing.kind === 'closed') return;
      if (standing.kind === 'notStarted') throw error;
      await starter.restart(standing.incident);
      log.warn({ incidentId: id }, 'its workflow was gone: restarted');
      await send();
    }
  }

  function bring(incident: IncidentRow, message: OutboxMessage): Promise<void> {
    switch (message.kind) {
      case 'start':
        return starter.start(incident);
      case 'rollback':
        return startRollback(db, client, workspaces, incident, message.decisionId);
      case 'decision':
      case 'leftToPeople':
      case 'resolved':
        return tell(incident, message);
    }
  }

  async function deliver(waiting: Waiting): Promise<void> {
    const { message, incident } = waiting;
    try {
      await callTemporal(client, signal, () => bring(incident, message));
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, incidentId: incident.id, message }, 'not delivered, tried again soon');
      throw error;
    }
  }

  async function run(): Promise<void> {
    let listener: pg.Client | undefined;
    let lookAt = 0;
    while (!signal.aborted) {
      // Without a listener the poll is still there, so a database that is away is no trouble here.
      listener ??= await listen(databaseUrl, () => wake(), () => (listener = undefined)).catch(() => undefined);
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, POLL_MS);
      });
      try {
        await deliverDue(db, deliver, () => signal.aborted);
        if (Date.now() >= lookAt) {
          await createRecorder(db).forgetSnapshots();
          await restartLost({ db, client, workspaces, starter, log, signal });
          lookAt = Date.now() + LOOK_FOR_LOST_EVERY_MS;
        }
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'what waits could not be brought to Temporal, tried again soon');
      }
      if (!signal.aborted) await woken;
    }
    await listener?.end();
  }

  const running = run();
  return {
    async stop() {
      stopped.abort();
      wake();
      await running;
    },
  };
}

/** Hears of new rows until the connection breaks. */
async function listen(databaseUrl: string, heard: () => void, broken: () => void): Promise<pg.Client> {
  const listener = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: LISTEN_TIMEOUT_MS });
  listener.on('error', broken);
  listener.on('end', broken);
  listener.on('notification', heard);
  await listener.connect();
  await listener.query(`listen ${channels.outbox}`);
  return listener;
}
