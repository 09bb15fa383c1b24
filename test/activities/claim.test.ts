import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClaimActivities } from '../../activities/claim.js';
import { freeze } from '../../activities/digest.js';
import type { ClaimRecord, PolicyRecord, Ports } from '../../activities/ports.js';
import type { ClaimRefusal, SignedDecision } from '../../domain/grant.js';
import type { Plan } from '../../domain/plan.js';
import { type Policy, toPolicyText, untouched } from '../../domain/policy.js';
import { openSignatures } from '../../workers/signatures.js';
import { aPlan, aPolicy, aStep } from '../builders.js';
import { createFakeLedger, createLedgerRecorder } from '../fakes/fake-ledger.js';
import { type FreshKeys, freshKeys } from '../harness/keys.js';

let keys: FreshKeys;
beforeAll(async () => {
  keys = await freshKeys();
});
afterAll(() => keys.close());

const workspaceId = 'demo';
const supervised = aPolicy();
const strict = aPolicy({ approvals: { LOW: 2, MEDIUM: 2, HIGH: 2, CRITICAL: 2 } });
const confidence = aPolicy({ autonomy: 'confidence' });
const steps = [aStep({ wayBack: { kind: 'snapshot', of: 'rows', keptMs: 60_000 } })];
const gated = aPlan({ workspaceId, steps });
const sure = aPlan({ workspaceId, steps, ruling: { kind: 'auto', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false } });

/** A row as the API writes it where an admin changes the policy. */
async function signed(policy: Policy, version = 2): Promise<PolicyRecord> {
  return { workspaceId, version, policy, signature: await keys.keyring.sign('policy', { workspaceId, version, policy: toPolicyText(policy) }) };
}
const unsigned = (policy: Policy): PolicyRecord => ({ workspaceId, version: 2, policy, signature: null });

/** Claims a plan that one approved, under the policy of the record and the sluice.yaml of the worker. */
async function claim({ plan = gated, by, row, earlier = [], file }: { readonly plan?: Plan; readonly by: 'ana' | 'SYSTEM'; readonly row: PolicyRecord; readonly earlier?: readonly PolicyRecord[]; readonly file: Policy }): Promise<'claimed' | ClaimRefusal> {
  const { canonical, digest } = freeze(plan);
  const { incidentId, version: planVersion } = plan;
  const nowMs = Date.now();
  const content: SignedDecision = { decisionId: 'decision', workspaceId, incidentId, gateId: 'gate', gateKind: 'execution', verdict: 'approve', digest, planVersion, person: by, role: by === 'SYSTEM' ? 'system' : 'responder', decidedAt: nowMs, expiresAt: nowMs + 1_000 };
  const decision = { id: 'decision', verdict: 'approve', person: by, signature: await keys.keyring.sign('decision', content) } as const;
  const record: Omit<ClaimRecord, 'ledger'> = {
    gate: { id: 'gate', kind: 'execution', state: 'approved', digest },
    decisions: [decision],
    canonical,
    killSwitchOn: false,
    isClosed: false,
    verificationFailed: false,
    now: new Date(nowMs),
    policies: [row, ...earlier],
    lookAround: async () => ({ past: untouched, isTargetBusy: false }),
  };
  const ports: Partial<Ports> = {
    recorder: createLedgerRecorder(createFakeLedger(() => record)),
    signatures: openSignatures(keys.keyring),
    watch: { readWorkspace: (id) => ({ id, targets: [], alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: file }) },
  };
  const answer = await createClaimActivities(ports as Ports).claimExecution({ workspaceId, incidentId, gateId: 'gate', digest, claimId: 'claim' });
  return answer.kind === 'claimed' ? 'claimed' : answer.because;
}

describe('a claim under a policy that the API signed', () => {
  it('goes by it alone, whatever the sluice.yaml of the worker says', async () => {
    expect(await claim({ by: 'ana', row: await signed(supervised), file: strict })).toBe('claimed');
    expect(await claim({ plan: sure, by: 'SYSTEM', row: await signed(confidence), file: supervised })).toBe('claimed');
  });

  it('is refused where it was made stricter after the approval', async () => {
    expect(await claim({ by: 'ana', row: await signed(strict), file: supervised })).toBe('tooFewApprovals');
    expect(await claim({ by: 'ana', row: await signed(aPolicy({ autonomy: 'observe' })), file: supervised })).toBe('observeOnly');
    expect(await claim({ plan: sure, by: 'SYSTEM', row: await signed(supervised), file: supervised })).toBe('autonomyRevoked');
  });
});

