import type { Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';
import { MAX_REPLICAS } from './allowed-fields.js';
import { holdsSecret } from './environment.js';
import { at, deny, doubt, findPlaces, isNot, isThere, onlyFields, type Rule, textOf } from './rules.js';

const outage = 'nothing of it would run';
const lost = 'data goes with what it was made for';
const everywhere = 'it opens the way to and from everywhere';
const isEmpty = (value: Json): boolean => (isObject(value) ? Object.keys(value).length === 0 : isList(value) && value.length === 0);
const isWideBlock = (value: Json): boolean => typeof value === 'string' && /\/[0-7]$/.test(value);

const replicas: readonly Rule[] = [
  doubt('replicas', ['spec', 'replicas'], (value) => value === 0, outage, 'Write one at least.'),
  deny('replicas', ['spec', 'replicas'], (value) => typeof value === 'number' && value > MAX_REPLICAS, 'so many would take the whole cluster', `Write at most ${MAX_REPLICAS}.`),
];

const ofJob = (path: readonly string[]): readonly Rule[] => ['parallelism', 'completions'].map((field) => deny('replicas', [...path, field], (value) => typeof value === 'number' && value > MAX_REPLICAS, 'so many would take the whole cluster', `Write at most ${MAX_REPLICAS}.`));

const autoscaler: readonly Rule[] = [
  deny('replicas', ['spec', 'maxReplicas'], (value) => typeof value === 'number' && value > MAX_REPLICAS, 'so many would take the whole cluster', `Write at most ${MAX_REPLICAS}.`),
  doubt('replicas', ['spec', 'minReplicas'], (value) => value === 0, outage, 'Write one at least.'),
];

const claim = (path: readonly string[]): readonly Rule[] => [
  doubt('storage', [...path, 'volumeName'], isThere, 'it takes a volume that may hold the data of others'),
  doubt('storage', [...path, 'dataSource'], isThere, 'it begins with the data of another volume'),
  doubt('storage', [...path, 'dataSourceRef'], isThere, 'it begins with the data of another volume'),
  doubt('storage', [...path, 'volumeMode'], isNot('Filesystem'), 'its pods write to a disk below the file system'),
];

// Settings of the nginx ingress controller that are numbers, sizes, times and switches.
const nginxSetting = /^nginx\.ingress\.kubernetes\.io\/(proxy-(body-size|(connect|read|send|next-upstream)-timeout|buffer(s-number|-size|ing)|request-buffering|next-upstream(-tries)?|http-version|max-temp-file-size)|client-body-buffer-size|limit-(rps|rpm|connections|rate(-after)?|burst-multiplier)|ssl-redirect|force-ssl-redirect|use-regex|enable-cors|affinity|session-cookie-(max-age|expires|secure)|keepalive\S*|load-balance|backend-protocol|service-upstream|canary(-weight(-total)?)?|enable-access-log)$/;
const annotationOfNginx = (path: readonly string[]): readonly Rule[] => [
  deny('ingress', [...path, '*'], (_value, key) => /-snippets?$|lua/.test(key) && /ingress/.test(key), 'it puts code into the proxy that all traffic goes through'),
  deny('ingress', [...path, '*'], (value, key) => key.startsWith('nginx.ingress.kubernetes.io/') && /[{};#\n\r\\"']/.test(textOf(value)), 'its value could end the setting and begin another'),
];
/** Annotations that only tell, or that are known to be numbers and switches. */
export const harmlessAnnotation = (key: string): boolean =>
  !key.includes('/') ||
  nginxSetting.test(key) ||
  /^(prometheus\.io|app\.kubernetes\.io|cert-manager\.io|checksum|meta\.helm\.sh)\//.test(key) ||
  /^(kubernetes\.io\/(change-cause|description|ingress\.class)|kubectl\.kubernetes\.io\/(restartedAt|default-container|last-applied-configuration)|deployment\.kubernetes\.io\/revision|cluster-autoscaler\.kubernetes\.io\/safe-to-evict)$/.test(key) ||
  key.startsWith('container.apparmor.security.beta.kubernetes.io/');

const isTooOpen = (peers: Json): boolean => isEmpty(peers) || findPlaces(peers, ['*', 'ipBlock', 'cidr']).some(({ value }) => isWideBlock(value));
const policyRules: readonly Rule[] = [
  ...[['ingress', 'from'], ['egress', 'to']].flatMap(([way = '', peers = '']): readonly Rule[] => [
    doubt('traffic', ['spec', way, '*'], (rule) => at(rule, peers) === undefined || isTooOpen(at(rule, peers) ?? []), everywhere, `Write with whom, in ${peers}.`),
  ]),
  doubt('traffic', ['spec'], (spec) => isEmpty(at(spec, 'podSelector') ?? '') && ['ingress', 'egress'].every((way) => isEmpty(at(spec, way) ?? [])), 'it cuts off every pod of the namespace', 'Name the pods in podSelector.'),
];

const enforced = (value: Json, key: string): boolean => /^pod-security\.kubernetes\.io\/enforce$/.test(key) && value !== 'baseline' && value !== 'restricted';

/** Whether a ConfigMap's value is a script that a shell runs. */
export const isShellScript = (key: string, value: Json): boolean => /\.(ba|z|k)?sh$/.test(key) || /^#!\s*\S*(\/|env\s+)(ba|da|a|z|k)?sh\b/.test(textOf(value));

/** What an object of a kind may not plainly say, beside its pods. */
export const kindRules: Readonly<Partial<Record<string, readonly Rule[]>>> = {
  Deployment: replicas,
  ReplicaSet: replicas,
  ReplicationController: replicas,
  StatefulSet: [...replicas, doubt('storage', ['spec', 'persistentVolumeClaimRetentionPolicy', '*'], isNot('Retain'), lost), ...claim(['spec', 'volumeClaimTemplates', '*', 'spec'])],
  Job: ofJob(['spec']),
  CronJob: ofJob(['spec', 'jobTemplate', 'spec']),
  HorizontalPodAutoscaler: autoscaler,
  PodDisruptionBudget: [
    doubt('disruption', ['spec', 'minAvailable'], (value) => value === 0 || value === '0%', 'all of its pods may be evicted at once', 'Write one at least.'),
    doubt('disruption', ['spec', 'maxUnavailable'], (value) => value === '100%', 'all of its pods may be evicted at once', 'Write fewer.'),
  ],
  PersistentVolumeClaim: claim(['spec']),
  PersistentVolume: [
    deny('storage', ['spec', 'hostPath'], isThere, 'it opens the node’s files to pods'),
    deny('storage', ['spec', 'local'], isThere, 'it opens the node’s files to pods'),
  ],
  Service: [
    onlyFields(['spec'], ['allocateLoadBalancerNodePorts', 'clusterIP', 'clusterIPs', 'externalIPs', 'externalName', 'externalTrafficPolicy', 'healthCheckNodePort', 'internalTrafficPolicy', 'ipFamilies', 'ipFamilyPolicy', 'loadBalancerClass', 'loadBalancerIP', 'loadBalancerSourceRanges', 'ports', 'publishNotReadyAddresses', 'selector', 'sessionAffinity', 'sessionAffinityConfig', 'trafficDistribution', 'type']),
    deny('traffic', ['spec', 'externalIPs', '*'], isThere, 'it takes traffic that was meant for that address'),
    doubt('traffic', ['spec', 'externalName'], isNot(''), 'it sends the traffic somewhere else'),
    doubt('traffic', ['spec', 'type'], isNot('ClusterIP'), 'it is reached from outside of the cluster, or leads out of it', 'Write type: ClusterIP.'),
    doubt('traffic', ['spec', 'ports', '*', 'nodePort'], isNot(0), 'it opens a port on every node'),
    doubt('traffic', ['spec', 'loadBalancerIP'], isNot(''), 'it is reached from outside of the cluster'),
    doubt('traffic', ['spec', 'selector'], isEmpty, 'no pod would answer'),
  ],
  Ingress: [
    ...annotationOfNginx(['metadata', 'annotations']),
    onlyFields(['spec'], ['defaultBackend', 'ingressClassName', 'rules', 'tls']),
    doubt('traffic', ['spec', 'defaultBackend'], isThere, 'it takes all traffic that nothing else takes'),
    doubt('traffic', ['spec', 'rules', '*'], (rule) => (at(rule, 'host') ?? '') === '' || textOf(at(rule, 'host')).startsWith('*'), 'it takes the traffic of hosts that it does not name', 'Name the host.'),
    doubt('traffic', ['spec', 'rules', '*', 'http', 'paths', '*', 'backend', 'resource'], isThere, 'no rule knows where that leads'),
  ],
  NetworkPolicy: policyRules,
  ResourceQuota: [doubt('quota', ['spec', 'hard', '*'], (value) => /^0+(\.0*)?\D*$/.test(textOf(value)), 'nothing more could be made', 'Write more than none.')],
  ServiceAccount: [
    deny('serviceAccount', ['secrets', '*'], isThere, 'it gives the account a token'),
    doubt('serviceAccount', ['automountServiceAccountToken'], isNot(false), 'every program in its pods can call the API server'),
  ],
  Namespace: [
    deny('namespace', ['metadata', 'labels', '*'], enforced, 'its pods may do to their nodes whatever they like', 'Write baseline or restricted.'),
    doubt('namespace', ['metadata', 'labels', '*'], (value, key) => key === 'pod-security.kubernetes.io/enforce-version' && value !== 'latest', 'an older version of the standard allows more', 'Write latest.'),
    deny('namespace', ['spec', 'finalizers'], isThere, 'what was to be cleaned up first is left behind'),
  ],
  Secret: [
    deny('secret', ['data', '*'], isThere, 'its values would be kept and shown with the plan', 'Let the secret store write it.'),
    deny('secret', ['stringData', '*'], isThere, 'its values would be kept and shown with the plan', 'Let the secret store write it.'),
    deny('secret', ['type'], (type) => textOf(type).startsWith('kubernetes.io/service-account') || textOf(type).startsWith('bootstrap'), 'it makes a token'),
    doubt('secret', ['metadata'], isThere, 'what depends on the secret is not in this text'),
  ],
  ConfigMap: [
    doubt('secret', ['data', '*'], (value, key) => holdsSecret(key, value), 'its value looks like a secret, and is kept and shown with the plan', 'Keep it in a Secret.'),
    doubt('code', ['data', '*'], (value, key) => /\.(py|pl|rb|lua|php)$/.test(key) || (textOf(value).startsWith('#!') && !isShellScript(key, value)), 'it is a program that is not inspected here'),
    deny('rights', ['metadata'], (metadata) => at(metadata, 'name') === 'aws-auth' && at(metadata, 'namespace') === 'kube-system', 'it says who may do what in the cluster', 'Let a person with kubectl change it, outside of a remediation.'),
  ],
};
