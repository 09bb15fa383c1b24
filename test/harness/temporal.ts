import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities/index.js';
import type { Ports } from '../../activities/ports.js';

export interface TemporalHarness {
  readonly client: Client;
  readonly nativeConnection: NativeConnection;
  readonly bundle: { readonly codePath: string };
  close(): Promise<void>;
}

/** The test run's Temporal server and workflow bundle. */
export async function openTemporal(): Promise<TemporalHarness> {
  const address = process.env['TEST_TEMPORAL_ADDRESS'] ?? '';
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    client: new Client({ connection }),
    nativeConnection,
    bundle: { codePath: process.env['TEST_WORKFLOW_BUNDLE'] ?? '' },
    async close() {
      await nativeConnection.close();
      await connection.close();
    },
  };
}

/** A worker on a queue of its own, so that a test that hangs cannot take another's work. */
export async function createWorker({ nativeConnection, bundle }: TemporalHarness, ports: Ports, taskQueue = `test-${randomUUID()}`): Promise<{ worker: Worker; taskQueue: string }> {
  const worker = await Worker.create({
    connection: nativeConnection,
    taskQueue,
    workflowBundle: bundle,
    activities: createActivities(ports),
    stickyQueueScheduleToStartTimeout: 500,
    shutdownGraceTime: 100,
  });
  return { worker, taskQueue };
}

/** Replays a finished run from its first event; throws if the workflow would choose otherwise. */
export async function replay(temporal: TemporalHarness, handle: WorkflowHandle): Promise<void> {
  await replayHistory(temporal, await handle.fetchHistory(), handle.workflowId);
}

/** Replays a history, of whatever origin. */
export async function replayHistory({ bundle }: TemporalHarness, history: Awaited<ReturnType<WorkflowHandle['fetchHistory']>>, workflowId: string): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
}
