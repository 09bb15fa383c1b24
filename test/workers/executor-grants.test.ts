import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { writePlaced } from '../../activities/adapters/remote-call.js';
import type { Change } from '../../activities/ports.js';
import { adoptPolicy } from '../../db/policies.js';
import { executions, plans } from '../../db/schema.js';
import type { SignedDecision } from '../../domain/grant.js';
import type { Step } from '../../domain/plan.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { aPolicy, aStep } from '../builders.js';
import { type ExecutorWorld, openExecutorWorld, queue } from '../harness/executor-worker.js';
import { freshKeys } from '../harness/keys.js';
import { freezeStep } from '../ports/executor-contract.js';

let world: ExecutorWorld;
beforeAll(async () => {
  world = await openExecutorWorld();
  await world.startWorker();
});
afterAll(async () => {
  await world.close();
  await closeApis();
});

const command = aStep({ type: 'command', target: 'web-1', script: 'docker restart web', parameters: [], reach: 'host', queue });

describe('what was not granted', () => {
  type Forge = (step: Step) => Promise<string>;
  const signing = (change: (decision: SignedDecision) => SignedDecision): Forge => (step) => world.grant(step, (decision) => world.api.keyring.sign('decision', change(decision)));

  it.each<readonly [what: string, forge: Forge, because: string]>([
    ['without an entry in the ledger', async () => 'ab'.repeat(16), 'nothing proves that it was granted'],
    ['signed by another key', forgeSignature, 'not signed by a key of Sluice'],
    ['signed for another plan', signing((decision) => ({ ...decision, digest: 'ab'.repeat(32) })), 'says something else than what was signed'],
    ['approved too long ago', signing((decision) => ({ ...decision, expiresAt: Date.now() - 1 })), 'older than an approval may be'],
    ['approved by nobody with the role that sluice.yaml near the target asks for', signing((decision) => ({ ...decision, role: 'responder' })), 'a higher role'],
    ['under a key of another step', underAnotherKey, 'its key is not that of the approved step'],
    ['for another queue', (step) => world.grant({ ...step, queue: 'elsewhere' }), 'no such step for this queue'],
  ])('is refused: %s', async (_, forge, because) => {
    const step = await freezeStep(world.remote, workspaceId, command);
    const handles: string[] = [];
    const options = { begin: async (handle: string) => void handles.push(handle), signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} };
    const result = await world.remote.run(workspaceId, { kind: 'execute', step, key: await forge(step), snapshot: null }, options);
    expect(result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining(because) });
    expect(handles).toEqual([]);
    expect(await world.host.listRestarts()).toEqual([]);
  });

  const options = () => ({ begin: async () => Promise.reject(new Error('it began')), signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} });
  const readPlace = async (): Promise<string> => (await readFile(join(world.host.runs, 'place'), 'utf8')).trim();

  it('is not taken back by policy, whatever the record says of how it went', async () => {
    const step = await freezeStep(world.remote, workspaceId, command);
    const unsigned: Forge = async (forged) => world.grant(forged, async () => 'nobody', 'rollback');
    const key = await unsigned(step);
    await letRollBack(key);
    const result = await world.remote.run(workspaceId, { kind: 'rollback', step, key, snapshot: '[]', left: 'x' }, options());
    expect(result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('not signed by a key of Sluice') });
  });

  it('is taken back by policy where the plan was approved, also long ago', async () => {
    const step = await freezeStep(world.remote, workspaceId, command);
    const key = await world.grant(step, (decision) => world.api.keyring.sign('decision', { ...decision, expiresAt: Date.now() - 1 }), 'rollback');
    await letRollBack(key);
    // Beyond the proof, where a restart has no way back.
    expect(await world.remote.run(workspaceId, { kind: 'rollback', step, key, snapshot: '', left: 'x' }, options())).toMatchObject({ kind: 'failed', summary: expect.stringContaining('a restart cannot be taken back') });
  });

  it.each<readonly [what: string, kind: Change['kind'], forge: Forge]>([
    ['without an entry in the ledger', 'execute', async () => 'ab'.repeat(16)],
    ['signed by another key', 'execute', forgeSignature],
    ['a rollback without an entry in the ledger', 'rollback', async () => 'ab'.repeat(16)],
    ['a rollback that nobody signed', 'rollback', (step) => world.grant(step, async () => 'nobody', 'rollback')],
  ])('is not settled, and nobody says what became of it: %s', async (_, kind, forge) => {
    const step = await freezeStep(world.remote, workspaceId, command);
    const key = await forge(step);
    const change: Change = kind === 'execute' ? { kind, step, key, snapshot: null } : { kind, step, key, snapshot: '[]', left: 'x' };
    const settled = world.remote.settle(workspaceId, change, writePlaced(await readPlace(), JSON.stringify({ run: `${key}-01234567` })), options());
    await expect(settled).rejects.toMatchObject({ kind: 'outcomeUnknown', message: expect.stringContaining('refused it') });
  });

  it('is settled however long ago it was approved', async () => {
    const step = await freezeStep(world.remote, workspaceId, command);
    const key = await signing((decision) => ({ ...decision, expiresAt: Date.now() - 1 }))(step);
    const handle = JSON.stringify({ before: 'ab'.repeat(32), run: `command-${key}-01234567` });
    expect(await world.remote.settle(workspaceId, { kind: 'execute', step, key, snapshot: null }, writePlaced(await readPlace(), handle), options())).toMatchObject({ kind: 'done' });
  });

  /** What somebody who can write to the record would say, for a rollback that nobody decided. */
  async function letRollBack(key: string): Promise<void> {
    const { db } = world.api;
    const [row] = await db.update(executions).set({ grantId: randomUUID() }).where(eq(executions.key, key)).returning();
    await adoptPolicy(db, workspaceId, aPolicy({ onFailedVerification: 'rollBack' }));
    await db.update(plans).set({ verifiedWell: false }).where(eq(plans.incidentId, row?.incidentId ?? ''));
  }

  async function forgeSignature(step: Step): Promise<string> {
    const forger = await freshKeys();
    const key = await world.grant(step, (decision) => forger.keyring.sign('decision', decision));
    await forger.close();
    return key;
  }

  async function underAnotherKey(step: Step): Promise<string> {
    const key = await world.grant(step);
    await world.api.db.update(executions).set({ key: 'cd'.repeat(16) }).where(eq(executions.key, key));
    return 'cd'.repeat(16);
  }
});
