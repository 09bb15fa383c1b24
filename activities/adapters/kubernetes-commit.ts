import { setTimeout as wait } from 'node:timers/promises';
import { readRollout } from '../../domain/kubernetes-rollout.js';
import type { ObjectRef } from '../../domain/kubernetes.js';
import type { Pins, Step } from '../../domain/plan.js';
import type { Change, ChangeOptions, ChangeResult } from '../ports.js';
import type { KubernetesClient, WriteOptions } from './kubernetes-client.js';
import { CREATE_WITHIN_MS, toHandle, writeHandle } from './kubernetes-handle.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';
import { explainRefusal } from './kubernetes-rehearsal.js';
import { awaitGone, awaitRollout } from './kubernetes-rollout.js';
import { describeStates, liftFences, type Live, toHash, toStamp, toText } from './kubernetes-state.js';
import type { Request } from './kubernetes-write.js';

// Whoever answers with a conflict each time is not asked without a pause.
const RETRY_AFTER_MS = 100;

/** One object and what a step asks of it. */
export interface Scene {
  readonly client: KubernetesClient;
  readonly request: Request;
  readonly ref: ObjectRef;
  readonly place: string;
}

/** Writes, if the object is still as it was read. That its status moves on meanwhile is no reason not to. */
export async function commit(
  scene: Scene,
  change: Change,
  read: Live,
  leaves: string | null,
  write: (live: Live, options: WriteOptions) => Promise<Live>,
  options: ChangeOptions,
  wasWhole = true,
): Promise<ChangeResult> {
  const { client, request, ref, place } = scene;
  options.signal.throwIfAborted();
  const handle = toHandle(read, leaves, read === undefined || (readRollout(read)?.isDone ?? true));
  await options.begin(writeHandle(handle));
  // Nothing can be called off that is not there yet; so what is made is made soon or not at all.
  const left = read === undefined ? handle.at + CREATE_WITHIN_MS - Date.now() : undefined;
  if (left !== undefined && left <= 0) throw new Error(`too long passed between the decision to make ${place} and the moment for it`);
  const to: WriteOptions = { fieldManager: toManager(change), ...(left !== undefined && { signal: AbortSignal.timeout(left) }) };
  for (let live = read; ; await wait(RETRY_AFTER_MS, undefined, { signal: options.signal })) {
    const wrote = await trying(() => write(live, to));
    if (wrote.ok) {
      const finishing = await trying(() => finish(scene, change, { uid: handle.uid, written: wrote.result, leaves, wasWhole, until: handle.at + change.step.timeoutMs }, options));
      if (finishing.ok) return finishing.result;
      // It is written, whatever is refused from now on: whoever settles it looks again.
      throw new Error(finishing.refusal.message, { cause: finishing.refusal });
    }
    const { refusal } = wrote;
    if (refusal.status === 404) return { kind: 'conflict', summary: `${place}: ${refusal.message}` };
    if (refusal.status !== 409) return { kind: 'failed', changed: false, summary: `${place}: ${explainRefusal(request, refusal)}` };
    const now = await client.read(ref);
    if (now === undefined || live === undefined || toHash(now) !== toHash(read)) return { kind: 'conflict', summary: `${place} was changed by somebody else at the same moment` };
    if (toStamp(now) !== handle.stamp) throw new Error(`the change of ${place} was settled by another worker, or somebody else writes to it`);
    live = now;
  }
}

async function trying<Result>(act: () => Promise<Result>): Promise<{ readonly ok: true; readonly result: Result } | { readonly ok: false; readonly refusal: KubernetesRefusal }> {
  try {
    return { ok: true, result: await act() };
  } catch (error) {
    if (error instanceof KubernetesRefusal) return { ok: false, refusal: error };
    throw error;
  }
}

interface Written {
  readonly uid: string | null;
  /** As it is right after the write. */
  readonly written: Live;
  readonly leaves: string | null;
  /** Whether its pods were all there before; only then a rollback brings them. */
  readonly wasWhole: boolean;
  readonly until: number;
}

/** What follows a write: that it is what was approved, and that the pods follow. */
export async function finish({ client, request, ref, place }: Scene, change: Change, { uid, written, leaves, wasWhole, until }: Written, options: Pick<ChangeOptions, 'signal' | 'onOutput' | 'toldLines'>): Promise<ChangeResult> {
  const summary = change.kind === 'execute' ? `${place} was ${request.phrase}` : `${place} is back as it was`;
  if (leaves !== null && toText(written) !== leaves) return { kind: 'failed', changed: true, summary: `${place} was written, and the server made something else of it than what was approved` };
  if (options.toldLines === 0) options.onOutput(summary);
  if (written === undefined) {
    const because = uid === null ? undefined : await awaitGone(client, ref, uid, { until, signal: options.signal });
    return because === undefined ? { kind: 'done', summary } : { kind: 'failed', changed: true, summary: because };
  }
  await liftFences(client, written);
  if (!wasWhole) return { kind: 'done', summary: `${summary}, when its pods were not all there either` };
  const because = await awaitRollout(client, ref, { until, ...options });
  return because === undefined ? { kind: 'done', summary } : { kind: 'failed', changed: true, summary: `${summary}, and its pods did not follow: ${because}` };
}

/** Says how the object differs from what was expected there, and changes nothing. */
export function refuse(place: string, since: string, expected: string | null, live: Live, { onOutput }: Pick<ChangeOptions, 'onOutput'>): ChangeResult {
  if (expected === null) return { kind: 'conflict', summary: `${place} was changed ${since}` };
  const { summary, lines } = describeStates(place, expected, toText(live), 'all');
  lines.forEach(onOutput);
  return { kind: 'conflict', summary: `${place} was changed ${since}: ${summary}` };
}

export function toPins({ stepId, pins }: Step): Pins {
  if (pins === null) throw new Error(`step ${stepId} was not rehearsed`);
  return pins;
}

/** By this name what a change writes is known in the object. */
export const toManager = ({ key }: Change): string => `sluice-${key}`;
