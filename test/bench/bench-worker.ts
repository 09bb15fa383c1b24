import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { createActivities } from '../../activities/index.js';
import type { Ports } from '../../activities/ports.js';
import { taskQueue } from '../../contracts/messages.js';
import { openDatabase } from '../../db/database.js';
import { createRecorder } from '../../db/recorder.js';
import { openSignatures } from '../../workers/signatures.js';
import { openVerifier } from '../../keys/keyring.js';
import { startOutbox } from '../../workers/outbox.js';
import { fakeWorld } from '../fakes/fake-world.js';
import { benchWorkspace, bareQueue } from './bench-workspace.js';
import { inspector } from '../harness/inspector.js';

// A worker as workers/main.ts runs it, but for its target, which is in memory and says when it is reached.

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
const env = (name: string): string => process.env[name] ?? '';
const address = env('TEST_TEMPORAL_ADDRESS');
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const { db } = openDatabase(env('BENCH_DATABASE_URL'));
const entered = (id: string): void => void process.send?.({ entered: id, at: Date.now() });

const recorder = createRecorder(db);
const verifier = openVerifier(env('BENCH_PUBLIC_KEYS'));
const worlds = new Map<string, ReturnType<typeof fakeWorld>>();
const worldOf = (target: string) => {
  const world = worlds.get(target) ?? fakeWorld({ fault: 'deletes' });
  worlds.set(target, world);
  return world;
};
const ports: Ports = {
  judgeStep: inspector.judgeStep,
  recorder,
  now: () => new Date(),
  watch: { readWorkspace: () => benchWorkspace },
  signatures: openSignatures(verifier),
  detectors: {
    readConfiguration: async () => {
      throw new Error('the bench has no configuration files');
    },
    measure: (targets, context) => worldOf(context.incidentId ?? '').detectors.measure(targets, context),
  },
  executor: {
    rehearse: async () => ({ found: true, lines: ['one row'], wayBack: { kind: 'oneWay', because: 'it is only a benchmark' }, pins: null }),
    snapshot: async () => '',
    async run(_workspaceId, { key }, { begin }) {
      entered(key);
      await begin('{}');
      return { kind: 'done', summary: 'done' };
    },
    settle: async () => ({ kind: 'done', summary: 'done' }),
  },
};

// As in workers/main.ts.
const options = { connection, stickyQueueScheduleToStartTimeout: 500 };
const worker = await Worker.create({ ...options, taskQueue, workflowBundle: { codePath: env('TEST_WORKFLOW_BUNDLE') }, activities: createActivities(ports) });
const bare = await Worker.create({
  ...options,
  taskQueue: bareQueue,
  workflowsPath: fileURLToPath(new URL('bare-workflow.ts', import.meta.url)),
  activities: { enter: async (id: string) => entered(id) },
});
const log = pino({ level: 'error' }, process.stderr);
startOutbox({ db, databaseUrl: env('BENCH_DATABASE_URL'), client, workspaces: [benchWorkspace], log });
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
await Promise.all([worker.run(), bare.run()]);
