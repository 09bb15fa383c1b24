import { cancellationSignal, sleep } from '@temporalio/activity';
import type { ChangeActivities, Execution, SamplingInput } from '../contracts/activities.js';
import { findAnomalies } from '../domain/anomaly.js';
import { canonicalize } from '../domain/canonical.js';
import { findRootCause } from '../domain/find-root-cause.js';
import type { DraftStep, Plan, Step } from '../domain/plan.js';
import type { Fact, Signal } from '../domain/signal.js';
import { signalId } from '../domain/signal.js';
import { executed, formatMoment } from '../domain/updates.js';
import { findUnwell, toSampleEveryMs } from '../domain/verification.js';
import { attempt } from './attempt.js';
import { type ChangeLog, explainStop, makeChange } from './change-steps.js';
import { sha256, thaw } from './digest.js';
import { Fault } from './faults.js';
import { toPolicies } from './policies.js';
import type { LedgerRow, Ports } from './ports.js';
import { draftPlan } from './propose.js';
import { measureLikeBefore, takeSample } from './sample.js';

// What was slow when the change came still shows for a moment; people should see what came after.
const MAX_FIRST_SAMPLES_MS = 5_000;

type ExecutionInput = Parameters<ChangeActivities['executeRemediation']>[0];

type Run =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly because: string; readonly changed: boolean }
  | Extract<Execution, { kind: 'drifted' | 'refused' | 'stopped' }>;

