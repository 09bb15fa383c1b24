import { assertNever } from './assert-never.js';
import type { Finding } from './finding.js';
import type { Ruling } from './policy.js';
import type { Reach, WayBack } from './reach.js';
import type { Aim, AimValues } from './root-cause.js';
import { isTextFromOutside } from './root-cause.js';
import type { Severity } from './severity.js';
import { isAtLeastAsSevere } from './severity.js';
import type { Json } from './canonical.js';
import type { Tier } from './confidence.js';
import type { RemediationScript, ScriptType } from './script-library.js';
import { fillCommand } from './script-library.js';

export const stepTypes = ['sql', 'config-patch', 'kubernetes', 'kubectl', 'command', 'bash', 'python'] as const;
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
 * One script on one target, as it was proposed. SQL has its `parameters` bound as `$1…$n`, never pasted; bash and python get them as arguments.
 * The script of a config-patch is a JSON Patch (RFC 6902), that of `kubernetes` a manifest that is applied, that of `kubectl` or `command`
 * one command line, which no shell ever reads.
 */
export interface DraftStep {
  readonly stepId: string;
  readonly type: StepType;
  readonly target: string;
  readonly script: string;
  readonly parameters: readonly string[];
  readonly timeoutMs: number;
  /** The executor worker that runs it, by the name of its queue; null where the control worker does. */
  readonly queue: string | null;
  /** What bash and python run in; null for every other type. */
  readonly sandbox: Sandbox | null;
}

/** What a script is given, and how much it may take. Sizes are bytes. */
export interface Sandbox {
  /** Files and folders of the host that it may change, absolute; what else it writes is gone with it. */
  readonly paths: readonly string[];
  /** The secrets that it finds as files below /run/secrets, by the names that the target gives them. */
  readonly secrets: readonly string[];
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly processes: number;
  /** What it prints beyond this is not kept. */
  readonly outputBytes: number;
}

/** A step that its validator allowed. */
export interface ValidStep extends DraftStep {
  readonly reach: Reach;
  /** What could not be inspected, or is risky: where there is any, two people approve. */
  readonly findings: readonly Finding[];
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
const MiB = 1_048_576;
const sandboxLimits = { memoryBytes: 512 * MiB, diskBytes: 64 * MiB, processes: 64, outputBytes: 256 * MiB };

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
    risk: runsUninspected(script) ? toHigher(script.risk, 'HIGH') : script.risk,
    estimatedDurationMs: script.estimatedDuration,
    steps: aims.map((aim, index) => ({ stepId: `${index + 1}`, target: aim.target, queue: null, ...toScriptStep(script, aim.values) })),
  };
}

// What nobody can inspect is never done by habit.
const runsUninspected = ({ type }: RemediationScript): boolean => type === 'BASH' || type === 'PYTHON';
const toHigher = (one: Severity, other: Severity): Severity => (isAtLeastAsSevere(one, other) ? one : other);

/** The type of the steps that a script of the library becomes. */
export const stepTypeOf = { SQL: 'sql', KUBECTL: 'kubectl', SHELL: 'command', BASH: 'bash', PYTHON: 'python' } as const satisfies Readonly<Record<ScriptType, StepType>>;

/** Values are bound, or are arguments; in a command line, where neither is possible, they fill its placeholders as whole words. */
function toScriptStep({ type, command, parameters, paths, secrets, timeoutMs }: RemediationScript, values: AimValues): Pick<DraftStep, 'type' | 'script' | 'parameters' | 'timeoutMs' | 'sandbox'> {
  const arguments_ = parameters.map((name) => values[name] ?? '');
  switch (type) {
    case 'SQL':
      return { type: stepTypeOf[type], script: command, parameters: arguments_, timeoutMs, sandbox: null };
    case 'KUBECTL':
      return { type: stepTypeOf[type], script: fillCommand(command, values), parameters: [], timeoutMs, sandbox: null };
    case 'SHELL':
      return { type: stepTypeOf[type], script: fillCommand(command, values), parameters: [], timeoutMs, sandbox: null };
    case 'BASH':
      return { type: stepTypeOf[type], script: command, parameters: arguments_, timeoutMs, sandbox: { paths, secrets, ...sandboxLimits } };
    case 'PYTHON':
      return { type: stepTypeOf[type], script: command, parameters: arguments_, timeoutMs, sandbox: { paths, secrets, ...sandboxLimits } };
    default:
      return assertNever(type);
  }
}

/** Puts back what changed since it last worked, one step for each file or object. */
export function toRestoringPlan(aims: readonly Extract<Aim, { kind: 'restore' }>[], context: PlanContext): DraftPlan {
  return {
    ...context,
    title: 'Restore Last Known Good Configuration',
    scriptId: null,
    authors: [],
    derivedFromText: false,
    risk: 'MEDIUM',
    estimatedDurationMs: 1_000,
    steps: aims.map(({ target, type, script }, index) => ({ stepId: `${index + 1}`, type, target, script, parameters: [], timeoutMs: STEP_TIMEOUT_MS, queue: null, sandbox: null })),
  };
}

/** Every field of a plan, as the value that its digest is made over. */
export const toDigestible = (plan: Plan): Json => ({
  ...plan,
  authors: [...plan.authors],
  ruling: { ...plan.ruling },
  steps: plan.steps.map((step) => ({
    ...step,
    findings: step.findings.map((finding) => ({ ...finding })),
    sandbox: step.sandbox === null ? null : { ...step.sandbox },
    wayBack: { ...step.wayBack },
    pins: step.pins === null ? null : { ...step.pins },
  })),
});

/** What of a plan can be taken back, and whether that leaves nothing changed. */
export const toReversibility = ({ steps }: Pick<Plan, 'steps'>): { readonly hasWayBack: boolean; readonly isFullyReversible: boolean } => ({
  hasWayBack: steps.some(({ wayBack }) => wayBack.kind === 'snapshot'),
  isFullyReversible: steps.every(({ wayBack }) => wayBack.kind === 'snapshot'),
});
