import type { Confidence } from '../domain/confidence.js';
import type { GateOpening } from '../domain/gate.js';
import type { Outcome, Phase, UpdateDraft } from '../domain/incident.js';
import type { ExecutionState } from '../domain/execution.js';
import type { ClaimFacts, ClaimRefusal, RecordedDecision, SignedDecision } from '../domain/grant.js';
import type { KnownContent } from '../domain/last-known-good.js';
import type { NotificationKind } from '../domain/notification.js';
import type { Past, Policy } from '../domain/policy.js';
import type { DraftStep, Pins, Plan, Step, ValidStep } from '../domain/plan.js';
import type { WayBack } from '../domain/reach.js';
import type { RootCause } from '../domain/root-cause.js';
import type { RemediationScript, TrackRecord } from '../domain/script-library.js';
import type { Severity } from '../domain/severity.js';
import type { Measurement, Signal } from '../domain/signal.js';
import type { Approval } from '../domain/updates.js';
import type { Target, Workspace } from '../domain/watch.js';
import type { GateReading, IncidentRef } from '../contracts/activities.js';
import type { ScriptValidation } from '../validation/script-validation.js';

export type ConfigFile = Extract<Target, { kind: 'config-file' }>;
export type KubernetesTarget = Extract<Target, { kind: 'kubernetes' }>;
export type Host = Extract<Target, { kind: 'host' }>;

/** What has a configuration whose last known good is kept. */
export type Configured = ConfigFile | KubernetesTarget;

/** A configuration as it is now, and the SHA-256 that tells it from others; or why it cannot be called good, whatever is measured. */
export type ConfigurationReading = { readonly kind: 'read'; readonly content: string; readonly hash: string } | { readonly kind: 'unreadable'; readonly because: string };

/** Measures targets. What cannot be measured comes back as a signal without a value and a fact that says why; it does not throw. */
export interface Detectors {
  measure(targets: readonly Target[], context: { readonly workspaceId: string; readonly incidentId: string | null }): Promise<Measurement>;
  /** Does not throw. */
  readConfiguration(target: Configured): Promise<ConfigurationReading>;
}

/** A way back before policy has said how long it is kept. */
export type Unkept = Exclude<WayBack, { kind: 'snapshot' }> | Omit<Extract<WayBack, { kind: 'snapshot' }>, 'keptMs'>;

/** What a step would touch, a line each, read without effect. `pins` are null where repeating the step is harmless. */
export type Rehearsal =
  | { readonly found: true; readonly lines: readonly string[]; readonly wayBack: Unkept; readonly pins: Pins | null }
  /** What the step aims at is not there, or not as the step expects it. */
  | { readonly found: false; readonly lines: readonly string[] };

/** One change of one target: a step, or taking it back. `key` is its identity, 32 hex digits. */
export type Change =
  | { readonly kind: 'execute'; readonly step: Step; readonly key: string; /** null where there is no way back. */ readonly snapshot: string | null }
  | { readonly kind: 'rollback'; readonly step: Step; readonly key: string; readonly snapshot: string; /** The handle that the step noted when it ran. */ readonly left: string };

export type ChangeResult =
  | { readonly kind: 'done'; readonly summary: string }
  /** The target is not as it must be for this change: not as it was rehearsed, or not as the step left it. Nothing was changed. */
  | { readonly kind: 'conflict'; readonly summary: string }
  /** The target said no, or it did not come to what it should. */
  | { readonly kind: 'failed'; readonly summary: string; readonly changed: boolean };

/** Thrown out of `begin`: the change was called off, so it must not be made. */
export class CalledOff extends Error {
  override readonly name = 'CalledOff';
}

export interface ChangeOptions {
  /**
   * Notes durably that from now on the change may have had its effect, with what `settle` needs to find out whether it did.
   * Call it exactly once, immediately before the one call that makes the change. Let what it throws through, with nothing changed.
   */
  readonly begin: (handle: string) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onOutput: (line: string) => void;
  /** How many lines of this change are in the tail already. Whoever reads its output once more leaves so many out. */
  readonly toldLines: number;
  /** Resolves when what was told is stored. Whoever has much to tell waits for it now and then. */
  readonly drained: () => Promise<void>;
}

/** Makes steps on targets happen at most once, and takes them back. */
export interface Executor {
  /** Reads what the step would touch; has no effect. */
  rehearse(workspaceId: string, step: ValidStep): Promise<Rehearsal>;
  /**
   * What the step will touch, as it is now; whole, or it throws. Its SHA-256 is `step.pins.before`, else it throws `Fault('targetChanged')`.
   * Only for steps whose way back is a snapshot.
   */
  snapshot(workspaceId: string, step: Step): Promise<string>;
  /** Makes a change that has not begun. */
  run(workspaceId: string, change: Change, options: ChangeOptions): Promise<ChangeResult>;
  /**
   * What became of a change that had begun under `handle`, after whoever made it was lost. Waits for one that is still going on.
   * `notDone`: it had no effect and never will, so it may be made. Throws `Fault('outcomeUnknown')` when nobody can tell.
   */
  settle(workspaceId: string, change: Change, handle: string, options: Omit<ChangeOptions, 'begin'>): Promise<ChangeResult | { readonly kind: 'notDone' }>;
}

