import { setTimeout as wait } from 'node:timers/promises';
import type { ObjectRef } from '../../domain/kubernetes.js';
import type { Change, ChangeOptions, ChangeResult } from '../ports.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { finish, refuse, type Scene, toManager, toPins } from './kubernetes-commit.js';
import { createdUntil, type Handle, readHandle } from './kubernetes-handle.js';
import { fence, hasWritten, type Live, toHash, toStamp, uidOf } from './kubernetes-state.js';

/** Finds out what became of a change, and sees to it that one that was not made is not made later. */
export async function settle(scene: Scene, change: Change, handle: Handle, options: Omit<ChangeOptions, 'begin'>): Promise<ChangeResult | { readonly kind: 'notDone' }> {
  const { client, ref, place } = scene;
  const { before, after } = toPins(change.step);
  const [from, wanted] = change.kind === 'execute' ? [before, after] : [after, before];
  for (;;) {
    options.signal.throwIfAborted();
    const live = await client.read(ref);
    const now = toHash(live);
    const isGone = ref.kind === 'Pod' && (live === undefined || uidOf(live) !== handle.uid || live.metadata['deletionTimestamp'] !== undefined);
    if (now === wanted || isGone) {
      const wasWhole = change.kind === 'execute' || (readHandle(change.left)?.wasWhole ?? true);
      return finish(scene, change, { uid: handle.uid, written: isGone ? undefined : live, leaves: null, wasWhole, until: handle.at + change.step.timeoutMs }, options);
    }
    if (now !== from) {
      if (live !== undefined && hasWritten(toManager(change), live)) {
        const said = refuse(place, 'after this change was made', handle.leaves, live, options);
        return { kind: 'failed', changed: true, summary: said.summary };
      }
      return { kind: 'conflict', summary: live === undefined ? `${place} is not there any more: somebody else deleted it` : `${place} was changed by somebody else, and nothing of this change is in it` };
    }
    // Whoever deletes a pod yet deletes what was to be deleted.
    if (ref.kind === 'Pod') return { kind: 'notDone' };
    if (live !== undefined && toStamp(live) !== handle.stamp && hasWritten(toManager(change), live)) {
      return { kind: 'failed', changed: true, summary: `${place} was changed, and somebody has put it back since` };
    }
    if ((await callOff(client, ref, live, handle, options.signal)) === 'now') return { kind: 'notDone' };
  }
}

/** Sees to it that a write that was to come under this handle does not come any more; `tooLate` where something was written meanwhile. */
export async function callOff(client: KubernetesClient, ref: ObjectRef, live: Live, handle: Handle, signal: AbortSignal): Promise<'now' | 'tooLate'> {
  if (live !== undefined) return toStamp(live) !== handle.stamp || (await fence(client, live)) ? 'now' : 'tooLate';
  await wait(Math.max(createdUntil(handle) - Date.now(), 0), undefined, { signal });
  return (await client.read(ref)) === undefined ? 'now' : 'tooLate';
}
