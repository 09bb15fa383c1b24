import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.js';
import { taskQueue } from '../contracts/messages.js';
import { readSettings, WrongSettings } from '../contracts/settings.js';
import { WrongSluiceYaml } from '../contracts/sluice-yaml.js';
import { openDatabase } from '../db/database.js';
import { adoptPolicy } from '../db/policies.js';
import { readInstallation } from '../db/installation.js';
import { openVerifier, PUBLIC_KEYS } from '../keys/keyring.js';
import { openLog, toTemporalLogger } from './log.js';
import { startNotifications } from './notifications.js';
import { startOutbox } from './outbox.js';
import { connectNotifier, connectPorts } from './ports.js';
import { checkSecrets, createSecretReader, findUnreadable, readWatch } from './read-watch.js';
import { redactActivities } from './redact-activities.js';
import { createSecrets } from './secrets.js';
import { arrangeSweeps } from './sweeps.js';

// Ten seconds by default: how long the incidents of a killed worker hang before another takes them.
const STICKY_TIMEOUT_MS = 500;
const SHUTDOWN_GRACE_MS = 5_000;

const secrets = createSecrets();

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const workspaces = readWatch(settings.SLUICE_CONFIG);
  secrets.learn('DATABASE_URL', settings.DATABASE_URL);
  const log = openLog(settings.SLUICE_LOG_LEVEL, secrets);
  Runtime.install({ logger: toTemporalLogger(log) });

  const { connectionOptions, namespace } = loadClientConnectConfig();
  const nativeConnection = await NativeConnection.connect(connectionOptions);
  const client = new Client({ connection: await Connection.connect(connectionOptions), namespace: namespace ?? 'default' });
  const database = openDatabase(settings.DATABASE_URL);
  const readSecret = createSecretReader(process.env, secrets.learn);
  checkSecrets(workspaces, readSecret);
  for (const kubeconfig of findUnreadable(workspaces, readSecret)) log.warn(kubeconfig, 'the kubeconfig of a target cannot be read; see that it is there and readable for the worker');
  const { ports, close } = connectPorts(database.db, workspaces, readSecret, openVerifier(join(settings.SLUICE_KEYS, PUBLIC_KEYS)), { runs: settings.SLUICE_RUNS, path: settings.SLUICE_HOST_PATH, ownFolders: [settings.SLUICE_KEYS, ...(settings.SLUICE_CONFIG === '' ? [] : [settings.SLUICE_CONFIG])] }, secrets);
  const worker = await Worker.create({
    connection: nativeConnection,
    namespace: namespace ?? 'default',
    taskQueue,
    ...(settings.SLUICE_WORKFLOW_BUNDLE === ''
      ? { workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)) }
      : { workflowBundle: { codePath: settings.SLUICE_WORKFLOW_BUNDLE } }),
    activities: createActivities(ports),
    interceptors: { activity: [() => ({ inbound: redactActivities(secrets) })] },
    stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
  });
  for (const { id, startingPolicy } of workspaces) {
    if ((await adoptPolicy(database.db, id, startingPolicy)) === 'setByPerson') log.warn({ workspace: id }, 'the policy was set by a person, so that of sluice.yaml is not followed; change it with `sluice policy set`');
  }
  await arrangeSweeps(client, workspaces, await readInstallation(database.db), log);
  const outbox = startOutbox({ db: database.db, databaseUrl: settings.DATABASE_URL, client, workspaces, log });
  const notifications = startNotifications({ db: database.db, workspaces, notifier: connectNotifier(readSecret, secrets), publicUrl: settings.SLUICE_PUBLIC_URL, log });

  const stop = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('disconnect', stop);
  process.send?.({ kind: 'ready' });
  try {
    await worker.run();
  } finally {
    await Promise.all([outbox.stop(), notifications.stop()]);
    await close();
    await database.close();
    await client.connection.close();
    await nativeConnection.close();
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const known = error instanceof WrongSettings || error instanceof WrongSluiceYaml;
  process.stderr.write(`${secrets.redact(known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`);
  process.exit(1);
}
