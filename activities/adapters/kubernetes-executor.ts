import { setTimeout as wait } from 'node:timers/promises';
import { readRollout } from '../../domain/kubernetes-rollout.js';
import type { ObjectRef } from '../../domain/kubernetes.js';
import type { Pins, Step } from '../../domain/plan.js';
import { sha256 } from '../digest.js';
import { Fault } from '../faults.js';
import type { Change, ChangeOptions, ChangeResult, Executor, KubernetesTarget, Watch } from '../ports.js';
import type { Kubernetes, KubernetesClient, WriteOptions } from './kubernetes-client.js';
import { CREATE_WITHIN_MS, createdUntil, type Handle, readHandle, toHandle, writeHandle } from './kubernetes-handle.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';
import { explainRefusal, rehearseRequest, tryOut } from './kubernetes-rehearsal.js';
import { awaitGone, awaitRollout } from './kubernetes-rollout.js';
import { describeStates, fence, hasWritten, liftFences, type Live, placeOf, toHash, toStamp, toText, uidOf } from './kubernetes-state.js';
import { prepare, prepareRestore, readRequest, type Request } from './kubernetes-write.js';

interface Scene {
  readonly client: KubernetesClient;
  readonly request: Request;
  readonly ref: ObjectRef;
  readonly place: string;
}

/** Makes one write of one object of a namespace, as it was rehearsed and no other, and waits until its pods have followed. */
export function createKubernetesExecutor(watch: Watch, { clientOf }: Kubernetes): Executor {
  function findTarget(workspaceId: string, name: string): KubernetesTarget {
    const target = watch.readWorkspace(workspaceId).targets.find((one) => one.name === name);
    if (target?.kind !== 'kubernetes') throw new Fault('targetMissing', `target ${name} is no Kubernetes namespace in sluice.yaml`);
    return target;
  }

  function open(workspaceId: string, step: Step): Scene {
    const target = findTarget(workspaceId, step.target);
    if (target.executor !== 'kubernetes') throw new Fault('targetMissing', `target ${step.target} has no executor: kubernetes in sluice.yaml`);
    const reading = readRequest(step);
    if (!reading.ok) throw new Error(`step ${step.stepId} cannot be read: ${reading.lines.join('; ')}`);
    const { request } = reading;
    const misfit = findMisfit(request.ref, target);
    if (misfit !== undefined) throw new Fault('targetMissing', misfit);
    return { client: clientOf(target), request, ref: request.ref, place: placeOf(request.ref) };
  }

  return {
    async rehearse(workspaceId, step) {
      const target = findTarget(workspaceId, step.target);
      const reading = readRequest(step);
      if (!reading.ok) return { found: false, lines: reading.lines };
      const misfit = findMisfit(reading.request.ref, target);
      if (misfit !== undefined) return { found: false, lines: [misfit] };
      try {
        return await rehearseRequest(clientOf(target), reading.request);
      } catch (error) {
        if (error instanceof KubernetesRefusal) return { found: false, lines: [error.message] };
        throw error;
      }
    },

    async snapshot(workspaceId, step) {
      const { client, ref, place } = open(workspaceId, step);
      const text = toText(await client.read(ref));
      if (sha256(text) !== toPins(step).before) throw new Fault('targetChanged', `${place} is not as it was rehearsed`);
      return text;
    },

    async run(workspaceId, change, options) {
      const scene = open(workspaceId, change.step);
      try {
        return await (change.kind === 'execute' ? execute(scene, change, options) : rollBack(scene, change, options));
      } catch (error) {
        // Reads that are refused come before any write; what a write meets is told where it is made.
        if (error instanceof KubernetesRefusal) return { kind: 'failed', changed: false, summary: error.message };
        throw error;
      }
    },

    async settle(workspaceId, change, text, options) {
      const scene = open(workspaceId, change.step);
      const handle = readHandle(text);
      if (handle === undefined) throw new Fault('outcomeUnknown', `what was noted of the change of ${scene.place} cannot be read`);
      return settle(scene, change, handle, options);
    },
  };
}

/** A target is one namespace; of the cluster around it only nodes are cordoned. */
function findMisfit(ref: ObjectRef, { name, namespace }: KubernetesTarget): string | undefined {
  if (ref.kind === 'Node' || ref.namespace === namespace) return undefined;
  return `${placeOf(ref)} is not in namespace ${namespace}, which target ${name} is`;
}

async function execute({ client, request, place }: Scene, change: Extract<Change, { kind: 'execute' }>, options: ChangeOptions): Promise<ChangeResult> {
  const { before, after } = toPins(change.step);
  const tried = await tryOut(client, request, toManager(change));
  const live = tried.ok ? tried.live : await client.read(request.ref);
  if (toHash(live) !== before) return refuse(place, 'since it was rehearsed', change.snapshot, live, options);
  if (!tried.ok) return { kind: 'failed', changed: false, summary: tried.because };
  if (after !== null && toHash(tried.after) !== after) return { kind: 'failed', changed: false, summary: `the server would make something else of ${place} than what was approved` };
  const write = async (at: Live, to: WriteOptions): Promise<Live> => {
    const prepared = await prepare(client, request, at);
    if (!prepared.ok) throw new KubernetesRefusal(404, 'NotFound', prepared.because);
    return prepared.write(to);
  };
  return commit({ client, request, ref: request.ref, place }, change, live, after === null ? null : toText(tried.after), write, options);
}

