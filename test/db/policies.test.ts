import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readAuditPage } from '../../db/audit-reads.js';
import { adoptPolicy, changePolicy, listPolicies, readPolicies, readPolicy, type SignPolicy } from '../../db/policies.js';
import { policies } from '../../db/schema.js';
import { readEntry } from '../../domain/audit.js';
import { openSignatures } from '../../workers/signatures.js';
import { aPolicy } from '../builders.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { freshKeys } from '../harness/keys.js';
import { testSignPolicy } from '../harness/signatures.js';

let database: FreshDatabase;
let workspaceId: string;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());
beforeEach(() => {
  workspaceId = `w-${randomUUID()}`;
});

const adopt = (maxRounds: number) => adoptPolicy(database.db, workspaceId, aPolicy({ maxRounds }));
const change = (seen: number, maxRounds: number, changedBy = 'adam') => changePolicy(database.db, testSignPolicy, { workspaceId, policy: aPolicy({ maxRounds }), seen, changedBy, reason: 'test' });
const versions = async () => (await listPolicies(database.db, workspaceId, 100)).map(({ version, policy, changedBy }) => [version, policy.maxRounds, changedBy]);
const audited = async () => (await readAuditPage(database.db, workspaceId, { order: 'oldest', cursor: null, limit: 100 })).map(({ entry }) => readEntry(entry));

describe('the policy of a workspace', () => {
  it('is not guessed where there is none', async () => {
    await expect(readPolicy(database.db, workspaceId)).rejects.toThrow(`workspace ${workspaceId} has no policy yet`);
    await expect(change(0, 1)).rejects.toThrow('has no policy yet');
  });

  it('begins as sluice.yaml says, and every worker that starts finds it there', async () => {
    await adopt(1);
    await adopt(1);
    expect(await versions()).toEqual([[1, 1, 'sluice.yaml']]);
  });

  it('is adopted once by workers that start at the same moment', async () => {
    await Promise.all(Array.from({ length: 5 }, () => adopt(1)));
    expect(await versions()).toEqual([[1, 1, 'sluice.yaml']]);
    expect(await audited()).toHaveLength(1);
  });

  it('follows the file until a person sets it, and then never again', async () => {
    await adopt(1);
    expect(await adopt(3)).toBe('followed');
    expect(await readPolicy(database.db, workspaceId)).toMatchObject({ version: 2, changedBy: 'sluice.yaml', reason: 'the file was changed' });
    expect(await adopt(1)).toBe('followed');
    expect(await change(3, 2)).toMatchObject({ kind: 'changed', row: { version: 4 } });
    for (const fromFile of [1, 5]) expect(await adopt(fromFile)).toBe('setByPerson');
    expect(await versions()).toEqual([[4, 2, 'adam'], [3, 1, 'sluice.yaml'], [2, 3, 'sluice.yaml'], [1, 1, 'sluice.yaml']]);
  });

  it('that nobody signed does not hide those before it that are signed', async () => {
    await adopt(1);
    await change(1, 2);
    await change(2, 3);
    const forge = (version: number) => database.db.insert(policies).values({ workspaceId, version, policy: aPolicy(), signature: null, changedBy: 'sluice.yaml', reason: 'forged' });
    for (const version of [4, 5]) await forge(version);
    expect((await readPolicies(database.db, workspaceId)).map(({ version }) => version)).toEqual([5, 3, 2]);
  });

  it('is not changed over what somebody else changed meanwhile', async () => {
    await adopt(1);
    await change(1, 2);
    expect(await change(1, 3, 'bea')).toMatchObject({ kind: 'overtaken', row: { version: 2, changedBy: 'adam' } });
    expect((await readPolicy(database.db, workspaceId)).policy.maxRounds).toBe(2);
  });

  it('is changed by one of two who change it at the same moment', async () => {
    await adopt(1);
    const changes = await Promise.all([change(1, 2, 'adam'), change(1, 3, 'bea')]);
    expect(changes.map(({ kind }) => kind).toSorted()).toEqual(['changed', 'overtaken']);
    expect(await versions()).toHaveLength(2);
    expect(await audited()).toHaveLength(2);
  });

  it('is not changed again by a change whose answer was lost', async () => {
    await adopt(1);
    await change(1, 2);
    expect(await change(1, 2)).toMatchObject({ kind: 'changed', row: { version: 2 } });
    expect(await versions()).toHaveLength(2);
    expect(await audited()).toHaveLength(2);
  });

  it('is signed anew where a person sends the one that holds', async () => {
    await adopt(1);
    expect(await change(1, 1)).toMatchObject({ kind: 'changed', row: { version: 2, signature: expect.any(String) } });
    const { keyring, close } = await freshKeys();
    const sign: SignPolicy = (signed) => keyring.sign('policy', signed);
    await changePolicy(database.db, sign, { workspaceId, policy: aPolicy({ maxRounds: 1 }), seen: 2, changedBy: 'adam', reason: 'the key was revoked' });
    const row = await readPolicy(database.db, workspaceId);
    expect([row.version, await openSignatures(keyring).isPolicySigned(row)]).toEqual([3, true]);
    await close();
  });

  it('has who changed it, why, and all of what it says in the audit', async () => {
    await adopt(1);
    await change(1, 2);
    expect(await audited()).toMatchObject([
      { kind: 'policy.changed', actor: 'sluice.yaml', subject: 'version 1', details: { reason: 'the first policy', signature: null, policy: aPolicy({ maxRounds: 1 }) } },
      { kind: 'policy.changed', actor: 'adam', subject: 'version 2', details: { reason: 'test', policy: aPolicy({ maxRounds: 2 }) } },
    ]);
  });

  it('is signed for exactly what a person made of it, and for nothing that was written over it', async () => {
    const { keyring, close } = await freshKeys();
    const signatures = openSignatures(keyring);
    await adopt(1);
    expect(await signatures.isPolicySigned(await readPolicy(database.db, workspaceId))).toBe(false);
    const sign: SignPolicy = (signed) => keyring.sign('policy', signed);
    await changePolicy(database.db, sign, { workspaceId, policy: aPolicy({ maxRounds: 2 }), seen: 1, changedBy: 'adam', reason: 'test' });
    const row = await readPolicy(database.db, workspaceId);
    expect(await signatures.isPolicySigned(row)).toBe(true);
    for (const over of [{ policy: aPolicy({ maxRounds: 9 }) }, { version: 3 }, { workspaceId: 'another' }, { signature: null }]) {
      expect([over, await signatures.isPolicySigned({ ...row, ...over })]).toEqual([over, false]);
    }
    await close();
  });

  it('is that of one workspace', async () => {
    await adopt(1);
    await adoptPolicy(database.db, `${workspaceId}-other`, aPolicy({ maxRounds: 7 }));
    expect((await readPolicy(database.db, workspaceId)).policy.maxRounds).toBe(1);
  });
});
