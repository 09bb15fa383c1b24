import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { executions } from '../../db/schema.js';
import type { SignedDecision } from '../../domain/grant.js';
import type { Step } from '../../domain/plan.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { aStep } from '../builders.js';
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
