import type { Ruling } from './policy.js';
import type { Reach, WayBack } from './reach.js';
import type { Aim } from './root-cause.js';
import { isTextFromOutside } from './root-cause.js';
import type { Severity } from './severity.js';
import type { Json } from './canonical.js';
import type { Tier } from './confidence.js';
import type { RemediationScript } from './script-library.js';

export const stepTypes = ['sql', 'config-patch'] as const;
export type StepType = (typeof stepTypes)[number];

/**
 * SHA-256 (hex) of what a step touches as it was rehearsed, and of what it will leave; null where that shows only when it runs.
 * What is hashed is the snapshot, as UTF-8: for a file that is its bytes, for rows their snapshot's text. So whoever keeps a snapshot can check it.
 */
export interface Pins {
  readonly before: string;
  readonly after: string | null;
}

/**
 * One script on one target, as it was proposed. SQL has its `parameters` bound as `$1…$n`, never pasted;
 * the script of a config-patch is a JSON Patch (RFC 6902).
 */
export interface DraftStep {
  readonly stepId: string;
  readonly type: StepType;
  readonly target: string;
  readonly script: string;
  readonly parameters: readonly string[];
  readonly timeoutMs: number;
}

/** A step that its validator allowed. */
export interface ValidStep extends DraftStep {
  readonly reach: Reach;
}

/** A step as it is approved: rehearsed, with its way back. `pins` is null where repeating the step is harmless. */
export interface Step extends ValidStep {
  readonly wayBack: WayBack;
  readonly pins: Pins | null;
}

export interface DraftPlan {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly version: number;
  readonly title: string;
  /** null where it restores what was there before and needs no script of the library. */
  readonly scriptId: string | null;
  readonly risk: Severity;
  readonly estimatedDurationMs: number;
  readonly steps: readonly DraftStep[];
  /** People who wrote what would run; they do not approve it. Empty where Sluice itself did. */
  readonly authors: readonly string[];
  /** Whether any of it is text that somebody outside could choose. */
  readonly derivedFromText: boolean;
  /** When its evidence was measured, RFC 3339. */
  readonly measuredAt: string;
}

/** Frozen when validated: people approve its digest, and only that runs. */
export interface Plan extends DraftPlan {
  readonly steps: readonly Step[];
  readonly tier: Tier;
  /** That of the policy when it was frozen. */
  readonly policyVersion: number;
  /** Who must agree, by that policy. */
  readonly ruling: Exclude<Ruling, { kind: 'forbid' }>;
}

const STEP_TIMEOUT_MS = 30_000;

export interface PlanContext {
  readonly workspaceId: string;
  readonly incidentId: string;
  readonly version: number;
  readonly measuredAt: string;
}

/** Aims a library script at each object that the root cause names, one step each. */
export function toPlan(script: RemediationScript, aims: readonly Extract<Aim, { kind: 'values' }>[], context: PlanContext): DraftPlan {
  return {
    ...context,
    title: script.name,
    scriptId: script.id,
    authors: script.createdBy === null ? [] : [script.createdBy],
    derivedFromText: script.parameters.some((name) => isTextFromOutside[name]),
    risk: script.risk,
    estimatedDurationMs: script.estimatedDuration,
    steps: aims.map(({ target, values }, index) => ({
      stepId: `${index + 1}`,
      type: 'sql',
      target,
      script: script.command,
      parameters: script.parameters.map((name) => values[name] ?? ''),
      timeoutMs: STEP_TIMEOUT_MS,
    })),
  };
}

/** Puts back what changed since it last worked, one step for each file. */
export function toRestoringPlan(aims: readonly Extract<Aim, { kind: 'restore' }>[], context: PlanContext): DraftPlan {
  return {
    ...context,
    title: 'Restore Last Known Good Configuration',
    scriptId: null,
    authors: [],
    derivedFromText: false,
    risk: 'MEDIUM',
    estimatedDurationMs: 1_000,
    steps: aims.map(({ target, patch }, index) => ({ stepId: `${index + 1}`, type: 'config-patch', target, script: patch, parameters: [], timeoutMs: STEP_TIMEOUT_MS })),
  };
}

/** Every field of a plan, as the value that its digest is made over. */
export const toDigestible = (plan: Plan): Json => ({
  ...plan,
  authors: [...plan.authors],
  ruling: { ...plan.ruling },
  steps: plan.steps.map((step) => ({ ...step, wayBack: { ...step.wayBack }, pins: step.pins === null ? null : { ...step.pins } })),
});

/** What of a plan can be taken back, and whether that leaves nothing changed. */
export const toReversibility = ({ steps }: Pick<Plan, 'steps'>): { readonly hasWayBack: boolean; readonly isFullyReversible: boolean } => ({
  hasWayBack: steps.some(({ wayBack }) => wayBack.kind === 'snapshot'),
  isFullyReversible: steps.every(({ wayBack }) => wayBack.kind === 'snapshot'),
});
