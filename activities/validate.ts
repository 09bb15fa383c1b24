import type { ReasonActivities, Validation } from '../contracts/activities.js';
import { judgeConfidence } from '../domain/confidence.js';
import { judgePlan } from '../domain/policy.js';
import { validateSql } from '../validation/sql/validate-sql.js';
import { attempt } from './attempt.js';
import { freeze } from './digest.js';
import type { Ports } from './ports.js';

export function createValidateActivities({ recorder, executor }: Ports): Pick<ReasonActivities, 'validateRemediation'> {
  return {
    validateRemediation: ({ workspaceId, plan, rootCause }) =>
      attempt(async (): Promise<Validation> => {
        for (const script of new Set(plan.steps.map((step) => step.script))) {
          const { result, findings } = await validateSql(script);
          if (result === 'denied') return { kind: 'denied', because: findings.map(({ rule, reason, remedy }) => `${rule}: ${reason}. ${remedy}`) };
        }
        const rehearsal = [];
        for (const step of plan.steps) {
          const { found, lines } = await executor.rehearse(workspaceId, step);
          if (!found) return { kind: 'drifted', because: lines.join('; ') };
          rehearsal.push({ stepId: step.stepId, lines });
        }
        const records = await recorder.readTrackRecords(workspaceId);
        const confidence = judgeConfidence({
          plan,
          rootCauseConfidence: rootCause.confidence,
          record: records[plan.scriptId] ?? { succeeded: 0, failed: 0 },
          rehearsed: true,
        });
        const ruling = judgePlan(plan, confidence.tier);
        if (ruling.kind === 'forbid') return { kind: 'denied', because: [ruling.because] };
        const { canonical, digest } = freeze(plan);
        await recorder.savePlan({ plan, category: rootCause.category, digest, canonical, confidence, rehearsal });
        return { kind: 'allowed', digest, confidence, ruling };
      }),
  };
}
