import type { DraftStep, StepType } from '../../domain/plan.js';
import type { Executor } from '../ports.js';

/** One executor for every step: by its type, or by the executor worker that it names. */
export function createExecutor(executors: Readonly<Record<StepType, Executor>>, remote: Executor): Executor {
  const of = ({ type, queue }: DraftStep): Executor => (queue === null ? executors[type] : remote);
  return {
    rehearse: (workspaceId, step) => of(step).rehearse(workspaceId, step),
    snapshot: (workspaceId, step) => of(step).snapshot(workspaceId, step),
    run: (workspaceId, change, options) => of(change.step).run(workspaceId, change, options),
    settle: (workspaceId, change, handle, options) => of(change.step).settle(workspaceId, change, handle, options),
  };
}
