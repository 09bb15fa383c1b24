import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../workers/main.ts', import.meta.url));

/** Sluice's worker as it is started for real, on the test run's Temporal. */
export async function startWorkerProcess(env: Readonly<Record<string, string>>): Promise<{ readonly pid: number; readonly stop: () => Promise<void> }> {
  const child = fork(main, {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, TEMPORAL_ADDRESS: process.env['TEST_TEMPORAL_ADDRESS'], SLUICE_WORKFLOW_BUNDLE: process.env['TEST_WORKFLOW_BUNDLE'], SLUICE_LOG_LEVEL: 'fatal', ...env },
  });
  const ended = once(child, 'exit');
  const isReady = await Promise.race([once(child, 'message').then(() => true), ended.then(() => false)]);
  if (!isReady) throw new Error(`the worker ended with ${child.exitCode}`);
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
