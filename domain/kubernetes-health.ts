import { canonicalize, type Json } from './canonical.js';
import { get, isOwnedBy, readRevision, withoutControllerLabels } from './kubernetes-desired.js';
import { ageAt, conditionOf, countAt, listAt, membersAt, textAt } from './kubernetes-fields.js';
import { isGoing, matches, type PodHealth, readPod } from './kubernetes-pods.js';
import { readRollout } from './kubernetes-rollout.js';
import { type KubernetesObject, toObjectName, toRef } from './kubernetes.js';
import type { PodTroubleFact } from './signal.js';
import type { KubernetesSignal } from './watch.js';

/** What there is in a namespace, all of it at about one moment. */
export interface NamespaceObjects {
  readonly pods: readonly KubernetesObject[];
  readonly replicaSets: readonly KubernetesObject[];
  readonly endpointSlices: readonly KubernetesObject[];
  /** Workloads, Services and what else is configured. */
  readonly configured: readonly KubernetesObject[];
}

export interface NamespaceHealth {
  readonly values: Readonly<Record<KubernetesSignal, number>>;
  readonly troubles: readonly Omit<PodTroubleFact, 'kind' | 'id' | 'target' | 'namespace'>[];
  /** Names of what works in it, and must not be gone when it is measured again. */
  readonly standing: readonly string[];
}

// A pod that is younger may still be starting.
const STARTING_MS = 30_000;
const workloadKinds: readonly string[] = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** Reads how a namespace is. What only starts, or is rolled out as it should be, is well. */
export function judgeNamespace({ pods, replicaSets, endpointSlices, configured }: NamespaceObjects, nowMs: number, windowMs: number): NamespaceHealth {
  const present = pods.filter((pod) => !isGoing(pod)).map((pod) => readPod(pod, nowMs, windowMs));
  const workloads = configured.filter(({ kind }) => workloadKinds.includes(kind));
  const services = configured.filter(isSelecting);
  const served = listServed(endpointSlices);
  const isServed = ({ metadata }: KubernetesObject): boolean => served.has(metadata.name);
  const workloadOf = (pod: KubernetesObject): Maker | undefined => findMaker(pod, replicaSets, workloads);

  const isStarting = ({ trouble, ageMs }: PodHealth): boolean => trouble === undefined && ageMs < STARTING_MS;
  const isLeaving = (pod: KubernetesObject): boolean => isGoing(pod) && ageAt(nowMs, pod, 'metadata', 'deletionTimestamp') < STARTING_MS;
  const countMissing = (workload: KubernetesObject): number => {
    const missing = toWanted(workload) - countAt(workload, ['status', workload.kind === 'DaemonSet' ? 'numberAvailable' : 'availableReplicas']);
    const isOwn = (pod: KubernetesObject): boolean => workloadOf(pod)?.workload === workload;
    const own = present.filter(({ pod }) => isOwn(pod));
    // One that leaves is about to be replaced by one that starts.
    const onTheWay = own.filter(isStarting).length + pods.filter((pod) => isLeaving(pod) && isOwn(pod)).length;
    const isOrdinary = own.every(({ trouble }) => trouble === undefined) && (isRollingOut(workload, nowMs) || onTheWay >= missing);
    return isOrdinary ? 0 : Math.max(0, missing);
  };
  const isEmpty = (service: KubernetesObject): boolean => {
    if (isServed(service)) return false;
    const selector = membersAt(service, 'spec', 'selector');
    const behind = present.filter(({ pod }) => matches(membersAt(pod, 'metadata', 'labels'), selector));
    if (behind.length > 0) return !behind.some(isStarting);
    const isExpected = workloads.some((workload) => toWanted(workload) > 0 && matches(membersAt(workload, 'spec', 'template', 'metadata', 'labels'), selector));
    return !isExpected && ageAt(nowMs, service, 'metadata', 'creationTimestamp') > STARTING_MS;
  };
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

  return {
    values: {
      waitingPods: present.filter(({ isWaiting }) => isWaiting).length,
      restarts: sum(present.map(({ restarts }) => restarts)),
      oomKills: sum(present.map(({ oomKills }) => oomKills)),
      pendingPods: present.filter(({ isPending }) => isPending).length,
      unavailableReplicas: sum(workloads.map(countMissing)),
      emptyServices: services.filter(isEmpty).length,
    },
    troubles: present.flatMap(({ pod, trouble }) => {
      if (trouble === undefined) return [];
      const maker = workloadOf(pod);
      return [{ pod: pod.metadata.name, workload: maker?.name ?? null, ...trouble, isOfNewTemplate: maker?.isOfNewTemplate ?? false }];
    }),
    standing: [...workloads.filter((workload) => toWanted(workload) > 0).map((workload) => toObjectName(toRef(workload))), ...services.filter(isServed).map(({ metadata }) => `endpoints of service/${metadata.name}`)].toSorted(),
  };
}

