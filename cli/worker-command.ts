import { WrongSettings } from '../contracts/settings.js';
import { WrongSluiceYaml } from '../contracts/sluice-yaml.js';
import { NotLetIn } from '../workers/executor/executor-api.js';
import { runExecutorWorker } from '../workers/executor/run-executor-worker.js';
import { Refused, type Surroundings } from './surroundings.js';

/** Serves one queue until it is interrupted or told to end. */
export async function runWorker({ env, interrupted, untilToldToEnd, sayReady, complain }: Surroundings, queue: string): Promise<void> {
  const stopping = AbortSignal.any([interrupted, untilToldToEnd()]);
  try {
    await runExecutorWorker(queue, env, stopping, () => {
      complain(`Waiting for what the queue ${queue} is asked`);
      sayReady();
    });
  } catch (error) {
    if (error instanceof WrongSettings || error instanceof WrongSluiceYaml || error instanceof NotLetIn) throw new Refused(error.message, { cause: error });
    throw error;
  }
}
