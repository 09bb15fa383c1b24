import type { Claim, RecordActivities } from '../contracts/activities.js';
import type { ClaimFacts, ClaimRefusal } from '../domain/grant.js';
import { judgeExecutionClaim, judgeRollbackClaim } from '../domain/grant.js';
import type { Plan } from '../domain/plan.js';
import { sha256, thaw, toExecutionKey } from './digest.js';
import { toPolicies } from './policies.js';
import type { ClaimRecord, Judgement, LedgerRow, Ports } from './ports.js';

const refuse = (because: ClaimRefusal): Judgement => ({ kind: 'refused', because });
const toClaim = (judgement: Judgement, skipVerificationGate: boolean): Claim => (judgement.kind === 'granted' ? { kind: 'claimed', skipVerificationGate } : judgement);

/** What a step changed and how to put it back; undefined where it never began or has no way back. */
export function findRun(plan: Plan, ledger: readonly LedgerRow[], stepId: string): LedgerRow | undefined {
  const step = plan.steps.find((candidate) => candidate.stepId === stepId);
  const row = ledger.find((candidate) => candidate.kind === 'execute' && candidate.stepId === stepId);
  return step?.wayBack.kind === 'snapshot' && row !== undefined && row.handle !== null && row.state !== 'void' ? row : undefined;
}

/** The one door to a change: nothing runs, or is taken back, that did not come through here. */
export function createClaimActivities(ports: Ports): Pick<RecordActivities, 'claimExecution' | 'claimRollback'> {
  const { recorder, signatures } = ports;

  async function toFacts(ref: Pick<ClaimFacts, 'workspaceId' | 'incidentId'>, record: ClaimRecord): Promise<ClaimFacts> {
    const { workspaceId, incidentId } = ref;
    const { gate, killSwitchOn, isClosed, verificationFailed, now } = record;
    const decisions = await Promise.all(
      record.decisions.map(async ({ signature, ...decision }) => ({ ...decision, signed: (await signatures.readDecision(signature)) ?? null })),
    );
    return { workspaceId, incidentId, gate, decisions, killSwitchOn, isClosed, verificationFailed, nowMs: now.getTime() };
  }

  const readPlan = ({ canonical }: ClaimRecord, digest: string): Plan | ClaimRefusal =>
    canonical === undefined ? 'planMissing' : (thaw(canonical, digest) ?? 'planAltered');

  return {
    async claimExecution({ workspaceId, incidentId, gateId, digest, claimId }) {
      const request = { workspaceId, incidentId, kind: 'execute', claimId, digest, grant: { kind: 'gate', id: gateId } } as const;
      // Where the answer to a claim was lost, a person looks.
      let skipVerificationGate = false;
      const judgement = await recorder.claim(request, async (record) => {
        const plan = readPlan(record, digest);
        if (typeof plan === 'string') return refuse(plan);
        if (record.ledger.length > 0) return refuse('alreadyUsed');
        const policies = await toPolicies(ports, record.policies);
        skipVerificationGate = policies.every((policy) => policy.skipVerificationGate);
        const refusal = judgeExecutionClaim(await toFacts(request, record), plan, digest, { policies, ...(await record.lookAround(plan, policies)) });
        if (refusal !== undefined) return refuse(refusal);
        return { kind: 'granted', steps: plan.steps.map(({ stepId, target }) => ({ stepId, target, key: toExecutionKey(digest, stepId, 'execute') })) };
      });
      return toClaim(judgement, skipVerificationGate);
    },

    async claimRollback({ workspaceId, incidentId, digest, claimId, cause, policy }) {
      const grant = cause.kind === 'decision' ? ({ kind: 'decision', id: cause.decisionId } as const) : ({ kind: 'gate', id: claimId } as const);
      const request = { workspaceId, incidentId, kind: 'rollback', claimId, digest, grant } as const;
      const judgement = await recorder.claim(request, async (record) => {
        const plan = readPlan(record, digest);
        if (typeof plan === 'string') return refuse(plan);
        // By itself it is tried once; after that it is for people.
        if (cause.kind === 'policy' && record.ledger.some(({ kind }) => kind === 'rollback')) return refuse('alreadyUsed');
        const policies = [policy, ...(await toPolicies(ports, record.policies))];
        const refusal = judgeRollbackClaim(await toFacts(request, record), digest, cause, policies);
        if (refusal !== undefined) return refuse(refusal);
        if ((await record.lookAround(plan, policies)).isTargetBusy) return refuse('targetBusy');
        const steps = plan.steps.flatMap((step) => {
          const row = findRun(plan, record.ledger, step.stepId);
          return row === undefined ? [] : [{ step, row }];
        });
        if (steps.length === 0) return refuse('nothingToRollBack');
        if (steps.some(({ row }) => row.snapshot === null || (row.snapshotKeptUntil !== null && row.snapshotKeptUntil < record.now))) return refuse('snapshotExpired');
        if (steps.some(({ step, row }) => sha256(row.snapshot ?? '') !== step.pins?.before)) return refuse('snapshotAltered');
        return { kind: 'granted', steps: steps.map(({ step: { stepId, target } }) => ({ stepId, target, key: toExecutionKey(digest, stepId, 'rollback') })) };
      });
      return toClaim(judgement, false);
    },
  };
}
