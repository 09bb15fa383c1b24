import { CancellationScope, isCancellation } from '@temporalio/workflow';

/** Runs `work` for as long as `main` takes. What the work answers does not matter, and it is stopped when `main` is done. */
export async function besides<Result>(work: () => Promise<unknown>, main: () => Promise<Result>): Promise<Result> {
  const scope = new CancellationScope();
  const running = scope.run(work).catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  try {
    return await main();
  } finally {
    scope.cancel();
    await running;
  }
}
