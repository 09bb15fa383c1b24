import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { ClaimRequest, Judgement } from '../../activities/ports.js';
import { APP_ROLE } from '../../db/row-security.js';
import { createLedgerRecords } from '../../db/ledger-records.js';
import { openIncident } from '../../db/open-incident.js';
import { adoptPolicy } from '../../db/policies.js';
import * as schema from '../../db/schema.js';
import { aPolicy } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';

const workspaceId = 'shop';
const KEPT_MS = 60_000;

let database: FreshDatabase;
let incidentId: string;
let ledger: ReturnType<typeof createLedgerRecords>;
beforeAll(async () => {
  database = await freshDatabase();
  ledger = createLedgerRecords(database.db);
  await adoptPolicy(database.db, workspaceId, aPolicy());
  const opening = { id: randomUUID(), workspaceId, trigger: 'alert', title: 't', fingerprint: 'f', startedBy: null, labels: {}, targets: ['db'], severityThreshold: 'LOW', severity: null } as const;
  ({ incidentId } = await openIncident(database.db, opening));
});
afterAll(() => database.close());

const toRequest = (over: Partial<ClaimRequest> = {}): ClaimRequest => ({
  workspaceId,
  incidentId,
  kind: 'execute',
  claimId: randomUUID(),
  digest: randomBytes(32).toString('hex'),
  grant: { kind: 'gate', id: randomUUID() },
  ...over,
});
/** What judges a claim and finds nothing wrong, because what would have been is gone. */
const grant = (key: string) => async (): Promise<Judgement> => ({ kind: 'granted', steps: [{ key, stepId: '1', target: 'db' }] });
const newKey = () => randomBytes(16).toString('hex');
const forgetLedger = () => database.db.delete(schema.executions).where(eq(schema.executions.incidentId, incidentId));

describe('a ledger that somebody changed in the database', () => {
  it.each([
    ['an approval', { kind: 'execute', grant: { kind: 'gate', id: randomUUID() } }],
    ['a decision to roll back', { kind: 'rollback', grant: { kind: 'decision', id: randomUUID() } }],
  ] as const)('without the rows of what was claimed lets %s count once all the same', async (_, over) => {
    const request = toRequest(over);
    const key = newKey();
    expect(await ledger.claim(request, grant(key))).toMatchObject({ kind: 'granted' });
    await forgetLedger();
    expect(await ledger.claim({ ...request, claimId: randomUUID() }, grant(key))).toEqual({ kind: 'refused', because: 'alreadyUsed' });
    expect(await ledger.readLedger(incidentId, request.digest)).toEqual([]);
  });

  it('lets no decision to roll back be replayed once its rollback has failed', async () => {
    const request = toRequest({ kind: 'rollback', grant: { kind: 'decision', id: randomUUID() } });
    const key = newKey();
    await ledger.claim(request, grant(key));
    await ledger.end(key, 'failed', 'conflict', KEPT_MS, null);
    expect(await ledger.claim({ ...request, claimId: randomUUID() }, grant(key))).toEqual({ kind: 'refused', because: 'alreadyUsed' });
    expect(await ledger.readLedger(incidentId, request.digest)).toMatchObject([{ state: 'failed', claimId: request.claimId }]);
  });

  it('does not make a step begin again whose row was set back', async () => {
    const key = newKey();
    await ledger.claim(toRequest(), grant(key));
    await ledger.begin(key, 'a', null);
    await database.db.update(schema.executions).set({ state: 'claimed', handle: null }).where(eq(schema.executions.key, key));
    expect(await ledger.begin(key, 'b', null)).toBe('calledOff');
  });

  it('rolls nothing back to what another handle says', async () => {
    const key = newKey();
    const request = toRequest();
    await ledger.claim(request, grant(key));
    await ledger.begin(key, 'a', null);
    await database.db.update(schema.executions).set({ handle: 'b' }).where(eq(schema.executions.key, key));
    const rollback = toRequest({ kind: 'rollback', digest: request.digest });
    expect(await ledger.claim(rollback, grant(newKey()))).toEqual({ kind: 'refused', because: 'snapshotAltered' });
  });
});

describe('what a claim asks the audit', () => {
  it('is found by index, however long the audit is', async () => {
    await database.asOwner(`insert into audit (workspace_id, seq, entry, hash)
      select 'long', n, format('{"details":{"grant":"%s","key":"%s"},"kind":"%s"}', gen_random_uuid(), md5(n::text), (array['claim.granted', 'execution.started'])[1 + n % 2]), n::text from generate_series(1, 20000) n;
      insert into audit (workspace_id, seq, entry, hash)
      select 'other', n, '{"details":{},"kind":"decision.counted"}', n::text from generate_series(1, 20000) n; analyze audit`);
    const asked: { readonly query: string; readonly values: unknown[] }[] = [];
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`set role ${APP_ROLE}`);
    const watched = createLedgerRecords(drizzle(client, { schema, logger: { logQuery: (query, values) => void asked.push({ query, values }) } }));
    const request = toRequest();
    const key = newKey();
    await watched.claim(request, grant(key));
    await watched.begin(key, 'a', null);
    await watched.claim(toRequest({ kind: 'rollback', digest: request.digest }), grant(newKey()));

    const plans: string[] = [];
    for (const { query, values } of asked.filter(({ query }) => /^select .* from "audit" where .*"kind"/s.test(query))) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${query}`, values);
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
    }
    await client.end();
    expect(plans.map((plan) => /(?:Index Scan using|Bitmap Index Scan on) (\w+)/.exec(plan)?.[1] ?? plan)).toEqual(['audit_grants', 'audit_keys', 'audit_grants', 'audit_keys']);
  });
});
