import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Approval } from '../domain/updates.js';
import type { Desk } from './desk.js';
import { hearCancel, takeCancel } from './desk.js';

/** null where Temporal was asked, which names no person. */
interface Cancelled {
  readonly by: Approval | null;
}

export type Work<Result> =
  | { readonly kind: 'done'; readonly result: Result; readonly cancelled: Cancelled | null }
  /** It was stopped before it could answer. */
  | { readonly kind: 'cancelled'; readonly cancelled: Cancelled };

/** Does the work, and stops it when somebody who may says so. What it answers when it is stopped still counts. */
export async function untilCancelled<Result>(desk: Desk, work: () => Promise<Result>): Promise<Work<Result>> {
  const scope = new CancellationScope();
  let done = false;

  async function listen(): Promise<Cancelled | null> {
    for (;;) {
      await condition(() => done || desk.inbox.some(({ kind }) => kind === 'cancel' || kind === 'cancelledByTemporal'));
      const message = takeCancel(desk);
      if (message === undefined) return null;
      const heard = await hearCancel(desk, message);
      if (heard === undefined) continue;
      scope.cancel();
      return heard;
    }
  }

  const listening = listen();
  let result: Result;
  try {
    result = await scope.run(work);
  } catch (error) {
    done = true;
    const cancelled = await listening;
    if (!isCancellation(error) || cancelled === null) throw error;
    return { kind: 'cancelled', cancelled };
  }
  done = true;
  return { kind: 'done', result, cancelled: await listening };
}
