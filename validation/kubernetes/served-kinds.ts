import type { Remark, Rule } from './rules.js';
import { kindRules } from './kind-rules.js';

/** A kind that Kubernetes 1.34 serves, and what a change of it comes to. */
export interface ServedKind {
  readonly kind: string;
  /** The client's name of its type. */
  readonly type: string;
  readonly isNamespaced: boolean;
  /** Where the templates of its pods are. */
  readonly template: readonly string[] | undefined;
  /** Without one of these it could not be made, so that it is a change of what is there. */
  readonly needs: readonly string[];
  readonly rules: readonly Rule[];
  /** Said of every object of the kind. */
  readonly always: Omit<Remark, 'keys'> | undefined;
}

const rights = 'it says who may do what in the cluster';
const intake = 'it decides what the cluster itself takes in';
const nodes = 'it is the cluster’s, and decides what nodes are and do';
const storage = 'it decides where data is kept, and who gets at it';
const scheduling = 'it decides whose pods come first';
const traffic = 'it decides where traffic ends up';
const devices = 'it decides who gets at the hardware of nodes';
const forged = 'only the cluster itself writes it';
const question = 'it changes nothing; it only asks the API server';

const always = (result: Remark['result'], reason: string): ServedKind['always'] => ({
  result,
  rule: 'k8s.kind',
  reason,
  remedy: result === 'denied' ? 'Let a person with kubectl change it, outside of a remediation.' : 'Let two people look at it.',
});
const denied = (reason: string, ...names: readonly string[]) => names.map((name) => [name, always('denied', reason)] as const);
const doubted = (reason: string, ...names: readonly string[]) => names.map((name) => [name, always('review_plus', reason)] as const);
const judged = (...names: readonly string[]) => names.map((name) => [name, undefined] as const);

// `*` marks kinds that are in no namespace.
const served: Readonly<Record<string, readonly (readonly [name: string, always: ServedKind['always']])[]>> = {
  v1: [
    ...judged('ConfigMap', 'LimitRange', 'PersistentVolumeClaim', 'Pod', 'PodTemplate', 'ReplicationController', 'ResourceQuota', 'Service', 'ServiceAccount', 'Namespace*'),
    ...doubted(storage, 'PersistentVolume*'),
    ...doubted(nodes, 'Node*'),
    ...doubted(traffic, 'Endpoints'),
    ...denied(forged, 'Binding', 'Event', 'ComponentStatus*'),
    ...judged('Secret'),
  ],
  'apps/v1': [...judged('Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'), ...denied(forged, 'ControllerRevision')],
  'batch/v1': judged('Job', 'CronJob'),
  'autoscaling/v1': judged('HorizontalPodAutoscaler'),
  'autoscaling/v2': judged('HorizontalPodAutoscaler'),
  'policy/v1': judged('PodDisruptionBudget'),
  'networking.k8s.io/v1': [...judged('NetworkPolicy', 'Ingress'), ...doubted(traffic, 'IngressClass*', 'IPAddress*', 'ServiceCIDR*')],
  'rbac.authorization.k8s.io/v1': denied(rights, 'Role', 'RoleBinding', 'ClusterRole*', 'ClusterRoleBinding*'),
  'admissionregistration.k8s.io/v1': denied(intake, 'MutatingWebhookConfiguration*', 'ValidatingWebhookConfiguration*', 'ValidatingAdmissionPolicy*', 'ValidatingAdmissionPolicyBinding*'),
  'apiextensions.k8s.io/v1': denied(intake, 'CustomResourceDefinition*'),
  'apiregistration.k8s.io/v1': denied(intake, 'APIService*'),
  'certificates.k8s.io/v1': denied('it asks for a certificate, which is an identity', 'CertificateSigningRequest*'),
  'authentication.k8s.io/v1': denied(rights, 'TokenReview*', 'SelfSubjectReview*'),
  'authorization.k8s.io/v1': doubted(question, 'SubjectAccessReview*', 'LocalSubjectAccessReview', 'SelfSubjectAccessReview*', 'SelfSubjectRulesReview*'),
  'coordination.k8s.io/v1': doubted('it decides which of several controllers leads', 'Lease'),
  'discovery.k8s.io/v1': doubted(traffic, 'EndpointSlice'),
  'events.k8s.io/v1': denied(forged, 'Event'),
  'flowcontrol.apiserver.k8s.io/v1': doubted('it decides whose calls the API server answers first', 'FlowSchema*', 'PriorityLevelConfiguration*'),
  'node.k8s.io/v1': denied('it decides how pods are kept from their nodes', 'RuntimeClass*'),
  'resource.k8s.io/v1': doubted(devices, 'DeviceClass*', 'ResourceClaim', 'ResourceClaimTemplate', 'ResourceSlice*'),
  'scheduling.k8s.io/v1': doubted(scheduling, 'PriorityClass*'),
  'storage.k8s.io/v1': doubted(storage, 'CSIDriver*', 'CSINode*', 'CSIStorageCapacity', 'StorageClass*', 'VolumeAttachment*', 'VolumeAttributesClass*'),
};

const template = ['spec', 'template'];
const templates: Readonly<Partial<Record<string, readonly string[]>>> = {
  Pod: [],
  PodTemplate: ['template'],
  ReplicationController: template,
  ReplicaSet: template,
  Deployment: template,
  StatefulSet: template,
  DaemonSet: template,
  Job: template,
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};
const types: Readonly<Partial<Record<string, string>>> = { ResourceClaim: 'ResourceV1ResourceClaim' };

const kinds: ReadonlyMap<string, ServedKind> = new Map(
  Object.entries(served).flatMap(([apiVersion, entries]) =>
    entries.map(([name, said]): readonly [string, ServedKind] => {
      const kind = name.replace('*', '');
      const version = apiVersion.split('/').at(-1) ?? '';
      return [
        `${apiVersion} ${kind}`,
        {
          kind,
          type: types[kind] ?? `${version.toUpperCase()}${kind}`,
          isNamespaced: !name.endsWith('*'),
          template: templates[kind],
          needs: ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].includes(kind) ? ['spec', 'selector'] : [],
          rules: kindRules[kind] ?? [],
          always: said,
        },
      ];
    }),
  ),
);

export const findServedKind = (apiVersion: string, kind: string): ServedKind | undefined => kinds.get(`${apiVersion} ${kind}`);

const groups = new Set(Object.keys(served).map((apiVersion) => apiVersion.replace(/\/?v\d+$/, '')));

/** Whether a group belongs to somebody else than Kubernetes: its kinds were added to a cluster. Names without a dot are all its own. */
export const isForeign = (apiVersion: string): boolean => {
  const [, group = ''] = /^([a-z0-9.-]+)\/v\d+((alpha|beta)\d+)?$/.exec(apiVersion) ?? [];
  return group.includes('.') && !groups.has(group) && !/^(auditregistration|settings|internal\.apiserver|storagemigration|imagepolicy)\.k8s\.io$/.test(group);
};