describe('a claim under a policy that nobody signed', () => {
  it('goes by the stricter of it and the sluice.yaml of the worker', async () => {
    expect(await claim({ by: 'ana', row: unsigned(supervised), file: supervised })).toBe('claimed');
    expect(await claim({ by: 'ana', row: unsigned(supervised), file: strict })).toBe('tooFewApprovals');
    expect(await claim({ by: 'ana', row: unsigned(strict), file: supervised })).toBe('tooFewApprovals');
    expect(await claim({ plan: sure, by: 'SYSTEM', row: unsigned(confidence), file: supervised })).toBe('autonomyRevoked');
  });
});

describe('a claim under a policy that nobody signed, over one that a person set', () => {
  const newer = (policy: Policy): PolicyRecord => ({ ...unsigned(policy), version: 3 });

  it('goes by what that person asked for as well', async () => {
    expect(await claim({ by: 'ana', row: newer(supervised), earlier: [await signed(strict)], file: supervised })).toBe('tooFewApprovals');
    expect(await claim({ by: 'ana', row: newer(supervised), earlier: [await signed(supervised)], file: strict })).toBe('tooFewApprovals');
    expect(await claim({ by: 'ana', row: newer(strict), earlier: [await signed(supervised)], file: supervised })).toBe('tooFewApprovals');
    expect(await claim({ by: 'ana', row: newer(supervised), earlier: [await signed(supervised)], file: supervised })).toBe('claimed');
  });

  it('goes by the last that is signed, past others whose signature is good for nothing', async () => {
    const forged = { ...unsigned(supervised), version: 3, signature: 'signed' };
    expect(await claim({ by: 'ana', row: { ...forged, version: 4 }, earlier: [forged, await signed(strict), await signed(supervised, 1)], file: supervised })).toBe('tooFewApprovals');
    expect(await claim({ by: 'ana', row: { ...forged, version: 4 }, earlier: [forged, await signed(supervised), await signed(strict, 1)], file: supervised })).toBe('claimed');
  });
});

/** What somebody makes of a row that the API signed, who can write to the database and has no key. */
const alterations: readonly [string, (row: PolicyRecord) => PolicyRecord | Promise<PolicyRecord>][] = [
  ['was signed for another workspace', async (row) => ({ ...row, signature: await keys.keyring.sign('policy', { workspaceId: 'another', version: row.version, policy: toPolicyText(row.policy) }) })],
  ['was signed for an earlier version', (row) => ({ ...row, version: row.version + 1 })],
  ['says something else than what was signed', (row) => ({ ...row, policy: { ...row.policy, maxTries: row.policy.maxTries + 1 } })],
  ['carries the signature of a decision', async (row) => ({ ...row, signature: await keys.keyring.sign('decision', { workspaceId, version: row.version, policy: toPolicyText(row.policy) }) })],
  ['carries a text in place of a signature', (row) => ({ ...row, signature: 'signed' })],
];

describe('a claim under a policy that', () => {
  it.each(alterations)('%s counts it as one that nobody signed', async (_, alter) => {
    const row = await signed(confidence);
    expect(await claim({ plan: sure, by: 'SYSTEM', row, file: supervised })).toBe('claimed');
    expect(await claim({ plan: sure, by: 'SYSTEM', row: await alter(row), file: supervised })).toBe('autonomyRevoked');
  });
});

describe('a policy that a revoked key signed', () => {
  it('counts as one that nobody signed', async () => {
    const row = await signed(confidence);
    const [first] = await keys.keyring.list();
    await keys.keyring.rotate();
    expect(await claim({ plan: sure, by: 'SYSTEM', row, file: supervised })).toBe('claimed');
    await keys.keyring.revoke(first?.keyId ?? '');
    expect(await claim({ plan: sure, by: 'SYSTEM', row, file: supervised })).toBe('autonomyRevoked');
  });
});
