import { activityInfo, cancellationSignal, sleep } from '@temporalio/activity';
import type { ChangeActivities, Execution } from '../contracts/activities.js';
import type { Plan } from '../domain/plan.js';
import type { Signal } from '../domain/signal.js';
import { executed } from '../domain/updates.js';
import type { Approval } from '../domain/updates.js';
import { findUnwell, toSampleEveryMs } from '../domain/verification.js';
import { attempt } from './attempt.js';
import { thaw, toExecutionKey } from './digest.js';
import { selectTargets } from './detect.js';
import { createOutputWriter } from './output-writer.js';
import type { ExecutionState, Ports } from './ports.js';
import { takeSample } from './sample.js';

const LOG_LINES_IN_UPDATE = 20;
// What was slow when the change came still shows for a moment; people should see what came after.
const MAX_FIRST_SAMPLES_MS = 5_000;

type Claim = { readonly kind: 'claimed'; readonly states: readonly ExecutionState[] } | Extract<Execution, { kind: 'refused' }>;

export function createExecuteActivities(ports: Ports): ChangeActivities {
  const { recorder, executor, detectors, watch } = ports;

  /** Claims every step under the gate, so that no other run of this plan can. */
  async function claim(plan: Plan, gateId: string, digest: string): Promise<Claim> {
    const states: ExecutionState[] = [];
    for (const { stepId } of plan.steps) {
      const key = toExecutionKey(digest, stepId, 'execute');
      const claimed = await recorder.claimExecution({ key, incidentId: plan.incidentId, gateId, digest, stepId });
      if (claimed === undefined) return { kind: 'refused', because: `step ${stepId} was claimed under another gate, or the incident is closed` };
      states.push(claimed.state);
    }
    return { kind: 'claimed', states };
  }

  /** What has changed since people approved; undefined when the plan still fits. */
  async function measureAgain(plan: Plan, before: readonly Signal[]): Promise<Execution | undefined> {
    const names = [...new Set(before.map(({ target }) => target))];
    const { workspaceId, incidentId } = plan;
    const { signals } = await detectors.measure(selectTargets(watch.readWorkspace(workspaceId), names), { workspaceId, incidentId });
    if (findUnwell(before, signals).length === 0) return { kind: 'recovered' };
    for (const step of plan.steps) {
      const { found, lines } = await executor.rehearse(workspaceId, step);
      if (!found) return { kind: 'drifted', because: lines.join('; ') };
    }
    return undefined;
  }

  /** Runs the steps that have not succeeded yet, in order. Stops between steps when cancelled, and at the first that fails. */
  async function runSteps(plan: Plan, digest: string, states: readonly ExecutionState[], beat: (detail: string) => void) {
    const log: string[] = [];
    let linesLeftOut = 0;
    let changed = states.some((state) => state !== 'claimed');
    for (const [index, step] of plan.steps.entries()) {
      if (states[index] === 'succeeded') continue;
      if (states[index] === 'failed') return { kind: 'failed', because: `step ${step.stepId} had failed before`, changed, log, linesLeftOut } as const;
      if (cancellationSignal().aborted) return { kind: 'stopped', changed } as const;
      const key = toExecutionKey(digest, step.stepId, 'execute');
      const writer = createOutputWriter(recorder, plan.incidentId, `output:${key}:${activityInfo().attempt}`);
      // Noted before the call: a lost reply can hide a change that did happen.
      if (!(await recorder.markStarted(key))) return { kind: 'refused', because: 'it was called off before it began' } as const;
      changed = true;
      const { ok, summary } = await executor.run(plan.workspaceId, step, {
        key,
        signal: cancellationSignal(),
        onOutput(line) {
          writer.write(line);
          log.push(line);
          if (log.length > LOG_LINES_IN_UPDATE) {
            log.shift();
            linesLeftOut += 1;
          }
          if ((linesLeftOut + log.length) % 100 === 1) beat(line);
        },
      });
      await writer.close();
      await recorder.markEnded(key, ok ? 'succeeded' : 'failed', summary);
      if (!ok) return { kind: 'failed', because: summary, changed, log, linesLeftOut } as const;
    }
    return { kind: 'done', log, linesLeftOut } as const;
  }

  return {
    executeRemediation: ({ workspaceId, incidentId, gateId, digest, before, stabilizationMs }) =>
      attempt(async (beat): Promise<Execution> => {
        const gate = await recorder.readGate(incidentId, gateId);
        const stored = await recorder.readPlan(incidentId, digest);
        if (gate === undefined || gate.state !== 'approved' || gate.digest !== digest) return { kind: 'refused', because: 'no approved gate for this digest' };
        if (stored === undefined) return { kind: 'refused', because: 'the approved plan is not in the record' };
        const plan = thaw(stored.canonical, digest);
        if (plan === undefined) return { kind: 'refused', because: 'the plan in the record is not the one that was approved' };

        const claimed = await claim(plan, gateId, digest);
        if (claimed.kind === 'refused') return claimed;
        await recorder.showPhase(incidentId, 'EXECUTION');
        const isFirst = claimed.states.every((state) => state === 'claimed');
        const moved = isFirst ? await measureAgain(plan, before) : undefined;
        if (moved !== undefined) return moved;

        const run = await runSteps(plan, digest, claimed.states, beat);
        if (run.kind === 'stopped' || run.kind === 'refused') return run;
        const span = await recorder.readExecutionSpan(incidentId, digest);
        // The samples are timed by this clock, so the end is too; the record's own clock only tells how long it took.
        const endedAtMs = ports.now().getTime();
        const update = tell(gate.approvals, run, span === null ? 0 : span.endedAt.getTime() - span.claimedAt.getTime());
        await recorder.recordUpdate(incidentId, `execute:${digest}`, update);
        if (run.kind === 'failed') return { kind: 'failed', because: run.because, changed: run.changed };

        let after: readonly Signal[] = [];
        let sampledMs = 0;
        while (sampledMs < Math.min(MAX_FIRST_SAMPLES_MS, stabilizationMs)) {
          await sleep(toSampleEveryMs(stabilizationMs));
          const sample = await takeSample(ports, { workspaceId, incidentId, planVersion: plan.version, before });
          after = sample.signals;
          beat(`sampled ${after.length} signals`);
          sampledMs = ports.now().getTime() - endedAtMs;
        }
        return { kind: 'executed', endedAtMs, after: after.filter((signal) => isAmong(signal, before)), sampledMs, update };
      }),
  };
}

const isAmong = ({ target, name }: Signal, before: readonly Signal[]): boolean =>
  before.some((signal) => signal.target === target && signal.name === name);

const tell = (
  approvals: readonly Approval[],
  run: { readonly kind: 'done' | 'failed'; readonly log: readonly string[]; readonly linesLeftOut: number },
  durationMs: number,
) => executed({ approvals, output: run.log, linesLeftOut: run.linesLeftOut, ok: run.kind === 'done', durationMs });