export function createExecuteActivities(ports: Ports): Pick<ChangeActivities, 'executeRemediation'> {
  const { recorder, executor } = ports;

  /** What has changed since people approved; undefined when the plan still fits. */
  async function measureAgain(plan: Plan, input: Pick<SamplingInput, 'workspaceId' | 'incidentId' | 'before' | 'measurementId'>): Promise<Execution | undefined> {
    const { workspaceId, before } = input;
    const { signals, facts } = await measureLikeBefore(ports, input);
    if (findUnwell(before, signals, facts).length === 0) return { kind: 'recovered' };
    const policies = await toPolicies(ports, await recorder.readPolicies(workspaceId));
    const evidenceValidMs = Math.min(...policies.map((policy) => policy.evidenceValidMs));
    if (ports.now().getTime() - Date.parse(plan.measuredAt) > evidenceValidMs && !(await wouldBeProposed(plan, before, signals, facts))) {
      return { kind: 'drifted', because: `its evidence is of ${formatMoment(new Date(plan.measuredAt))}, and what is measured now does not lead to it` };
    }
    for (const step of plan.steps) {
      const rehearsal = await executor.rehearse(workspaceId, step);
      if (!rehearsal.found) return { kind: 'drifted', because: rehearsal.lines.join('; ') };
      if (rehearsal.pins?.before !== step.pins?.before) return { kind: 'drifted', because: `${step.target} is not as it was when the plan was approved` };
    }
    return undefined;
  }

  /** Whether what is measured now leads to the same steps as the plan has. */
  async function wouldBeProposed(plan: Plan, before: readonly Signal[], signals: readonly Signal[], facts: readonly Fact[]): Promise<boolean> {
    const ids = new Set(before.map(signalId));
    const cause = findRootCause(findAnomalies(signals.filter((signal) => ids.has(signalId(signal)))), facts);
    const draft = cause && (await draftPlan(ports, cause, plan));
    const toText = (steps: readonly DraftStep[]): string => canonicalize(steps.map(({ type, target, script, parameters }) => ({ type, target, script, parameters: [...parameters] })));
    return draft !== undefined && toText(draft.steps) === toText(plan.steps);
  }

  /** The snapshot that the way back of a step needs: taken once, before anything of the plan runs. */
  async function snapshotOf(plan: Plan, step: Step, row: LedgerRow): Promise<string | null> {
    if (step.wayBack.kind === 'oneWay' || row.snapshot !== null) return row.snapshot;
    const snapshot = await executor.snapshot(plan.workspaceId, step);
    if (sha256(snapshot) !== step.pins?.before) throw new Fault('targetChanged', `the snapshot of ${step.target} is not what was approved`);
    await recorder.saveSnapshot(row.key, snapshot, step.wayBack.keptMs);
    return snapshot;
  }

  /** Runs the steps that have not succeeded yet, in order. Stops between steps when cancelled, and at the first that fails. */
  async function runSteps(plan: Plan, rows: ReadonlyMap<string, LedgerRow>, log: ChangeLog, beat: (detail: string) => void): Promise<Run> {
    const rowOf = ({ stepId }: Step): LedgerRow => {
      const row = rows.get(stepId);
      if (row === undefined) throw new Fault('claimMissing', `step ${stepId} was not claimed`);
      return row;
    };
    let changed = [...rows.values()].some(({ handle, state }) => handle !== null && state !== 'void');
    const snapshots = new Map<string, string | null>();
    try {
      for (const step of plan.steps) snapshots.set(step.stepId, await snapshotOf(plan, step, rowOf(step)));
    } catch (error) {
      if (!changed && error instanceof Fault && error.kind === 'targetChanged') return { kind: 'drifted', because: error.message };
      throw error;
    }
    for (const step of plan.steps) {
      const row = rowOf(step);
      if (row.state === 'succeeded') continue;
      if (row.state === 'failed') return { kind: 'failed', because: `step ${step.stepId} had failed before`, changed };
      if (row.state === 'void') return changed ? { kind: 'failed', because: `step ${step.stepId} had been called off`, changed } : { kind: 'refused', because: explainStop('calledOff') };
      if (row.state === 'claimed' && cancellationSignal().aborted) return { kind: 'stopped', changed };
      const change = { kind: 'execute', step, key: row.key, snapshot: snapshots.get(step.stepId) ?? null } as const;
      const keptMs = step.wayBack.kind === 'snapshot' ? step.wayBack.keptMs : 0;
      const result = await makeChange(ports, { plan, change, row, log, keptMs, beat });
      switch (result.kind) {
        case 'done':
          changed = true;
          break;
        case 'conflict':
          // A session that went on by itself once others were ended is nothing that went wrong.
          if (changed && step.pins === null) break;
          return changed ? { kind: 'failed', because: result.summary, changed } : { kind: 'drifted', because: result.summary };
        case 'failed':
          return { kind: 'failed', because: result.summary, changed: changed || result.changed };
        case 'stopped':
          return changed ? { kind: 'failed', because: explainStop(result.because), changed } : { kind: 'refused', because: explainStop(result.because) };
      }
    }
    return { kind: 'done' };
  }

  async function execute({ workspaceId, incidentId, gateId, claimId, digest, before, measurementId, stabilizationMs }: ExecutionInput, beat: (detail: string) => void): Promise<Execution> {
    const stored = await recorder.readPlan(incidentId, digest);
    const plan = stored && thaw(stored.canonical, digest);
    if (plan === undefined) return { kind: 'refused', because: 'the plan in the record is not the one that was approved' };
    const ledger = (await recorder.readLedger(incidentId, digest)).filter((row) => row.kind === 'execute' && row.claimId === claimId);
    const rows = new Map(ledger.map((row) => [row.stepId, row]));
    await recorder.showPhase(incidentId, 'EXECUTION');
    const isFirst = ledger.every(({ state }) => state === 'claimed');
    const moved = isFirst ? await measureAgain(plan, { workspaceId, incidentId, before, measurementId }) : undefined;
    if (moved !== undefined) return moved;

    const log: ChangeLog = { lines: [], linesLeftOut: 0 };
    const run = await runSteps(plan, rows, log, beat);
    if (run.kind !== 'done' && run.kind !== 'failed') return run;
    const span = toSpan((await recorder.readLedger(incidentId, digest)).filter(({ kind }) => kind === 'execute'));
    // The samples are timed by this clock, so the end is too; the record's own clock only tells how long it took.
    const endedAtMs = ports.now().getTime();
    const gate = await recorder.readGate(incidentId, gateId);
    const update = executed({ approvals: gate?.approvals ?? [], output: log.lines, linesLeftOut: log.linesLeftOut, ok: run.kind === 'done', durationMs: span });
    await recorder.recordUpdate(incidentId, `execute:${digest}`, update);
    if (run.kind === 'failed') return { kind: 'failed', because: run.because, changed: run.changed };

    let after: readonly Signal[] = [];
    let sampledMs = 0;
    while (sampledMs < Math.min(MAX_FIRST_SAMPLES_MS, stabilizationMs)) {
      await sleep(toSampleEveryMs(stabilizationMs));
      const sample = await takeSample(ports, { workspaceId, incidentId, planVersion: plan.version, before, measurementId });
      after = sample.signals;
      beat(`sampled ${after.length} signals`);
      sampledMs = ports.now().getTime() - endedAtMs;
    }
    const ids = new Set(before.map(signalId));
    return { kind: 'executed', endedAtMs, after: after.filter((signal) => ids.has(signalId(signal))), sampledMs, update };
  }

  return {
    executeRemediation: (input) =>
      attempt(async (beat): Promise<Execution> => {
        const execution = await execute(input, beat);
        if (execution.kind === 'executed') return execution;
        // Once people hear how it ended nothing may begin any more, not even by a worker that wakes up late.
        const mayHaveChanged = await recorder.settleExecution(input.incidentId, input.digest);
        if (mayHaveChanged && !('changed' in execution && execution.changed)) throw new Error('another worker has begun a step meanwhile; the next attempt looks after it');
        return execution;
      }),
  };
}

/** From the first claim to the last end, in milliseconds by the record's clock. */
export function toSpan(rows: readonly Pick<LedgerRow, 'claimedAt' | 'endedAt'>[]): number {
  const ends = rows.flatMap(({ endedAt }) => (endedAt === null ? [] : [endedAt.getTime()]));
  return ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...rows.map(({ claimedAt }) => claimedAt.getTime()));
}
