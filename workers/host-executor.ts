import { fileURLToPath } from 'node:url';
import { createCommandExecutor } from '../activities/adapters/command-executor.js';
import { openHostPrograms } from '../activities/adapters/host-programs.js';
import { findObstacle } from '../activities/adapters/sandbox/bubblewrap.js';
import { createSandboxExecutor } from '../activities/adapters/sandbox/sandbox-executor.js';
import type { ReadSecret } from '../activities/adapters/target-connections.js';
import { Fault } from '../activities/faults.js';
import type { Executor, Host, Watch } from '../activities/ports.js';
import type { StepType } from '../domain/plan.js';

/** The machine that a worker is on: the folder of its runs, and where its programs are. */
export interface Machine {
  readonly runs: string;
  readonly path: string;
  /** What belongs to Sluice, and no script is given. */
  readonly ownFolders: readonly string[];
}

const codeFolder = fileURLToPath(new URL('..', import.meta.url));

/** What acts on hosts, by type of step: in the control worker on its own machine, in an executor worker on that of its queue. */
export function connectHostExecutors(watch: Watch, readSecret: ReadSecret, machine: Machine) {
  const sandbox = createSandboxExecutor(watch, readSecret, { runs: machine.runs, ownFolders: [codeFolder, ...machine.ownFolders] });
  return { command: createCommandExecutor(watch, machine), bash: sandbox, python: sandbox };
}

/** One executor for every step on a host. */
export function connectHostExecutor(watch: Watch, readSecret: ReadSecret, machine: Machine): Executor {
  const executors: Readonly<Partial<Record<StepType, Executor>>> = connectHostExecutors(watch, readSecret, machine);
  const of = (type: StepType): Executor => {
    const executor = executors[type];
    if (executor === undefined) throw new Fault('targetMissing', `an executor worker does not run ${type}`);
    return executor;
  };
  return {
    rehearse: async (workspaceId, step) => of(step.type).rehearse(workspaceId, step),
    snapshot: async (workspaceId, step) => of(step.type).snapshot(workspaceId, step),
    run: async (workspaceId, change, options) => of(change.step.type).run(workspaceId, change, options),
    settle: async (workspaceId, change, handle, options) => of(change.step.type).settle(workspaceId, change, handle, options),
  };
}

/** In words, which programs these hosts need and this machine does not have. */
export async function findLacks(hosts: readonly Host[], { path }: Machine): Promise<readonly string[]> {
  const programs = openHostPrograms(path);
  const needed = [...(hosts.some(({ units }) => units.length > 0) ? (['systemctl'] as const) : []), ...(hosts.some(({ containers }) => containers.length > 0) ? (['docker'] as const) : [])];
  const runsScripts = hosts.some(({ paths, secrets }) => paths.length > 0 || Object.keys(secrets).length > 0);
  const missing = await Promise.all([...needed.map((program) => programs.findMissing(program)), ...(runsScripts ? [findObstacle('bash'), findObstacle('python')] : [])]);
  return [...new Set(missing.flatMap((because) => because ?? []))];
}