/** What is watched, as it is configured now. Throws `Fault('targetMissing')` for what is not there. */
export interface Watch {
  readWorkspace(workspaceId: string): Workspace;
}

/** One row of the ledger. */
export interface LedgerRow {
  readonly key: string;
  readonly kind: Change['kind'];
  readonly claimId: string;
  readonly stepId: string;
  readonly state: ExecutionState;
  readonly snapshot: string | null;
  readonly snapshotKeptUntil: Date | null;
  readonly handle: string | null;
  readonly claimedAt: Date;
  readonly endedAt: Date | null;
}

export interface ClaimRequest extends IncidentRef {
  readonly kind: Change['kind'];
  readonly claimId: string;
  readonly digest: string;
  /** The gate, or for a rollback that a person asked for, the decision. */
  readonly grant: { readonly kind: 'gate' | 'decision'; readonly id: string };
}

/** A policy as the record has it; `signature` is null where nobody but sluice.yaml put it there. */
export interface PolicyRecord {
  readonly workspaceId: string;
  readonly version: number;
  readonly policy: Policy;
  readonly signature: string | null;
}

/** The newest policy, and before it all that carry a signature, newest first. */
export type PolicyRecords = readonly [PolicyRecord, ...PolicyRecord[]];

/** What the record says at the moment of a claim, all of it locked. */
export interface ClaimRecord {
  readonly gate: ClaimFacts['gate'];
  readonly decisions: readonly { readonly id: string; readonly verdict: RecordedDecision['verdict']; readonly person: string; readonly signature: string }[];
  /** The approved plan's text. */
  readonly canonical: string | undefined;
  readonly killSwitchOn: boolean;
  readonly isClosed: boolean;
  readonly verificationFailed: boolean;
  readonly now: Date;
  /** Every row of the ledger for this digest. */
  readonly ledger: readonly LedgerRow[];
  /** As they are at this moment. */
  readonly policies: PolicyRecords;
  /** What was done to the plan's targets before, as far back as any of these policies looks, and whether another incident is changing one; nobody else claims them meanwhile. */
  readonly lookAround: (plan: Plan, policies: readonly Policy[]) => Promise<{ readonly past: Past; readonly isTargetBusy: boolean }>;
}

export type Judgement =
  | { readonly kind: 'granted'; readonly steps: readonly { readonly key: string; readonly stepId: string; readonly target: string }[] }
  | { readonly kind: 'refused'; readonly because: ClaimRefusal };

/** Why a change may not begin. */
export type Beginning = 'begun' | 'calledOff' | 'killSwitch';

/** Whom to notify of an update, by the names of channels. */
export interface Tell {
  readonly workspaceId: string;
  readonly kind: NotificationKind;
  readonly gateId: string | null;
  readonly channels: readonly string[];
}

export interface OutputRow {
  readonly key: string;
  readonly event: 'output';
  readonly body: { readonly output: { readonly stream: 'stdout' | 'stderr'; readonly text: string; readonly firstLine: number } };
}

/** A gate as it stands in the record, with every decision of its incident: each proves only what its signature says. */
export interface GateRecord extends Omit<GateReading, 'decisionIds'> {
  readonly digest: string | null;
  readonly planVersion: number | null;
  readonly decisions: readonly { readonly id: string; readonly signature: string }[];
}

