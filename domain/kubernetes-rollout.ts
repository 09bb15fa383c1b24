import { get } from './kubernetes-desired.js';
import { conditionOf, countAt, textAt } from './kubernetes-fields.js';
import { isGoing, readPod } from './kubernetes-pods.js';
import { type KubernetesObject, toObjectName, toRef } from './kubernetes.js';

/** How far a workload is on the way to what its spec says; `line` says it to people. */
export interface Rollout {
  readonly isDone: boolean;
  readonly line: string;
  /** Why it cannot go on, where it says so itself. */
  readonly trouble: string | undefined;
}

/** Reads the rollout of a workload; undefined for an object that has none. */
export function readRollout(object: KubernetesObject): Rollout | undefined {
  const status = (name: string): number => countAt(object, ['status', name]);
  const spec = (name: string, none: number): number => countAt(object, ['spec', name], none);
  const isSeen = status('observedGeneration') >= countAt(object, ['metadata', 'generation']);
  const strategy = get(object, ['spec', 'updateStrategy', 'type']);
  const toRollout = (wanted: number, counts: { readonly updated: number; readonly all: number; readonly available: number }): Rollout => {
    // Pods that only go when somebody deletes them are not waited for.
    const updated = strategy === 'OnDelete' ? wanted : counts.updated;
    return {
      isDone: isSeen && updated >= wanted && counts.all === wanted && counts.available >= wanted,
      line: `${toObjectName(toRef(object))}: ${updated} of ${wanted} pods are new, ${counts.available} available${counts.all > wanted ? `, ${counts.all - wanted} more to go` : ''}`,
      trouble: findTrouble(object),
    };
  };
  switch (object.kind) {
    case 'Deployment':
      return toRollout(spec('replicas', 1), { updated: status('updatedReplicas'), all: status('replicas'), available: status('availableReplicas') });
    case 'StatefulSet': {
      // Those below the partition stay as they are.
      const kept = countAt(object, ['spec', 'updateStrategy', 'rollingUpdate', 'partition']);
      const wanted = spec('replicas', 1);
      // Once all are new it counts them as the current ones.
      const isOver = get(object, ['status', 'currentRevision']) === get(object, ['status', 'updateRevision']);
      const updated = isOver ? status('replicas') : status('updatedReplicas') + Math.min(kept, wanted);
      return toRollout(wanted, { updated, all: status('replicas'), available: status('availableReplicas') });
    }
    case 'DaemonSet':
      return toRollout(status('desiredNumberScheduled'), { updated: status('updatedNumberScheduled'), all: status('currentNumberScheduled'), available: status('numberAvailable') });
    default:
      return undefined;
  }
}

/** Why pods do not run, each reason once, with how many say it. */
export function explainPods(pods: readonly KubernetesObject[], nowMs: number): readonly string[] {
  const reasons = new Map<string, number>();
  for (const pod of pods.filter((one) => !isGoing(one))) {
    const { trouble, isReady } = readPod(pod, nowMs, Infinity);
    const reason = trouble === undefined ? (isReady ? undefined : 'not ready') : `${trouble.reason}: ${trouble.message}`;
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons].map(([reason, count]) => `${count} ${count === 1 ? 'pod' : 'pods'}: ${reason}`);
}

function findTrouble(object: KubernetesObject): string | undefined {
  if (get(object, ['spec', 'paused']) === true) return 'its rollout is paused';
  const failure = conditionOf(object, 'ReplicaFailure');
  return failure?.['status'] === 'True' ? textAt(failure, 'message').slice(0, MAX_LENGTH) : undefined;
}

const MAX_LENGTH = 300;
