import type { TrackRecord } from './script-library.js';
import { toSuccessRate } from './script-library.js';
import type { Severity } from './severity.js';

export type Tier = 'HIGH' | 'MEDIUM' | 'LOW';

export interface Confidence {
  /** 0 to 100. */
  readonly value: number;
  readonly tier: Tier;
  readonly factors: readonly { readonly name: string; readonly points: number }[];
}

const riskPoints: Record<Severity, number> = { LOW: 5, MEDIUM: 0, HIGH: -10, CRITICAL: -20 };

/** Computes how sure we are of a plan from named factors. What limits it caps it: a LOW root cause at 49, a MEDIUM one or more than one step at 79. */
export function judgeConfidence(input: {
  readonly plan: { readonly scriptId: string | null; readonly risk: Severity; readonly steps: readonly unknown[] };
  readonly rootCauseConfidence: number;
  readonly record: TrackRecord;
  readonly rehearsed: boolean;
}): Confidence {
  const factors = [
    { name: 'root cause', points: Math.round(input.rootCauseConfidence / 2) },
    { name: input.plan.scriptId === null ? 'restores what last worked' : 'library script', points: 20 },
    { name: 'rehearsal found every object', points: input.rehearsed ? 15 : 0 },
    { name: 'past runs', points: Math.round(10 * toSuccessRate(input.record)) },
    { name: 'risk', points: riskPoints[input.plan.risk] },
  ];
  const sum = factors.reduce((total, { points }) => total + points, 0);
  const cap = input.rootCauseConfidence < 50 ? 49 : input.rootCauseConfidence < 80 || input.plan.steps.length > 1 ? 79 : 100;
  const value = Math.max(0, Math.min(sum, cap));
  return { value, tier: value >= 80 ? 'HIGH' : value >= 50 ? 'MEDIUM' : 'LOW', factors };
}
