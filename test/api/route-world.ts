import { randomUUID } from 'node:crypto';
import { getTableColumns, getTableName, max, sql } from 'drizzle-orm';
import { appendAudit } from '../../db/audit-writer.js';
import type { Database } from '../../db/database.js';
import { throwSwitch } from '../../db/kill-switch.js';
import * as schema from '../../db/schema.js';
import { createToken } from '../../db/tokens.js';
import { canonicalize } from '../../domain/canonical.js';
import { toDigestible } from '../../domain/plan.js';
import { aPlan, aPolicy, aSignal, plainScript } from '../builders.js';
import { allTables } from '../harness/database.js';
import { workspaceId } from './open-api.js';
import { digest, haveClosedIncident, haveGate, haveIncident, say } from './records.js';

/** In every text that the workspace has, so that whoever is shown one of them is found out. */
const MARK = 'kept-in-shop';
/** The workspace of those who have no business there. */
export const elsewhere = 'elsewhere';

/** One of everything that a route can be about, made anew for each call that may change it. */
export type World = Awaited<ReturnType<typeof haveWorld>>;

export async function haveWorld(db: Database) {
  const own = randomUUID();
  const text = `${MARK} ${own}`;
  const fingerprint = own;
  const incidentId = await haveIncident(db, { title: text, fingerprint: `alert:${fingerprint}` });
  const plan = aPlan({ workspaceId, incidentId, title: text });
  const frozen = { incidentId, version: 1, scriptId: plan.scriptId, category: 'idleTransaction', digest, canonical: canonicalize(toDigestible(plan)) } as const;
  await db.insert(schema.plans).values({ ...frozen, confidence: { value: 86, tier: 'HIGH', factors: [], caps: [] }, rehearsal: [{ stepId: '1', lines: [text] }] });
  await db.insert(schema.measurements).values({ id: randomUUID(), incidentId, purpose: 'detection', planVersion: 0, measuredAt: new Date(), signals: [aSignal({ title: text })], facts: [] });
  await db.insert(schema.alerts).values({ workspaceId, incidentId, fingerprint, source: 'json', state: 'firing', title: text, labels: {} });
  await say(db, incidentId, text);
  const gate = await haveGate(db, incidentId);
  await db.insert(schema.notifications).values({ workspaceId, incidentId, key: own, channel: text, kind: 'gateOpened', text });

  const closedId = await haveClosedIncident(db);
  const ran = { key: own, kind: 'execute', workspaceId, incidentId: closedId, grantId: randomUUID(), claimId: randomUUID(), digest, stepId: '1', target: 'shop-db', state: 'succeeded' } as const;
  await db.insert(schema.executions).values({ ...ran, handle: text, snapshot: text, snapshotKeptUntil: new Date(Date.now() + 3_600_000) });

  const tokenId = randomUUID();
  await createToken(db, { workspaceId, person: text, role: 'viewer' }, { id: tokenId, name: text });
  await db.insert(schema.people).values({ workspaceId, person: own, role: 'viewer', slackUser: `T1/U${own}`, changedBy: text });
  const scriptId = randomUUID();
  const script = { id: scriptId, workspaceId, name: text, description: text, type: 'SQL', command: 'SELECT 1', parameters: [], category: 'idleTransaction', risk: 'LOW', ...plainScript } as const;
  await db.insert(schema.scripts).values({ ...script, estimatedDurationMs: 1, createdBy: text });
  await db.insert(schema.executors).values({ workspaceId, queue: text, workerId: own, place: text, version: text, capabilities: { targets: [text], lacks: [text] } });
  const callId = randomUUID();
  const call = { workspaceId, queue: `executor of ${workspaceId}`, kind: 'rehearse', request: text, waiterUntil: new Date(Date.now() + 60_000) } as const;
  await db.insert(schema.executorCalls).values([{ ...call, id: callId, workerId: own, workerUntil: call.waiterUntil, handle: own, beginning: 'calledOff' }, { ...call, id: randomUUID() }]);
  const [newest] = await db.select({ version: max(schema.policies.version) }).from(schema.policies);
  const policyVersion = (newest?.version ?? 0) + 1;
  for (const [id, by] of [[workspaceId, text], [elsewhere, elsewhere]] as const) await db.insert(schema.policies).values({ workspaceId: id, version: policyVersion, policy: aPolicy(), changedBy: by, reason: by });
  // Off again, or nothing could be approved; who turned it off and why is still shown.
  for (const on of [true, false]) await throwSwitch(db, { workspaceId, scope: 'workspace', on, person: text, reason: text });
  await db.transaction((tx) => appendAudit(tx, workspaceId, { kind: 'claim.refused', actor: text, subject: text, details: {} }));
  return { own, callId, incidentId, closedId, fingerprint, gateId: gate.id, updateId: gate.updateId, digest, tokenId, scriptId, person: own, policyVersion };
}

/** What of the workspace an answer shows, apart from what its request named. */
export function findShown(world: World, answer: string, request: string): readonly string[] {
  return [MARK, ...Object.values(world)].filter((text) => typeof text === 'string' && answer.includes(text) && !request.includes(text)).map(String);
}

/** A digest of each table: of what a workspace has there, or of all of it. That a token was used is left out. */
export async function digestTables(db: Database, ofWorkspace?: string): Promise<Readonly<Record<string, string>>> {
  const parts = allTables.map((table) => {
    const name = getTableName(table);
    const isOwn = 'workspaceId' in getTableColumns(table) ? sql`workspace_id = ${ofWorkspace}` : sql`incident_id in (select id from incidents where workspace_id = ${ofWorkspace})`;
    const rows = sql`select (to_jsonb(t) - 'last_used_at')::text as line from ${sql.identifier(name)} t where ${ofWorkspace === undefined ? sql`true` : isOwn}`;
    return sql`select ${name}::text as name, coalesce(md5(string_agg(line, '' order by line)), '') as digest from (${rows}) as lines`;
  });
  const { rows } = await db.execute<{ name: string; digest: string }>(sql.join(parts, sql` union all `));
  return Object.fromEntries(rows.map((row) => [row.name, row.digest]));
}
