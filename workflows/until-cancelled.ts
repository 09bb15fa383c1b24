import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { Approval } from '../domain/updates.js';
import type { Desk } from './desk.js';
import { hearCancel, takeCancel } from './desk.js';

export type Work<Result> =
  | { readonly kind: 'done'; readonly result: Result; readonly cancelledBy: Approval | null }
  /** It was stopped before it could answer. */
  | { readonly kind: 'cancelled'; readonly by: Approval | null };

/** Does the work, and stops it when somebody who may says so. What it answers when it is stopped still counts. */
export async function untilCancelled<Result>(desk: Desk, work: () => Promise<Result>): Promise<Work<Result>> {
  const scope = new CancellationScope();
  let cancelledBy: Approval | null = null;
  let done = false;

  async function listen(): Promise<void> {
    for (;;) {
      await condition(() => done || desk.inbox.some(({ kind }) => kind === 'cancel'));
      const message = done ? undefined : takeCancel(desk);
      if (message === undefined) return;
      const by = await hearCancel(desk, message.decisionId);
      if (by === undefined) continue;
      cancelledBy = by === 'temporal' ? null : by;
      scope.cancel();
      return;
    }
  }

  const listening = listen();
  try {
    return { kind: 'done', result: await scope.run(work), cancelledBy };
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return { kind: 'cancelled', by: cancelledBy };
  } finally {
    done = true;
    await listening;
  }
}
