import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type InjectedSinks, Worker } from '@temporalio/worker';
import type { RecordActivities } from '../../contracts/activities.js';
import type { History } from './stretch.js';
import type { ReplaySinks } from './told-in-replay.js';

/** In workflow time, milliseconds since the history's first event. */
export interface Heard {
  readonly told: readonly { readonly atMs: number; readonly text: string }[];
  /** When each timer was to end. */
  readonly timerEndsMs: readonly number[];
}

const toPath = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** A bundle of the workflows that tells a listener what they do. */
export async function bundleForListening(): Promise<{ readonly code: string }> {
  return bundleWorkflowCode({ workflowsPath: toPath('../../workflows/index.ts'), workflowInterceptorModules: [toPath('told-in-replay.ts')], logger: new DefaultLogger('WARN') });
}

/** Replays a history and returns what the workflow of today tells in it, and when it waits until; throws where it would do something else than the history says. */
export async function listenToReplay(workflowBundle: { readonly code: string }, history: History, workflowId: string): Promise<Heard> {
  const told: { readonly atMs: number; readonly text: string }[] = [];
  const timerEndsMs: number[] = [];
  const startedAtMs = Number(history.events?.[0]?.eventTime?.seconds ?? 0) * 1_000;
  const sinks: InjectedSinks<ReplaySinks> = {
    replay: {
      localActivity: {
        callDuringReplay: true,
        fn(_info, atMs, name, input) {
          if (name !== 'recordUpdate' && name !== 'openGate') return;
          const { update } = input as Parameters<RecordActivities['recordUpdate' | 'openGate']>[0];
          told.push({ atMs: atMs - startedAtMs, text: update.text });
        },
      },
      timer: { callDuringReplay: true, fn: (_info, endsAtMs) => void timerEndsMs.push(endsAtMs - startedAtMs) },
    },
  };
  await Worker.runReplayHistory({ workflowBundle, sinks }, history, workflowId);
  return { told, timerEndsMs };
}
