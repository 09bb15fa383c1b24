import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { JWK } from 'jose';
import pg from 'pg';
import { createSqlExecutor } from '../../activities/adapters/sql-executor.js';
import { openTargetConnections } from '../../activities/adapters/target-connections.js';
import { createActivities } from '../../activities/index.js';
import type { Change, Ports } from '../../activities/ports.js';
import { buildApp } from '../../api/app.js';
import { openCheckpoints } from '../../api/checkpoints.js';
import { createOidc } from '../../api/oidc.js';
import { createSoundCheck } from '../../api/policy-approvals.js';
import { approveByPolicy } from '../../db/approve-by-policy.js';
import type { Database, RequestDatabase } from '../../db/database.js';
import type { SignDecision } from '../../db/decisions.js';
import type { SignPolicy } from '../../db/policies.js';
import { createRecorder } from '../../db/recorder.js';
import { openTailListener } from '../../db/tail-listener.js';
import { openSignatures } from '../../workers/signatures.js';
import type { Workspace } from '../../domain/watch.js';
import { type Keyring, makeFirstKey, openKeyring, openVerifier, PUBLIC_KEYS } from '../../keys/keyring.js';
import { openTargetServer } from '../chaos/worlds/target-server.js';
import { freshDatabase } from '../harness/database.js';
import { createWorker } from '../harness/temporal.js';
import { startServers } from '../harness/start-servers.js';
import { type Issuer, openIssuer } from './issuer.js';
import { openQuietTemporal } from './quiet-temporal.js';
import { openTarget, type Target } from './target.js';
import { createDetectors, type Trouble } from './trouble.js';
import { inspector } from '../harness/inspector.js';

/** What an attacker does at the moments at which nothing waits. By incident. */
export interface Ambush {
  /** The claim is granted, and nothing is run yet. */
  readonly afterClaim?: () => Promise<void>;
  /** The change is about to begin. */
  readonly beforeRun?: (change: Change) => Promise<void>;
}

export interface Arena {
  /** As the API and the worker have it. */
  readonly db: Database;
  /** As its requests have it. */
  readonly requests: RequestDatabase;
  /** As the superuser of the record's server, whom nothing holds back but signatures. */
  readonly sql: <Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  readonly app: Awaited<ReturnType<typeof buildApp>>;
  readonly keyring: Keyring;
  /** A private key that was stolen and is revoked. */
  readonly stolenKey: JWK;
  readonly publicKey: JWK;
  /** As the API signs what it has heard. */
  readonly sign: SignDecision;
  readonly signPolicy: SignPolicy;
  /** As the API lets run by policy what waits at a gate; whether it did. */
  approveByPolicy(gateId: string): Promise<boolean>;
  readonly issuer: Issuer;
  readonly slackSecret: string;
  readonly client: Client;
  readonly taskQueue: string;
  /** The worker's activities: whoever has access to the Temporal namespace can have them run, with any arguments. */
  readonly activities: ReturnType<typeof createActivities>;
  readonly target: Target;
  readonly workspaces: Map<string, Workspace>;
  /** What is wrong in a workspace. */
  readonly troubles: Map<string, Trouble>;
  /** Which row of the target an incident is about. */
  readonly actors: Map<string, string>;
  readonly ambushes: Map<string, Ambush>;
  close(): Promise<void>;
}

/** A whole Sluice in this process, on a real Postgres and a real Temporal, with a real database as its target. */
export async function openArena(say: (line: string) => void, stopping: AbortSignal): Promise<Arena> {
  const servers = await startServers();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-attack-'));
  await chmod(folder, 0o711); // as root: Postgres's user must get through
  const server = await openTargetServer(folder, say, stopping);
  const [temporal, database, target, issuer] = await Promise.all([openQuietTemporal(), freshDatabase(), openTarget(server.url), openIssuer()]);
  const { db, requests, url } = database;
  const owner = new pg.Pool({ connectionString: url, max: 8 });

  const keys = join(folder, 'keys');
  const { keyId } = await makeFirstKey(keys);
  const readKey = async (file: string): Promise<JWK> => JSON.parse(await readFile(join(keys, file), 'utf8')).keys.at(-1);
  const stolenKey = await readKey('private-key.json');
  const keyring = openKeyring(keys);
  await keyring.rotate();
  await keyring.revoke(keyId);

  const workspaces = new Map<string, Workspace>();
  const troubles = new Map<string, Trouble>();
  const actors = new Map<string, string>();
  const ambushes = new Map<string, Ambush>();
  const watch: Ports['watch'] = {
    readWorkspace(id) {
      const workspace = workspaces.get(id);
      if (workspace === undefined) throw new Error(`there is no workspace ${id}`);
      return workspace;
    },
  };
  const recorder = createRecorder(db);
  const connections = openTargetConnections(() => target.url);
  const executor = createSqlExecutor(connections, watch, (ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  const verifier = openVerifier(join(keys, PUBLIC_KEYS));
  const ports: Ports = {
    judgeStep: inspector.judgeStep,
    watch,
    now: () => new Date(),
    detectors: createDetectors(target, actors, troubles),
    signatures: openSignatures(verifier),
    recorder: {
      ...recorder,
      async claim(request, judge) {
        const judgement = await recorder.claim(request, judge);
        if (judgement.kind === 'granted') await ambushes.get(request.incidentId)?.afterClaim?.();
        return judgement;
      },
    },
    executor: {
      ...executor,
      async run(workspaceId, change, options) {
        const incidentId = [...actors].find(([, actor]) => change.step.parameters.includes(actor))?.[0] ?? '';
        await ambushes.get(incidentId)?.beforeRun?.(change);
        return executor.run(workspaceId, change, options);
      },
    },
  };

  const checkpoints = openCheckpoints({ db, keyring, folder: join(folder, 'audit'), everyMs: 500 });
  const listener = openTailListener(url);
  const sign: SignDecision = (decision) => keyring.sign('decision', decision);
  const slackSecret = randomBytes(16).toString('hex');
  const app = await buildApp({ db, requests, listener, keyring, checkpoints, inspector, bodyLimitBytes: 65_536, temporalUi: null, slackSigningSecret: slackSecret, oidc: createOidc(issuer.settings), webFolder: '/nowhere', logger: false });
  const stopCheckpoints = checkpoints.start(app.log);
  const { worker, taskQueue } = await createWorker(temporal, ports);
  const working = worker.run();

  return {
    db,
    requests,
    sql: async (text, values = []) => (await owner.query(text, [...values])).rows,
    app,
    keyring,
    stolenKey,
    publicKey: await readKey(PUBLIC_KEYS),
    sign,
    signPolicy: (policy) => keyring.sign('policy', policy),
    approveByPolicy: async (gateId) => (await approveByPolicy(db, sign, createSoundCheck(keyring, inspector), gateId)) === 'approved',
    issuer,
    slackSecret,
    client: temporal.client,
    taskQueue,
    activities: createActivities(ports),
    target,
    workspaces,
    troubles,
    actors,
    ambushes,
    async close() {
      worker.shutdown();
      await working;
      await stopCheckpoints();
      await app.close();
      await issuer.close();
      await listener.close();
      await connections.close();
      await owner.end();
      await target.close();
      await temporal.close();
      await database.close();
      await server.stop();
      await servers.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
