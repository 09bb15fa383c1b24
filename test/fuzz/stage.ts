import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { buildApp } from '../../api/app.js';
import { openCheckpoints } from '../../api/checkpoints.js';
import type { Database } from '../../db/database.js';
import { createExecutorCalls, takeCall } from '../../db/executor-calls.js';
import { setPerson } from '../../db/people.js';
import { adoptPolicy } from '../../db/policies.js';
import { executions, gates, incidents, plans } from '../../db/schema.js';
import { openTailListener } from '../../db/tail-listener.js';
import { appendTail, appendUpdate } from '../../db/tail-writer.js';
import { createToken } from '../../db/tokens.js';
import type { Role } from '../../domain/actor.js';
import { toUpdate } from '../../domain/incident.js';
import { aPlan, aPolicy, aStep } from '../builders.js';
import { freshDatabase } from '../harness/database.js';
import { freshKeys } from '../harness/keys.js';
import { inspector } from '../harness/inspector.js';

export const callers = ['viewer', 'responder', 'supervisor', 'admin', 'agent', 'executor', 'nobody'] as const;
export type Caller = (typeof callers)[number];

const workspaceId = 'fuzz';
const WEEK_MS = 7 * 86_400_000;
const digest = 'ab'.repeat(32);
/** Of an executor worker that has calls in hand. */
const workerId = randomUUID();
const place = randomUUID();

/** Whoever revokes tokens at random must not end their own run; and without a worker, what a person starts ends as soon as it is there. */
const rules = `
  create function keep() returns trigger language plpgsql as 'begin return null; end';
  create trigger keep_token_in_use before update of revoked_at on tokens for each row when (old.name = 'in use') execute function keep();
  create function finish() returns trigger language plpgsql as $$ begin
    insert into tail (incident_id, seq, key, event, body) values (new.id, 1, 'done', 'done', '{"done": {"outcome": "NOTHING_FOUND"}}');
    return null;
  end $$;
  create trigger finish_at_once after insert on incidents for each row when (new.trigger = 'person') execute function finish();`;

/** A real API that listens, on a database of its own with something of everything in it. */
export async function openStage(caller: Caller) {
  const database = await freshDatabase();
  const { db, requests } = database;
  const keys = await freshKeys();
  const { keyring } = keys;
  const checkpoints = openCheckpoints({ db, keyring, folder: join(keys.folder, 'audit') });
  const listener = openTailListener(database.url);
  const causes = new Set<string>();
  const note = (line: string): void => void causes.add((JSON.parse(line) as { readonly err?: { readonly stack: string } }).err?.stack ?? line);
  const app = await buildApp({ db, requests, listener, keyring, checkpoints, inspector, bodyLimitBytes: 65_536, temporalUi: null, slackSigningSecret: randomUUID(), webFolder: '/nowhere', logger: { level: 'error', stream: { write: note } } });
  await database.asOwner(rules);
  await keyring.rotate();
  await adoptPolicy(db, workspaceId, aPolicy({ gateWaitMs: WEEK_MS }));
  await setPerson(db, { workspaceId, person: 'bo', role: 'responder', slackUser: 'T0123/U0456', changedBy: 'fuzz' });

  const made = [await haveExecutionGate(db), await haveNeedsHuman(db), await haveClosed(db)];
  const callIds = await Promise.all([null, 'begun' as const].map((beginning) => haveCall(db, personOf(caller), beginning)));
  const tokenIds = await Promise.all((['viewer', 'responder', 'agent'] as const).map((role) => haveToken(db, role)));
  const values = {
    'path.incidentId': made.map(({ incidentId }) => incidentId),
    'body.gateId': made.flatMap(({ gateId }) => gateId ?? []),
    'body.updateId': made.flatMap(({ updateId }) => updateId ?? []),
    'body.digest': [digest],
    'body.confirmation': [aPlan().title],
    'body.workspaceId': [workspaceId],
    'query.workspaceId': [workspaceId],
    // With one parameter, of any name.
    'body.command': ["UPDATE app.actors SET rights = 'none' WHERE name = $1"],
    'body.userId': [personOf(caller)],
    'path.callId': callIds,
    'body.workerId': [workerId],
    'body.place': [place],
    // Nothing more comes, and everybody would wait for it.
    'body.waitMs': [0, 1],
    'path.keyId': (await keyring.list()).map(({ keyId }) => keyId),
    'path.tokenId': tokenIds,
    'path.person': ['bo', 'ana'],
    'body.slackUser': ['T0123/U0456', 'T0123/U0789'],
    'body.expiresAt': [new Date(Date.now() + WEEK_MS).toISOString()],
    'body.version': [1, 2],
  };
  const { paths = {} } = app.swagger();
  return {
    operations: Object.values(paths).flatMap((path) => Object.keys(path ?? {})).length,
    url: await app.listen({ host: '127.0.0.1', port: 0 }),
    token: caller === 'nobody' ? null : await createToken(db, { workspaceId, person: personOf(caller), role: caller }, { name: 'in use' }),
    values,
    /** Why requests were answered with 5xx, each once. */
    causes,
    async close() {
      await app.close();
      await listener.close();
      await database.close();
      await keys.close();
    },
  };
}

