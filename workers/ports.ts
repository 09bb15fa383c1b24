import { setTimeout as wait } from 'node:timers/promises';
import { createConfigPatchExecutor } from '../activities/adapters/config-patch-executor.js';
import { createDetectors } from '../activities/adapters/detectors.js';
import { createExecutor } from '../activities/adapters/executors.js';
import { createSlackNotifier } from '../activities/adapters/slack-notifier.js';
import { createSqlExecutor } from '../activities/adapters/sql-executor.js';
import { openTargetConnections, type ReadSecret } from '../activities/adapters/target-connections.js';
import { createWebhookNotifier } from '../activities/adapters/webhook-notifier.js';
import { Fault } from '../activities/faults.js';
import type { Ports, Watch } from '../activities/ports.js';
import type { Database } from '../db/database.js';
import { createRecorder } from '../db/recorder.js';
import type { Workspace } from '../domain/watch.js';
import type { Verifier } from '../keys/keyring.js';
import { openSignatures } from './signatures.js';
import type { Notifier } from './notifications.js';

/** Builds every real adapter. The only place that knows which ones exist, and where the record is seen to fit its port. */
export function connectPorts(
  db: Database,
  workspaces: readonly Workspace[],
  readSecret: ReadSecret,
  verifier: Verifier,
): { readonly ports: Ports; readonly close: () => Promise<void> } {
  const watch: Watch = {
    readWorkspace(workspaceId) {
      const workspace = workspaces.find(({ id }) => id === workspaceId);
      if (workspace === undefined) throw new Fault('targetMissing', `workspace ${workspaceId} is not in sluice.yaml`);
      return workspace;
    },
  };
  const recorder = createRecorder(db);
  const connections = openTargetConnections(readSecret);
  const now = () => new Date();
  return {
    ports: {
      recorder,
      watch,
      now,
      detectors: createDetectors(connections, readSecret, recorder, now),
      executor: createExecutor({ sql: createSqlExecutor(connections, watch, wait), 'config-patch': createConfigPatchExecutor(watch, readSecret) }),
      signatures: openSignatures(verifier),
    },
    close: () => connections.close(),
  };
}

/** Tells each kind of channel in its own way. */
export function connectNotifier(readSecret: ReadSecret): Notifier {
  const webhook = createWebhookNotifier(readSecret);
  const slack = createSlackNotifier(readSecret);
  return { tell: async (channel, notice, signal) => (channel.kind === 'slack' ? slack(channel, notice, signal) : webhook(channel, notice, signal)) };
}
