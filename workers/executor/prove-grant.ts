import { thaw, toExecutionKey } from '../../activities/digest.js';
import { toPolicies } from '../../activities/policies.js';
import type { Ports } from '../../activities/ports.js';
import { claimRefusals, judgeExecutionClaim, judgePastExecution, judgeRollbackClaim, type ClaimFacts, type ClaimRefusal } from '../../domain/grant.js';
import type { Plan, Step } from '../../domain/plan.js';
import { untouched } from '../../domain/policy.js';

/** What the record says of an execution that is to be run here. It counts only as far as signatures say it too. */
export interface GrantProof {
  readonly key: string;
  readonly kind: 'execute' | 'rollback';
  readonly stepId: string;
  readonly digest: string;
  readonly canonical: string;
  readonly verificationFailed: boolean;
  /** What the plan was approved by. */
  readonly execution: Grant;
  /** What a rollback was granted by: one decision, or none where the policy did. */
  readonly rollback: Grant | null;
  readonly policies: Parameters<typeof toPolicies>[1];
}

interface Grant {
  readonly gate: ClaimFacts['gate'] | null;
  readonly decisions: readonly { readonly id: string; readonly verdict: ClaimFacts['decisions'][number]['verdict']; readonly person: string; readonly signature: string }[];
}

export type Proven = { readonly kind: 'proven'; readonly key: string; readonly runs: GrantProof['kind']; readonly step: Step } | { readonly kind: 'refused'; readonly because: string };

/**
 * Proves once more, near the target and by keys of its own, that people or policy granted what is to be run. Whoever holds the database or the API alone makes nothing run.
 * What has begun only has to have been granted: how long ago, and what policy says by now, must not hinder finding out what became of it.
 */
export async function proveGrant(
  { signatures, watch, now }: Pick<Ports, 'signatures' | 'watch' | 'now'>,
  { queue, workspaceId, hasBegun }: { readonly queue: string; readonly workspaceId: string; readonly hasBegun: boolean },
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

  const refusal = await judge({ signatures, watch, now }, plan, proof, hasBegun);
  return refusal === undefined ? { kind: 'proven', key: proof.key, runs: proof.kind, step } : refuse(claimRefusals[refusal]);
}

async function judge({ signatures, watch, now }: Pick<Ports, 'signatures' | 'watch' | 'now'>, plan: Plan, proof: GrantProof, hasBegun: boolean): Promise<ClaimRefusal | undefined> {
  const { kind, digest, execution, rollback } = proof;
  const toFacts = async ({ gate, decisions }: Grant): Promise<ClaimFacts> => ({
    workspaceId: plan.workspaceId,
    incidentId: plan.incidentId,
    gate: gate ?? undefined,
    decisions: await Promise.all(decisions.map(async ({ signature, ...decision }) => ({ ...decision, signed: (await signatures.readDecision(signature)) ?? null }))),
    // Whether it may begin now is asked where that is known, at `begin`.
    killSwitchOn: false,
    isClosed: false,
    verificationFailed: proof.verificationFailed || hasBegun,
    nowMs: hasBegun ? -Infinity : now().getTime(),
  });
  const policies = hasBegun ? [] : await toPolicies({ signatures, watch }, proof.policies);
  const approved = await toFacts(execution);
  if (kind === 'execute') return hasBegun ? judgePastExecution(approved, plan, digest) : judgeExecutionClaim(approved, plan, digest, { policies, past: untouched, isTargetBusy: false });
  // Nobody signs for a rollback by policy, so what it takes back must have been signed for.
  const unapproved = judgePastExecution(approved, plan, digest);
  if (unapproved !== undefined) return unapproved;
  const facts = await toFacts(rollback ?? { gate: null, decisions: [] });
  const decisionId = facts.decisions[0]?.id;
  return judgeRollbackClaim(facts, digest, decisionId === undefined ? { kind: 'policy' } : { kind: 'decision', decisionId }, policies);
}
