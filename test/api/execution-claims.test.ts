import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { throwSwitch } from '../../db/kill-switch.js';
import { sealPodClaim } from '../../db/pod-claims.js';
import { executions } from '../../db/schema.js';
import { type Api, closeApis, openApi, problemOf, workspaceId } from './open-api.js';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(closeApis);

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** An execution that is under way, whose handle names its pods' token. */
async function haveExecution() {
  const key = randomUUID().replaceAll('-', '');
  const token = `token-${key}`;
  const incidentId = randomUUID();
  await api.db.insert(executions).values({
    key,
    kind: 'execute',
    workspaceId,
    incidentId,
    grantId: randomUUID(),
    claimId: randomUUID(),
    digest: 'd'.repeat(64),
    stepId: '1',
    target: 'shop',
    state: 'started',
    handle: JSON.stringify({ job: `sluice-${key}`, claim: hash(token) }),
  });
  const claim = (pod: string, { by = randomUUID(), authorization = `Bearer ${token}` }: { by?: string; authorization?: string } = {}) =>
    api.call('nobody', 'POST', `/api/executions/${key}/claim`, { pod }, { 'idempotency-key': by, ...(authorization !== '' && { authorization }) });
  return { key, incidentId, claim, seal: () => sealPodClaim(api.db, { workspaceId, key, tokenHash: hash(token) }) };
}

async function listClaimed(incidentId: string): Promise<readonly unknown[]> {
  const { rows } = (await api.call('supervisor', 'GET', '/api/audit?kind=pod.claimed&limit=200')).json<{ rows: { subject: string; details: { pod: string } }[] }>();
  return rows.filter(({ subject }) => subject === incidentId).map(({ details }) => details.pod);
}

describe('the claim of a pod', () => {
  it('is given to the first that asks, as often as it asks, and to no other; the audit has it once', async () => {
    const { key, incidentId, claim } = await haveExecution();
    const first = await claim('pod-1', { by: 'its process' });
    expect([first.statusCode, first.json()]).toEqual([200, { key, pod: 'pod-1' }]);
    expect((await claim('pod-1', { by: 'its process' })).statusCode).toBe(200);
    // Its container was started once more.
    expect(problemOf(await claim('pod-1'))).toEqual([409, 'not-this-pod']);
    expect(problemOf(await claim('pod-2', { by: 'its process' }))).toEqual([409, 'not-this-pod']);
    expect(await listClaimed(incidentId)).toEqual(['pod-1']);
  });

  it('is given to one of many that ask at once', async () => {
    const { incidentId, claim } = await haveExecution();
    const statuses = await Promise.all(Array.from({ length: 12 }, async (_, index) => (await claim(`pod-${index}`)).statusCode));
    expect([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 409).length]).toEqual([1, 11]);
    expect(await listClaimed(incidentId)).toHaveLength(1);
  });

  it('is given to nobody once it is sealed; and what was claimed before cannot be sealed', async () => {
    const sealed = await haveExecution();
    expect([await sealed.seal(), await sealed.seal()]).toEqual([{ kind: 'sealed' }, { kind: 'sealed' }]);
    expect(problemOf(await sealed.claim('pod-1'))).toEqual([409, 'not-this-pod']);
    const claimed = await haveExecution();
    await claimed.claim('pod-1');
    expect(await claimed.seal()).toEqual({ kind: 'claimed', pod: 'pod-1' });
  });

  it('is either given or sealed, where both are asked at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { claim, seal } = await haveExecution();
      const [{ statusCode }, { kind }] = await Promise.all([claim('pod-1'), seal()]);
      expect([statusCode, kind]).toEqual(statusCode === 200 ? [200, 'claimed'] : [409, 'sealed']);
    }
  });

  it.each(['claimed', 'unknown', 'succeeded', 'void'] as const)('is not given for an execution that is %s', async (state) => {
    const { key, claim } = await haveExecution();
    await api.db.update(executions).set({ state }).where(eq(executions.key, key));
    expect(problemOf(await claim('pod-1'))).toEqual([409, 'not-this-pod']);
  });

  it('is not given while the kill switch is on', async () => {
    const { claim } = await haveExecution();
    const flip = (on: boolean) => throwSwitch(api.db, { workspaceId, scope: 'workspace', on, person: 'ana', reason: 'freeze' });
    await flip(true);
    expect(problemOf(await claim('pod-1'))).toEqual([409, 'kill-switch-on']);
    await flip(false);
    expect((await claim('pod-1')).statusCode).toBe(200);
  });

  it.each([
    ['without a token', ''],
    ["with a person's token", 'admin'],
    ['with a token that nobody made', 'Bearer token-of-nobody'],
    ['with the hash that the record has', 'Bearer hash'],
  ])('is not given %s', async (_what, how) => {
    const { key, incidentId, claim } = await haveExecution();
    const authorization = { admin: `Bearer ${api.tokenOf('admin')}`, 'Bearer hash': `Bearer ${hash(`token-${key}`)}` }[how] ?? how;
    expect(problemOf(await claim('pod-1', { authorization }))).toEqual([401, 'not-authenticated']);
    expect(await listClaimed(incidentId)).toEqual([]);
  });

  it('is not given with the token of another execution', async () => {
    const [one, other] = [await haveExecution(), await haveExecution()];
    expect(problemOf(await one.claim('pod-1', { authorization: `Bearer token-${other.key}` }))).toEqual([401, 'not-authenticated']);
  });
});