/** The record of incidents. Every write may be repeated and then changes nothing. */
export interface Recorder {
  /** `tell`: whom to notify of it. */
  recordUpdate(incidentId: string, key: string, update: UpdateDraft, tell?: Tell): Promise<void>;
  /** Shows what is being done now, in lists and on the page; the tail says it when it is done. */
  showPhase(incidentId: string, phase: Phase): Promise<void>;
  appendOutput(incidentId: string, rows: readonly OutputRow[]): Promise<void>;
  /** How many lines of the output of this change are stored. */
  countOutputLines(incidentId: string, key: string): Promise<number>;
  saveMeasurement(row: {
    readonly id: string;
    readonly incidentId: string;
    readonly purpose: 'detection' | 'recheck' | 'verification';
    readonly planVersion: number;
    readonly measurement: Measurement;
  }): Promise<void>;
  readMeasurement(id: string): Promise<Measurement | undefined>;
  readSamples(incidentId: string, planVersion: number): Promise<readonly Measurement[]>;
  setSeverity(incidentId: string, severity: Severity, score: number): Promise<void>;
  setRootCause(incidentId: string, rootCause: RootCause): Promise<void>;
  listScripts(workspaceId: string): Promise<readonly RemediationScript[]>;
  readTrackRecords(workspaceId: string): Promise<Readonly<Record<string, TrackRecord>>>;
  /** One more than any plan of the incident has, from whatever run of its workflow. */
  nextPlanVersion(incidentId: string): Promise<number>;
  savePlan(row: {
    readonly plan: Plan;
    readonly category: RootCause['category'];
    readonly digest: string;
    readonly canonical: string;
    readonly confidence: Confidence;
    readonly rehearsal: readonly { readonly stepId: string; readonly lines: readonly string[] }[];
  }): Promise<void>;
  readPlan(incidentId: string, digest: string): Promise<{ readonly version: number; readonly canonical: string } | undefined>;
  markVerified(incidentId: string, planVersion: number, verifiedWell: boolean): Promise<void>;
  openGate(ref: IncidentRef, gate: GateOpening, update: UpdateDraft, tell?: Tell): Promise<void>;
  /** The newest policy. */
  readPolicy(workspaceId: string): Promise<PolicyRecord>;
  readPolicies(workspaceId: string): Promise<PolicyRecords>;
  /** What was done before to the targets of a plan, as far back as any of these policies looks. */
  readPast(plan: Pick<Plan, 'workspaceId' | 'incidentId' | 'scriptId' | 'steps'>, policies: readonly Policy[]): Promise<Past>;
  settleGate(incidentId: string, gateId: string, state: 'expired' | 'withdrawn'): Promise<void>;
  readGate(incidentId: string, gateId: string): Promise<GateRecord | undefined>;
  readCancellation(incidentId: string, decisionId: string): Promise<{ readonly approval: Approval; readonly signature: string } | undefined>;
  /** In one transaction: reads and locks, lets `judge` judge, writes the claim or its refusal down. The same claim again finds itself. */
  claim(request: ClaimRequest, judge: (record: ClaimRecord) => Promise<Judgement>): Promise<Judgement>;
  readLedger(incidentId: string, digest: string): Promise<readonly LedgerRow[]>;
  /** The newest plan of which a step began and was not taken back, with the incident's last detection; undefined where there is none. */
  readEarlierRun(incidentId: string): Promise<{ readonly digest: string; readonly canonical: string; readonly measurementId: string; readonly signals: readonly Signal[] } | undefined>;
  /** Who let a plan of the incident run alone, once it was claimed. */
  listGlassBreakers(incidentId: string): Promise<readonly string[]>;
  /** `keptMs` is how long from now on. */
  saveSnapshot(key: string, snapshot: string, keptMs: number): Promise<void>;
  /** Notes that the change may have its effect from now on. `seen` is the handle that the row had when this attempt looked: whoever came later goes on. */
  begin(key: string, handle: string, seen: string | null): Promise<Beginning>;
  /** `void`: it had no effect and never will. `keptMs` is how long its snapshot is kept from now on; `handle` the one that this attempt knows it by. */
  end(key: string, state: 'succeeded' | 'failed' | 'void', result: string, keptMs: number, handle: string | null): Promise<void>;
  settleExecution(incidentId: string, digest: string): Promise<boolean>;
  closeRollback(ref: IncidentRef, decisionId: string, update: UpdateDraft, rolledBack: boolean): Promise<void>;
  close(incidentId: string, outcome: Outcome, update: UpdateDraft): Promise<void>;
  openFromSweep(opening: {
    readonly id: string;
    readonly workspaceId: string;
    readonly trigger: 'schedule';
    readonly title: string;
    readonly fingerprint: string;
    readonly startedBy: null;
    readonly labels: Readonly<Record<string, string>>;
    readonly targets: readonly string[];
    readonly severityThreshold: Severity;
    readonly severity: Severity;
    /** What people closed so lately is left alone. */
    readonly cooldownMs: number;
  }): Promise<{ readonly incidentId: string | null; readonly isNew: boolean }>;
  tellWell(workspaceId: string, unwellTargets: readonly string[], wellTargets: readonly string[]): Promise<void>;
  /** What is known of the contents that a configuration had. */
  listKnownContents(workspaceId: string, target: string): Promise<readonly KnownContent[]>;
  /** Notes that all was well with this content, and that no other is in place any more. */
  noteWell(workspaceId: string, target: string, known: KnownContent & { readonly content: string }): Promise<void>;
  /** Notes that not all is well: what is to be good must begin anew. */
  noteUnwell(workspaceId: string, target: string): Promise<void>;
}

/** What a signature says, where it is of a key of ours; undefined for any other text. */
export interface Signatures {
  readDecision(signature: string): Promise<SignedDecision | undefined>;
  /** Whether a key of ours signed this very policy. */
  isPolicySigned(policy: PolicyRecord): Promise<boolean>;
}

export interface Ports {
  /** Judges a step by the rules of `validation/`, in a thread of its own. */
  readonly judgeStep: (step: DraftStep) => Promise<ScriptValidation>;
  readonly signatures: Signatures;
  readonly detectors: Detectors;
  readonly executor: Executor;
  readonly watch: Watch;
  readonly recorder: Recorder;
  readonly now: () => Date;
}
