import { thaw, toExecutionKey } from '../../activities/digest.js';
import { toPolicies } from '../../activities/policies.js';
import type { Ports } from '../../activities/ports.js';
import { claimRefusals, judgeExecutionClaim, judgeRollbackClaim, type ClaimFacts, type ClaimRefusal } from '../../domain/grant.js';
import type { Plan, Step } from '../../domain/plan.js';
import { type Policy, untouched } from '../../domain/policy.js';

/** What the record says of an execution that is to be run here. It counts only as far as signatures say it too. */
export interface GrantProof {
  readonly key: string;
  readonly kind: 'execute' | 'rollback';
  readonly stepId: string;
  readonly digest: string;
  readonly canonical: string;
  readonly verificationFailed: boolean;
  readonly gate: ClaimFacts['gate'] | null;
  readonly decisionId: string | null;
  readonly decisions: readonly { readonly id: string; readonly verdict: ClaimFacts['decisions'][number]['verdict']; readonly person: string; readonly signature: string }[];
  readonly policies: Parameters<typeof toPolicies>[1];
}

export type Proven = { readonly kind: 'proven'; readonly key: string; readonly runs: GrantProof['kind']; readonly step: Step } | { readonly kind: 'refused'; readonly because: string };

/** Proves once more, near the target and by keys of its own, that people or policy granted what is to be run. Whoever holds the database or the API alone makes nothing run. */
export async function proveGrant(
  { signatures, watch, now }: Pick<Ports, 'signatures' | 'watch' | 'now'>,
  { queue, workspaceId }: { readonly queue: string; readonly workspaceId: string },
  proof: GrantProof | null,
): Promise<Proven> {
  const refuse = (because: string): Proven => ({ kind: 'refused', because: `the executor worker of the queue ${queue} refused it: ${because}` });
  if (proof === null) return refuse('nothing proves that it was granted');
  const plan = thaw(proof.canonical, proof.digest);
  if (plan === undefined) return refuse(claimRefusals.planAltered);
  const step = plan.steps.find(({ stepId }) => stepId === proof.stepId);
  if (step === undefined || step.queue !== queue) return refuse('the approved plan has no such step for this queue');
  if (proof.key !== toExecutionKey(proof.digest, step.stepId, proof.kind)) return refuse('its key is not that of the approved step');
  if (plan.workspaceId !== workspaceId || proof.policies.some((policy) => policy.workspaceId !== workspaceId)) return refuse('it is for another workspace');

  const policies = await toPolicies({ signatures, watch }, proof.policies);
  const decisions = await Promise.all(proof.decisions.map(async ({ signature, ...decision }) => ({ ...decision, signed: (await signatures.readDecision(signature)) ?? null })));
  const facts: ClaimFacts = {
    workspaceId,
    incidentId: plan.incidentId,
    gate: proof.gate ?? undefined,
    decisions,
    // Whether it may begin now is asked where that is known, at `begin`.
    killSwitchOn: false,
    isClosed: false,
    verificationFailed: proof.verificationFailed,
    nowMs: now().getTime(),
  };
  const refusal = judge(proof, plan, facts, policies);
  return refusal === undefined ? { kind: 'proven', key: proof.key, runs: proof.kind, step } : refuse(claimRefusals[refusal]);
}

function judge({ kind, digest, decisionId }: GrantProof, plan: Plan, facts: ClaimFacts, policies: readonly Policy[]): ClaimRefusal | undefined {
  if (kind === 'execute') return judgeExecutionClaim(facts, plan, digest, { policies, past: untouched, isTargetBusy: false });
  return judgeRollbackClaim(facts, digest, decisionId === null ? { kind: 'policy' } : { kind: 'decision', decisionId }, policies);
}
