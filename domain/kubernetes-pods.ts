import type { Json } from './canonical.js';
import { ageAt, conditionOf, countAt, listAt, membersAt, textAt } from './kubernetes-fields.js';
import type { KubernetesObject } from './kubernetes.js';

const waitingReasons: readonly string[] = ['ImagePullBackOff', 'ErrImagePull', 'InvalidImageName', 'CrashLoopBackOff', 'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];
// Schedulers look more than once before it means something.
const UNSCHEDULED_MS = 5_000;
const MAX_MESSAGE = 300;

/** What of one pod is not as it should be. */
export interface PodHealth {
  readonly pod: KubernetesObject;
  readonly isWaiting: boolean;
  readonly isPending: boolean;
  /** How often containers of it were restarted in the window. */
  readonly restarts: number;
  readonly oomKills: number;
  readonly isReady: boolean;
  readonly ageMs: number;
  /** Why it is in trouble; undefined where it is not. */
  readonly trouble: { readonly reason: string; readonly message: string } | undefined;
}

type Members = { readonly [key: string]: Json };

export const isGoing = ({ metadata }: KubernetesObject): boolean => metadata['deletionTimestamp'] !== undefined;

/**
 * Reads one pod. Kubernetes keeps how often a container was restarted in all, and when the last time was: a pod that is older than the window
 * and was restarted in it counts once.
 */
export function readPod(pod: KubernetesObject, nowMs: number, windowMs: number): PodHealth {
  const ageMs = ageAt(nowMs, pod, 'metadata', 'creationTimestamp');
  const containers = ['initContainerStatuses', 'containerStatuses'].flatMap((name) => listAt(pod, 'status', name));
  const waiting = containers.find((container) => waitingReasons.includes(textAt(container, 'state', 'waiting', 'reason')));
  const isRecent = (container: Json, ...state: readonly string[]): boolean => ageAt(nowMs, container, ...state, 'finishedAt') < windowMs;
  const wasKilled = (container: Json): boolean => [['state', 'terminated'], ['lastState', 'terminated']].some((state) => textAt(container, ...state, 'reason') === 'OOMKilled' && isRecent(container, ...state));
  const restarted = containers.filter((container) => isRecent(container, 'lastState', 'terminated') && countAt(container, ['restartCount']) > 0);
  const killed = containers.find(wasKilled);
  const scheduled = conditionOf(pod, 'PodScheduled');
  const isPending = scheduled?.['reason'] === 'Unschedulable' && scheduled['status'] === 'False' && ageAt(nowMs, scheduled, 'lastTransitionTime') > UNSCHEDULED_MS;

  const findTrouble = (): PodHealth['trouble'] => {
    if (killed !== undefined) return toTrouble('OOMKilled', `container ${textAt(killed, 'name')} took more memory than its limit`);
    if (waiting !== undefined) return toTrouble(textAt(waiting, 'state', 'waiting', 'reason'), textAt(waiting, 'state', 'waiting', 'message') + describeEnd(waiting));
    if (isPending) return toTrouble('Unschedulable', textAt(scheduled, 'message'));
    const [first] = restarted;
    return first && toTrouble('Restarted', `container ${textAt(first, 'name')}${describeEnd(first)}`);
  };
  return {
    pod,
    isWaiting: waiting !== undefined,
    isPending,
    restarts: restarted.reduce((sum, container) => sum + (ageMs <= windowMs ? countAt(container, ['restartCount']) : 1), 0),
    oomKills: containers.filter(wasKilled).length,
    isReady: conditionOf(pod, 'Ready')?.['status'] === 'True',
    ageMs,
    trouble: findTrouble(),
  };
}

/** Whether labels have all pairs of a selector. */
export const matches = (labels: Members, selector: Members): boolean => Object.entries(selector).every(([label, value]) => labels[label] === value);

function describeEnd(container: Json): string {
  const ended = membersAt(container, 'lastState', 'terminated');
  return ended['reason'] === undefined ? '' : `, ended with ${textAt(ended, 'reason')}, exit code ${countAt(ended, ['exitCode'])}`;
}

const toTrouble = (reason: string, message: string) => ({ reason, message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message });
