import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import { throwSwitch } from '../../db/kill-switch.js';
import { createLedgerRecords } from '../../db/ledger-records.js';
import { openIncident } from '../../db/open-incident.js';
import { adoptPolicy } from '../../db/policies.js';
import { executions } from '../../db/schema.js';
import { untouched } from '../../domain/policy.js';
import { aPolicy, aPolicyRecord } from '../builders.js';
import { createFakeLedger } from '../fakes/fake-ledger.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { describeLedger } from './ledger-contract.js';

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

describeLedger('in memory', async () => {
  let killSwitchOn = false;
  let passedMs = 0;
  const ledger = createFakeLedger(() => ({ gate: undefined, decisions: [], canonical: undefined, killSwitchOn, isClosed: false, verificationFailed: true, now: new Date(Date.now() + passedMs), policies: [aPolicyRecord()], lookAround: async () => ({ past: untouched, isTargetBusy: false }) }));
  return { ledger, workspaceId: 'w', incidentId: randomUUID(), throwSwitch: async (on) => (killSwitchOn = on), pass: async (ms) => (passedMs += ms) };
});

describeLedger('in Postgres', async () => {
  const workspaceId = randomUUID();
  await adoptPolicy(database.db, workspaceId, aPolicy());
  const { incidentId } = await openIncident(database.db, {
    id: randomUUID(),
    workspaceId,
    trigger: 'alert',
    title: 't',
    fingerprint: randomUUID(),
    startedBy: null,
    labels: {},
    targets: ['db'],
    severityThreshold: 'LOW',
    severity: null,
  });
  return {
    ledger: createLedgerRecords(database.db),
    workspaceId,
    incidentId,
    throwSwitch: (on) => throwSwitch(database.db, { workspaceId, scope: 'workspace', on, person: 'sam', reason: 'test' }),
    pass: (ms) => database.db.update(executions).set({ claimedAt: sql`${executions.claimedAt} - ${ms} * interval '1 millisecond'` }).where(eq(executions.incidentId, incidentId)),
  };
});
