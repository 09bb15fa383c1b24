import { setTimeout as wait } from 'node:timers/promises';
import { createConfigPatchExecutor } from '../activities/adapters/config-patch-executor.js';
import { createDetectors } from '../activities/adapters/detectors.js';
import { createExecutor } from '../activities/adapters/executors.js';
import { openKubernetes } from '../activities/adapters/kubernetes-client.js';
import { createKubernetesExecutor } from '../activities/adapters/kubernetes-executor.js';
import { createKubernetesJobExecutor } from '../activities/adapters/kubernetes-job-executor.js';
import { createRemoteExecutor } from '../activities/adapters/remote-executor.js';
import { createScriptExecutor } from '../activities/adapters/script-executor.js';
import { createSlackNotifier } from '../activities/adapters/slack-notifier.js';
import { createSqlExecutor } from '../activities/adapters/sql-executor.js';
import { openTargetConnections, type ReadSecret } from '../activities/adapters/target-connections.js';
import { createWebhookNotifier } from '../activities/adapters/webhook-notifier.js';
import { Fault } from '../activities/faults.js';
import type { Ports, Watch } from '../activities/ports.js';
import type { Database } from '../db/database.js';
import { createExecutorCalls } from '../db/executor-calls.js';
import { sealPodClaim } from '../db/pod-claims.js';
import { createRecorder } from '../db/recorder.js';
import type { Redactor } from '../domain/redaction.js';
import { openInspector } from '../inspection/inspector.js';
import type { Workspace } from '../domain/watch.js';
import type { Verifier } from '../keys/keyring.js';
import { connectHostExecutors, type Machine } from './host-executor.js';
import { redactNotifier, redactPorts } from './redact-ports.js';
import type { Secrets } from './secrets.js';
import { openSignatures } from './signatures.js';
import type { Notifier } from './notifications.js';

/** Builds every real adapter. The only place that knows which ones exist, and where the record is seen to fit its port. */
export function connectPorts(
  db: Database,
  workspaces: readonly Workspace[],
  readSecret: ReadSecret,
  verifier: Verifier,
  machine: Machine,
  secrets: Secrets,
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
  const kubernetes = openKubernetes(readSecret, (text) => secrets.learn('kubeconfig', text));
  const onHost = connectHostExecutors(watch, readSecret, machine);
  const scripts = createScriptExecutor(watch, { host: onHost.bash, kubernetes: createKubernetesJobExecutor(kubernetes.clientOf, watch, { seal: (claim) => sealPodClaim(db, claim) }) });
  const onCluster = createKubernetesExecutor(watch, kubernetes);
  const inspector = openInspector();
  const now = () => new Date();
  const ports: Ports = {
    judgeStep: inspector.judgeStep,
    recorder,
    watch,
    now,
    detectors: createDetectors(connections, kubernetes.clientOf, readSecret, recorder, now),
    executor: createExecutor(
      {
        sql: createSqlExecutor(connections, watch, wait),
        'config-patch': createConfigPatchExecutor(watch, readSecret),
        kubernetes: onCluster,
        kubectl: onCluster,
        command: onHost.command,
        bash: scripts,
        python: scripts,
      },
      createRemoteExecutor(createExecutorCalls(db)),
    ),
    signatures: openSignatures(verifier),
  };
  return { ports: redactPorts(ports, secrets), close: async () => void (await Promise.all([connections.close(), inspector.close()])) };
}

/** Tells each kind of channel in its own way. */
export function connectNotifier(readSecret: ReadSecret, redactor: Redactor): Notifier {
  const webhook = createWebhookNotifier(readSecret);
  const slack = createSlackNotifier(readSecret);
  return redactNotifier({ tell: async (channel, notice, signal) => (channel.kind === 'slack' ? slack(channel, notice, signal) : webhook(channel, notice, signal)) }, redactor);
}
