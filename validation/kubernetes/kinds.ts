import type { Reach } from '../../domain/reach.js';

/** A kind that something here may change, with the words that kubectl has for it. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly reach: Reach;
  readonly words: readonly string[];
}

const kinds: readonly Kind[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment', reach: 'workload', words: ['deployment', 'deployments', 'deploy', 'deployment.apps', 'deployments.apps'] },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', reach: 'workload', words: ['statefulset', 'statefulsets', 'sts', 'statefulset.apps', 'statefulsets.apps'] },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', reach: 'workload', words: ['daemonset', 'daemonsets', 'ds', 'daemonset.apps', 'daemonsets.apps'] },
  { apiVersion: 'v1', kind: 'Service', reach: 'namespace', words: ['service', 'services', 'svc'] },
  { apiVersion: 'v1', kind: 'ConfigMap', reach: 'namespace', words: ['configmap', 'configmaps', 'cm'] },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', reach: 'namespace', words: ['networkpolicy', 'networkpolicies', 'netpol', 'networkpolicy.networking.k8s.io', 'networkpolicies.networking.k8s.io'] },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', reach: 'namespace', words: ['horizontalpodautoscaler', 'horizontalpodautoscalers', 'hpa', 'horizontalpodautoscalers.autoscaling'] },
  { apiVersion: 'v1', kind: 'ResourceQuota', reach: 'namespace', words: ['resourcequota', 'resourcequotas', 'quota'] },
  { apiVersion: 'v1', kind: 'Pod', reach: 'pod', words: ['pod', 'pods', 'po'] },
  { apiVersion: 'v1', kind: 'Node', reach: 'cluster', words: ['node', 'nodes', 'no'] },
];

/** How wide a change of one object of a kind can reach. */
export const toReach = (kind: string): Reach => findKind(kind)?.reach ?? 'cluster';

export const findKind = (name: string): Kind | undefined => kinds.find(({ kind }) => kind === name);
/** The kind that kubectl means by a word. */
export const findKindByWord = (word: string): Kind | undefined => kinds.find(({ words }) => words.includes(word));

const rights = 'it says who may do what';
const intake = 'it decides what the cluster itself takes in';
const storage = 'data may be lost with it';
const work = 'it runs something new, and is no repair of what runs';
const denied: Readonly<Record<string, string>> = {
  role: rights,
  rolebinding: rights,
  clusterrole: rights,
  clusterrolebinding: rights,
  serviceaccount: rights,
  secret: 'its text would be stored and shown with the plan',
  customresourcedefinition: intake,
  mutatingwebhookconfiguration: intake,
  validatingwebhookconfiguration: intake,
  mutatingadmissionpolicy: intake,
  validatingadmissionpolicy: intake,
  apiservice: intake,
  namespace: 'everything in it goes with it',
  node: 'it is the cluster’s, and not one namespace’s',
  persistentvolume: storage,
  persistentvolumeclaim: storage,
  storageclass: storage,
  pod: work,
  job: work,
  cronjob: work,
  replicaset: 'its Deployment decides what is in it',
  list: 'it is more than one object',
};

/** Why nothing changes objects of this kind. */
export function explainKind(kind: string): string {
  const [word = ''] = kind.toLowerCase().split('.');
  const name = [word, word.replace(/s$/, ''), word.replace(/ies$/, 'y')].find((form) => Object.hasOwn(denied, form));
  return (name === undefined ? undefined : denied[name]) ?? 'no rule allows that kind';
}
