import type { StepType } from '../../domain/plan.js';
import type { Executor } from '../ports.js';

/** One executor for every type of step. */
export function createExecutor(executors: Readonly<Record<StepType, Executor>>): Executor {
  return {
    rehearse: (workspaceId, step) => executors[step.type].rehearse(workspaceId, step),
    snapshot: (workspaceId, step) => executors[step.type].snapshot(workspaceId, step),
    run: (workspaceId, change, options) => executors[change.step.type].run(workspaceId, change, options),
    settle: (workspaceId, change, handle, options) => executors[change.step.type].settle(workspaceId, change, handle, options),
  };
}
