import type { RootCause } from './root-cause.js';
import type { Severity } from './severity.js';
import type { Json } from './canonical.js';
import type { RemediationScript } from './script-library.js';

/** How wide a step's effect can be. */
export type Reach = 'session';

/** One script on one target. `script` holds `$1…$n`; `parameters` are bound, never pasted. */
export interface Step {
  readonly stepId: string;
  readonly type: 'sql';
  readonly target: string;
  readonly script: string;
  readonly parameters: readonly string[];
  readonly reach: Reach;
  readonly wayBack: 'oneWay';
  readonly timeoutMs: number;
}

/** Frozen when validated: people approve its digest, and only that runs. */
export interface Plan {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly version: number;
  readonly title: string;
  readonly scriptId: string;
  readonly risk: Severity;
  readonly estimatedDurationMs: number;
  readonly steps: readonly Step[];
  readonly policyVersion: string;
}

const STEP_TIMEOUT_MS = 30_000;

export interface PlanContext {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly version: number;
  readonly policyVersion: string;
}

/** Aims a library script at each session that the root cause names, one step each. */
export function toPlan(script: RemediationScript, cause: RootCause, context: PlanContext): Plan {
  return {
    ...context,
    title: script.name,
    scriptId: script.id,
    risk: script.risk,
    estimatedDurationMs: script.estimatedDuration,
    steps: cause.sessions.map((session, index) => ({
      stepId: `${index + 1}`,
      type: 'sql',
      target: session.target,
      script: script.command,
      parameters: [`${session.pid}`, session.backendStart],
      reach: 'session',
      wayBack: 'oneWay',
      timeoutMs: STEP_TIMEOUT_MS,
    })),
  };
}

/** Every field of a plan, as the value that its digest is made over. */
export const toDigestible = (plan: Plan): Json => ({ ...plan, steps: plan.steps.map((step) => ({ ...step })) });
