import type { TrackRecord } from './script-library.js';
import { toSuccessRate } from './script-library.js';
import type { Severity } from './severity.js';

export type Tier = 'HIGH' | 'MEDIUM' | 'LOW';

export interface Confidence {
  /** 0 to 100. */
  readonly value: number;
  readonly tier: Tier;
  readonly factors: readonly { readonly name: string; readonly points: number }[];
  /** What it can be at most, and why; the sum of the factors is cut to the lowest. */
  readonly caps: readonly { readonly name: string; readonly atMost: number }[];
}

const riskPoints: Record<Severity, number> = { LOW: 5, MEDIUM: 0, HIGH: -10, CRITICAL: -20 };

/** Computes how sure we are of a plan from named factors, and caps it by what limits it. */
export function judgeConfidence(input: {
  readonly plan: { readonly scriptId: string | null; readonly risk: Severity; readonly steps: readonly { readonly findings: readonly unknown[] }[] };
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
  const { steps } = input.plan;
  const caps = [
    { name: 'the root cause is a guess', atMost: 49, holds: input.rootCauseConfidence < 50 },
    { name: 'the root cause is not certain', atMost: 79, holds: input.rootCauseConfidence >= 50 && input.rootCauseConfidence < 80 },
    { name: 'more than one step', atMost: 79, holds: steps.length > 1 },
    { name: 'not all of it could be inspected', atMost: 79, holds: steps.some(({ findings }) => findings.length > 0) },
  ].flatMap(({ holds, ...cap }) => (holds ? [cap] : []));
  const value = Math.max(0, Math.min(sum, ...caps.map(({ atMost }) => atMost), 100));
  return { value, tier: value >= 80 ? 'HIGH' : value >= 50 ? 'MEDIUM' : 'LOW', factors, caps };
}
