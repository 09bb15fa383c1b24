import { cancellationSignal } from '@temporalio/activity';
import type { ChangeActivities, Rollback } from '../contracts/activities.js';
import type { Step } from '../domain/plan.js';
import { rolledBack } from '../domain/updates.js';
import { attempt } from './attempt.js';
import { type ChangeLog, explainStop, makeChange } from './change-steps.js';
import { findRun } from './claim.js';
import { thaw } from './digest.js';
import { toSpan } from './execute.js';
import { Fault } from './faults.js';
import type { LedgerRow, Ports } from './ports.js';

type RollbackInput = Parameters<ChangeActivities['rollBackRemediation']>[0];

export function createRollbackActivities(ports: Ports): Pick<ChangeActivities, 'rollBackRemediation'> {
  const { recorder, executor } = ports;

  /** A worker that was given up may still be about to make the step; from here on it is not. Whether it was made, the target itself shows. */
  async function endWhatIsLost(workspaceId: string, step: Step, run: LedgerRow | undefined): Promise<void> {
    if (run?.state !== 'unknown' || run.handle === null) return;
    const { key, snapshot, handle } = run;
    try {
      await executor.settle(workspaceId, { kind: 'execute', step, key, snapshot }, handle, { signal: cancellationSignal(), onOutput: () => {}, toldLines: 0, drained: async () => {} });
    } catch (error) {
      if (!(error instanceof Fault && error.kind === 'outcomeUnknown')) throw error;
    }
  }

  async function rollBack({ workspaceId, incidentId, claimId, digest, askedBy }: RollbackInput, beat: (detail: string) => void): Promise<Rollback> {
    const stored = await recorder.readPlan(incidentId, digest);
    const plan = stored && thaw(stored.canonical, digest);
    if (plan === undefined) return { kind: 'notRolledBack', because: ['the plan in the record is not the one that was approved'] };
    const ledger = await recorder.readLedger(incidentId, digest);
    const claimed = ledger.filter((row) => row.kind === 'rollback' && row.claimId === claimId);
    const log: ChangeLog = { lines: [], linesLeftOut: 0 };
    for (const step of plan.steps) await endWhatIsLost(workspaceId, step, ledger.find(({ kind, stepId }) => kind === 'execute' && stepId === step.stepId));
    // What was changed last is put back first.
    for (const step of plan.steps.toReversed()) {
      const row = claimed.find(({ stepId }) => stepId === step.stepId);
      const run = findRun(plan, ledger, step.stepId);
      if (row === undefined || run?.handle == null || row.state === 'succeeded') continue;
      const name = `Step ${step.stepId} on ${step.target}`;
      if (run.snapshot === null) return { kind: 'notRolledBack', because: [`${name} was not taken back: its snapshot is not kept any more`] };
      const change = { kind: 'rollback', step, key: row.key, snapshot: run.snapshot, left: run.handle } as const;
      const result = await makeChange(ports, { plan, change, row, log, keptMs: 0, beat });
      if (result.kind === 'stopped') return { kind: 'notRolledBack', because: [`${name}: ${explainStop(result.because)}`] };
      if (result.kind !== 'done') return { kind: 'notRolledBack', because: [`${name} was not taken back: ${result.summary}`] };
    }
    const oneWay = plan.steps.filter(({ stepId, wayBack }) => wayBack.kind === 'oneWay' && ledger.some((row) => row.stepId === stepId && row.handle !== null));
    const durationMs = toSpan((await recorder.readLedger(incidentId, digest)).filter((row) => row.kind === 'rollback'));
    const update = rolledBack({ title: plan.title, askedBy, output: log.lines, oneWay: oneWay.map(({ stepId, target }) => `step ${stepId} on ${target}`), durationMs });
    await recorder.recordUpdate(incidentId, `rollback:${claimId}`, update);
    return { kind: 'rolledBack', update };
  }

  return {
    rollBackRemediation: (input) =>
      attempt(async (beat): Promise<Rollback> => {
        const rollback = await rollBack(input, beat);
        // What people hear of as not taken back must not be taken back behind them.
        if (rollback.kind === 'notRolledBack') await recorder.settleExecution(input.incidentId, input.digest);
        return rollback;
      }),
  };
}