/** The workloads whose last change has not arrived in all of their pods, and the Services that are too new to tell whether pods are still to come. */
export function listUnsettled({ configured, endpointSlices }: Pick<NamespaceObjects, 'configured' | 'endpointSlices'>, nowMs: number): readonly string[] {
  const served = listServed(endpointSlices);
  const isWaiting = (object: KubernetesObject): boolean => isSelecting(object) && !served.has(object.metadata.name) && ageAt(nowMs, object, 'metadata', 'creationTimestamp') <= STARTING_MS;
  return configured.filter((object) => readRollout(object)?.isDone === false || isWaiting(object)).map((object) => toObjectName(toRef(object)));
}

/** The revision of a Deployment that has this pod template; null where none is kept any more. */
export function findRevision(deployment: KubernetesObject, template: Json | undefined, replicaSets: readonly KubernetesObject[]): number | null {
  if (template === undefined) return null;
  const wanted = canonicalize(template);
  const revisions = replicaSets
    .filter((replicaSet) => isOwnedBy(replicaSet, deployment.metadata['uid']))
    .map(readRevision)
    .filter((one) => one.template !== undefined && canonicalize(withoutControllerLabels(one.template)) === wanted)
    .map(({ revision }) => revision);
  return revisions.length === 0 ? null : Math.max(...revisions);
}

interface Maker {
  /** `deployment/web`. */
  readonly name: string;
  /** Undefined for one that is not watched, such as a Job. */
  readonly workload: KubernetesObject | undefined;
  readonly isOfNewTemplate: boolean;
}

/** What made a pod. */
function findMaker(pod: KubernetesObject, replicaSets: readonly KubernetesObject[], workloads: readonly KubernetesObject[]): Maker | undefined {
  const owner = listAt(pod, 'metadata', 'ownerReferences').find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  const replicaSet = replicaSets.find(({ metadata }) => metadata['uid'] === owner['uid']);
  const workload = workloads.find((one) => isOwnedBy(replicaSet ?? pod, one.metadata['uid']));
  if (workload === undefined) return { name: toObjectName({ kind: textAt(owner, 'kind'), name: textAt(owner, 'name') }), workload, isOfNewTemplate: false };
  return { name: toObjectName(toRef(workload)), workload, isOfNewTemplate: isOfNewTemplate(pod, workload, replicaSet, replicaSets) };
}

function isOfNewTemplate(pod: KubernetesObject, workload: KubernetesObject, replicaSet: KubernetesObject | undefined, replicaSets: readonly KubernetesObject[]): boolean {
  const label = (name: string): string => textAt(pod, 'metadata', 'labels', name);
  if (replicaSet !== undefined) return readRevision(replicaSet).revision === findRevision(workload, get(workload, ['spec', 'template']), replicaSets);
  if (workload.kind === 'DaemonSet') return label('pod-template-generation') === textAt(workload, 'metadata', 'annotations', 'deprecated.daemonset.template.generation');
  return label('controller-revision-hash') === textAt(workload, 'status', 'updateRevision');
}

/** Whether it is a Service that finds its pods by itself. */
const isSelecting = (object: KubernetesObject): boolean => object.kind === 'Service' && textAt(object, 'spec', 'type') !== 'ExternalName' && Object.keys(membersAt(object, 'spec', 'selector')).length > 0;

/** The names of the Services with a ready pod. */
const listServed = (endpointSlices: readonly KubernetesObject[]): ReadonlySet<string> =>
  new Set(endpointSlices.filter((slice) => listAt(slice, 'endpoints').some(isReady)).map((slice) => textAt(slice, 'metadata', 'labels', 'kubernetes.io/service-name')));

const isReady = (endpoint: Json): boolean => get(endpoint, ['conditions', 'ready']) !== false;
const toWanted = (workload: KubernetesObject): number => (workload.kind === 'DaemonSet' ? countAt(workload, ['status', 'desiredNumberScheduled']) : countAt(workload, ['spec', 'replicas'], 1));

/** Whether a Deployment goes on with a rollout, and has as many pods meanwhile as it must; whatever was only just made, too. */
function isRollingOut(workload: KubernetesObject, nowMs: number): boolean {
  if (ageAt(nowMs, workload, 'metadata', 'creationTimestamp') < STARTING_MS) return true;
  const progressing = conditionOf(workload, 'Progressing');
  if (progressing?.['status'] !== 'True' || progressing['reason'] === 'NewReplicaSetAvailable') return false;
  return conditionOf(workload, 'Available')?.['status'] === 'True' || ageAt(nowMs, progressing, 'lastUpdateTime') < STARTING_MS;
}