async function rollBack(scene: Scene, change: Extract<Change, { kind: 'rollback' }>, options: ChangeOptions): Promise<ChangeResult> {
  const { client, ref, place } = scene;
  const { before, after } = toPins(change.step);
  if (change.step.wayBack.kind === 'oneWay') return { kind: 'failed', changed: false, summary: `${place} cannot be put back: ${change.step.wayBack.because}` };
  if (sha256(change.snapshot) !== before) return { kind: 'failed', changed: false, summary: `the snapshot is not what ${place} was when the step was approved` };
  const live = await client.read(ref);
  const left = readHandle(change.left);
  if (toHash(live) === before) {
    // The step may have been settled by nobody, and its worker may still wake up.
    if (left !== undefined && (await callOff(client, ref, live, left, options.signal)) !== 'now') throw new Error(`somebody writes to ${place} at this moment`);
    return { kind: 'done', summary: `${place} is as it was before the step` };
  }
  if (toHash(live) !== after) return refuse(place, 'since the step', left?.leaves ?? null, live, options);
  return commit(scene, change, live, change.snapshot, (at, to) => prepareRestore(client, ref, change.snapshot, at)(to), options, left?.wasWhole);
}

/** Says how the object differs from what was expected there, and changes nothing. */
function refuse(place: string, since: string, expected: string | null, live: Live, { onOutput }: Pick<ChangeOptions, 'onOutput'>): ChangeResult {
  if (expected === null) return { kind: 'conflict', summary: `${place} was changed ${since}` };
  const { summary, lines } = describeStates(place, expected, toText(live), 'all');
  lines.forEach(onOutput);
  return { kind: 'conflict', summary: `${place} was changed ${since}: ${summary}` };
}

/** Writes, if the object is still as it was read. That its status moves on meanwhile is no reason not to. */
async function commit(
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
  for (let live = read; ; ) {
    const wrote = await trying(() => write(live, to));
    if (wrote.ok) return finish(scene, change, { uid: handle.uid, written: wrote.written, leaves, wasWhole, until: handle.at + change.step.timeoutMs }, options);
    const { refusal } = wrote;
    if (refusal.status === 404) return { kind: 'conflict', summary: `${place}: ${refusal.message}` };
    if (refusal.status !== 409) return { kind: 'failed', changed: false, summary: `${place}: ${explainRefusal(request, refusal)}` };
    const now = await client.read(ref);
    if (now === undefined || live === undefined || toHash(now) !== toHash(read)) return { kind: 'conflict', summary: `${place} was changed by somebody else at the same moment` };
    if (toStamp(now) !== handle.stamp) throw new Error(`the change of ${place} was settled by another worker, or somebody else writes to it`);
    live = now;
  }
}

async function trying(write: () => Promise<Live>): Promise<{ readonly ok: true; readonly written: Live } | { readonly ok: false; readonly refusal: KubernetesRefusal }> {
  try {
    return { ok: true, written: await write() };
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
async function finish({ client, request, ref, place }: Scene, change: Change, { uid, written, leaves, wasWhole, until }: Written, options: Pick<ChangeOptions, 'signal' | 'onOutput'>): Promise<ChangeResult> {
  const summary = change.kind === 'execute' ? `${place} was ${request.phrase}` : `${place} is back as it was`;
  if (leaves !== null && toText(written) !== leaves) return { kind: 'failed', changed: true, summary: `${place} was written, and the server made something else of it than what was approved` };
  options.onOutput(summary);
  if (written === undefined) {
    const because = uid === null ? undefined : await awaitGone(client, ref, uid, { until, signal: options.signal });
    return because === undefined ? { kind: 'done', summary } : { kind: 'failed', changed: true, summary: because };
  }
  await liftFences(client, written);
  if (!wasWhole) return { kind: 'done', summary: `${summary}, when its pods were not all there either` };
  const because = await awaitRollout(client, ref, { until, ...options });
  return because === undefined ? { kind: 'done', summary } : { kind: 'failed', changed: true, summary: `${summary}, and its pods did not follow: ${because}` };
}

async function settle(scene: Scene, change: Change, handle: Handle, options: Omit<ChangeOptions, 'begin'>): Promise<ChangeResult | { readonly kind: 'notDone' }> {
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
async function callOff(client: KubernetesClient, ref: ObjectRef, live: Live, handle: Handle, signal: AbortSignal): Promise<'now' | 'tooLate'> {
  if (live !== undefined) return toStamp(live) !== handle.stamp || (await fence(client, live)) ? 'now' : 'tooLate';
  await wait(Math.max(createdUntil(handle) - Date.now(), 0), undefined, { signal });
  return (await client.read(ref)) === undefined ? 'now' : 'tooLate';
}

function toPins({ stepId, pins }: Step): Pins {
  if (pins === null) throw new Error(`step ${stepId} was not rehearsed`);
  return pins;
}

const toManager = ({ key }: Change): string => `sluice-${key}`;