const personOf = (caller: Caller): string => `${caller}-person`;

async function haveToken(db: Database, role: Role): Promise<string> {
  const id = randomUUID();
  await createToken(db, { workspaceId, person: `other-${role}`, role }, { id });
  return id;
}

async function haveIncident(db: Database, row: Partial<typeof incidents.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  await db.insert(incidents).values({ id, workspaceId, trigger: 'alert', title: 'checkout is slow', fingerprint: id, labels: {}, severityThreshold: 'LOW', ...row });
  const plan = aPlan({ workspaceId, incidentId: id, steps: [aStep({ wayBack: { kind: 'snapshot', of: 'rows', keptMs: WEEK_MS } })] });
  await db.insert(plans).values({ incidentId: id, version: 1, scriptId: plan.scriptId, category: 'idleTransaction', digest, canonical: JSON.stringify(plan), confidence: { value: 86, tier: 'HIGH', factors: [], caps: [] }, rehearsal: [] });
  return id;
}

async function haveGate(db: Database, incidentId: string, row: Pick<typeof gates.$inferInsert, 'kind' | 'approvalsNeeded' | 'roleNeeded' | 'offersRollback'> & Partial<typeof gates.$inferInsert>) {
  const gateId = randomUUID();
  const updateId = await appendUpdate(db, incidentId, `gate:${gateId}`, toUpdate({ phase: 'EXECUTION_GATE', status: 'PENDING_HUMAN_APPROVAL', text: 'Action required' }));
  if (updateId === undefined) throw new Error(`incident ${incidentId} has no row`);
  await db.insert(gates).values({ id: gateId, incidentId, workspaceId, mode: 'people', digest, planVersion: 1, reviewNeeded: false, excluded: [], updateId, ...row });
  return { incidentId, gateId, updateId };
}

/** A call of this queue that an executor worker has in hand. */
async function haveCall(db: Database, queue: string, beginning: 'begun' | null): Promise<string> {
  const calls = createExecutorCalls(db);
  const id = randomUUID();
  await calls.place({ id, workspaceId, queue, place: null, kind: 'rehearse', key: null, request: '{}' });
  await takeCall(db, { workspaceId, queue, workerId, place });
  if (beginning !== null) await calls.tellBeginning(id, beginning);
  return id;
}

const haveExecution = (db: Database, incidentId: string) =>
  db.insert(executions).values({
    key: randomUUID(),
    kind: 'execute',
    workspaceId,
    incidentId,
    grantId: randomUUID(),
    claimId: randomUUID(),
    digest,
    stepId: '1',
    target: 'shop-db',
    state: 'succeeded',
    handle: '{}',
    snapshot: 'before',
    snapshotKeptUntil: new Date(Date.now() + WEEK_MS),
  });

// More approvals than there are people, so that it stays open for as long as nobody rejects.
const haveExecutionGate = async (db: Database) => haveGate(db, await haveIncident(db), { kind: 'execution', approvalsNeeded: 9, roleNeeded: 'responder', offersRollback: false });

async function haveNeedsHuman(db: Database) {
  const incidentId = await haveIncident(db, { phase: 'VERIFICATION_GATE', status: 'PENDING_HUMAN_APPROVAL' });
  await haveExecution(db, incidentId);
  // Without a digest, which a decision would have to name.
  return haveGate(db, incidentId, { kind: 'needsHuman', digest: null, planVersion: null, approvalsNeeded: 1, roleNeeded: 'responder', offersRollback: true });
}

async function haveClosed(db: Database) {
  const incidentId = await haveIncident(db, { phase: 'CLOSED', status: 'SUCCESS', outcome: 'RESOLVED', closedAt: new Date() });
  await haveExecution(db, incidentId);
  await appendTail(db, incidentId, [
    { key: 'output', event: 'output', body: { output: { stream: 'stdout', text: 'one\ntwo\n', firstLine: 1 } } },
    { key: 'done', event: 'done', body: { done: { outcome: 'RESOLVED' } } },
  ]);
  return { incidentId, gateId: null, updateId: null };
}
