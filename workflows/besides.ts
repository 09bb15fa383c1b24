import { ActivityFailure, CancellationScope, isCancellation } from '@temporalio/workflow';

/** Runs `work` for as long as `main` takes, and stops it then. What becomes of it, its failure included, does not matter to `main`. */
export async function besides<Result>(work: () => Promise<unknown>, main: () => Promise<Result>): Promise<Result> {
  const scope = new CancellationScope();
  const running = scope.run(work).catch((error: unknown) => {
    if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error;
  });
  try {
    return await main();
  } finally {
    scope.cancel();
    await running;
  }
}
