import type { ReasonActivities, Validation } from '../contracts/activities.js';
import { judgeConfidence } from '../domain/confidence.js';
import type { DraftStep, Plan, Step } from '../domain/plan.js';
import { judgeUnder } from '../domain/policy.js';
import { findRedacted } from '../domain/redaction.js';
import { attempt } from './attempt.js';
import { freeze } from './digest.js';
import { toPolicies } from './policies.js';
import type { Ports } from './ports.js';

export function createValidateActivities(ports: Ports): Pick<ReasonActivities, 'validateRemediation'> {
  const { recorder, executor, judgeStep } = ports;
  return {
    validateRemediation: ({ workspaceId, plan, rootCause }) =>
      attempt(async (): Promise<Validation> => {
        const recorded = await recorder.readPolicies(workspaceId);
        const [now] = recorded;
        const policies = await toPolicies(ports, recorded);
        const steps: Step[] = [];
        const rehearsal = [];
        for (const draft of plan.steps) {
          const secret = findSecret(draft);
          if (secret !== undefined) return { kind: 'denied', because: [explainSecret(draft, secret)] };
          const verdict = await judgeStep(draft);
          if (verdict.result === 'denied') return { kind: 'denied', because: verdict.findings.map(({ rule, reason, remedy }) => `${rule}: ${reason}. ${remedy}`) };
          const step = { ...draft, reach: verdict.reach, findings: verdict.findings };
          const rehearsed = await executor.rehearse(workspaceId, step);
          const { lines } = rehearsed;
          if (!rehearsed.found) return { kind: 'drifted', because: lines.join('; ') };
          const { wayBack, pins } = rehearsed;
          steps.push({ ...step, wayBack: wayBack.kind === 'oneWay' ? wayBack : { ...wayBack, keptMs: now.policy.snapshotKeptMs }, pins });
          rehearsal.push({ stepId: draft.stepId, lines });
        }
        const records = await recorder.readTrackRecords(workspaceId);
        const confidence = judgeConfidence({
          plan: { ...plan, steps },
          rootCauseConfidence: rootCause.confidence,
          record: (plan.scriptId === null ? undefined : records[plan.scriptId]) ?? { succeeded: 0, failed: 0 },
          rehearsed: true,
        });
        const { tier } = confidence;
        const past = await recorder.readPast({ ...plan, steps }, policies);
        const ruling = judgeUnder({ ...plan, steps }, tier, policies, past);
        if (ruling.kind === 'forbid') return { kind: 'denied', because: [ruling.because] };
        const frozen: Plan = { ...plan, steps, tier, policyVersion: now.version, ruling };
        const { canonical, digest } = freeze(frozen);
        await recorder.savePlan({ plan: frozen, category: rootCause.category, digest, canonical, confidence, rehearsal });
        return { kind: 'allowed', plan: frozen, digest, confidence };
      }),
  };
}

/** The name of a secret that the step's text held: what comes here has no secrets any more, but marks where they stood. */
const findSecret = ({ script, parameters }: DraftStep): string | undefined => [script, ...parameters].map(findRedacted).find((name) => name !== undefined);

const explainSecret = ({ stepId }: DraftStep, name: string): string =>
  `secretInScript: step ${stepId} would hold the value of the secret ${name}, and a plan is stored and shown to people. Make this change by hand, or write a script that is given the secret and reads it from its file`;
