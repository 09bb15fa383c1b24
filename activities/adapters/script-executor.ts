import type { DraftStep } from '../../domain/plan.js';
import { Fault } from '../faults.js';
import type { Executor, Watch } from '../ports.js';

/** Where bash and python run: in the sandbox of a host, or in a Job of a namespace; by what their target is. */
export function createScriptExecutor(watch: Watch, executors: Readonly<Record<'host' | 'kubernetes', Executor>>): Executor {
  function of(workspaceId: string, { type, target: name }: DraftStep): Executor {
    const target = watch.readWorkspace(workspaceId).targets.find((one) => one.name === name);
    if (target?.kind === 'host' || target?.kind === 'kubernetes') return executors[target.kind];
    throw new Fault('targetMissing', `target ${name} is neither a host nor a namespace in sluice.yaml, so nothing runs ${type} on it`);
  }
  return {
    rehearse: async (workspaceId, step) => of(workspaceId, step).rehearse(workspaceId, step),
    snapshot: async (workspaceId, step) => of(workspaceId, step).snapshot(workspaceId, step),
    run: async (workspaceId, change, options) => of(workspaceId, change.step).run(workspaceId, change, options),
    settle: async (workspaceId, change, handle, options) => of(workspaceId, change.step).settle(workspaceId, change, handle, options),
  };
}
