import type { ObjectRef } from '../../domain/kubernetes.js';
import type { Step } from '../../domain/plan.js';
import { sha256 } from '../digest.js';
import { Fault } from '../faults.js';
import type { Change, ChangeOptions, ChangeResult, Executor, KubernetesTarget, Watch } from '../ports.js';
import type { Kubernetes, WriteOptions } from './kubernetes-client.js';
import { commit, refuse, type Scene, toManager, toPins } from './kubernetes-commit.js';
import { readHandle } from './kubernetes-handle.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';
import { rehearseRequest, tryOut } from './kubernetes-rehearsal.js';
import { callOff, settle } from './kubernetes-settle.js';
import { type Live, placeOf, toHash, toText } from './kubernetes-state.js';
import { prepare, prepareRestore, readRequest } from './kubernetes-write.js';

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
