import type { Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';
import { at, findPlaces, isNot, isThere, judgeBy, type Remark, type Rule, textOf } from './rules.js';

// The Pod Security Standards, as the admission controller of Kubernetes checks them; the names of the checks are its own.
const standard = (level: 'baseline' | 'restricted') => (check: string, path: readonly string[], isBad: Rule['isBad'], reason: string, remedy: string): Rule => ({
  result: level === 'baseline' ? 'denied' : 'review_plus',
  rule: `k8s.pss.${level}.${check}`,
  path,
  isBad,
  reason,
  remedy,
});
const baseline = standard('baseline');
const restricted = standard('restricted');

const leaveOut = 'Leave it out.';
const isWeakProfile = (profile: Json): boolean => !['RuntimeDefault', 'Localhost'].includes(textOf(at(profile, 'type')));
const isWeakSeLinux = (options: Json): boolean =>
  !['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'].includes(textOf(at(options, 'type') ?? '')) || (at(options, 'user') ?? '') !== '' || (at(options, 'role') ?? '') !== '';

/** What a pod and each of its containers may say alike. */
const ofSecurityContext: readonly Rule[] = [
  baseline('seccompProfile', ['securityContext', 'seccompProfile'], isWeakProfile, 'its processes may ask anything of the node’s kernel', 'Write type: RuntimeDefault.'),
  baseline('appArmorProfile', ['securityContext', 'appArmorProfile'], isWeakProfile, 'nothing confines its processes on the node', 'Write type: RuntimeDefault.'),
  baseline('seLinuxOptions', ['securityContext', 'seLinuxOptions'], isWeakSeLinux, 'its processes are labelled as others than containers’', leaveOut),
  baseline('windowsHostProcess', ['securityContext', 'windowsOptions', 'hostProcess'], isNot(false), 'it runs on the node itself', leaveOut),
];
// In a user namespace of its own, root is nobody on the node.
const ofUser: readonly Rule[] = [
  restricted('runAsNonRoot', ['securityContext', 'runAsNonRoot'], isNot(true), 'it may run as root', 'Write runAsNonRoot: true.'),
  restricted('runAsUser', ['securityContext', 'runAsUser'], (value) => value === 0, 'it runs as root', 'Write another user than 0.'),
];

const capabilities = ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'];
const probes = [...['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => [probe]), ...['postStart', 'preStop'].map((moment) => ['lifecycle', moment])];
const procMount: Rule['isBad'] = isNot('Default');

const ofContainer: readonly Rule[] = [
  ...ofSecurityContext,
  baseline('privileged', ['securityContext', 'privileged'], isNot(false), 'it can do to the node whatever root can', leaveOut),
  baseline('capabilities_baseline', ['securityContext', 'capabilities', 'add', '*'], isNot(...capabilities), 'it gets a power that reaches beyond the container', leaveOut),
  baseline('hostPorts', ['ports', '*', 'hostPort'], isNot(0), 'it takes a port of the node', 'Use a Service.'),
  ...probes.flatMap((path) => ['httpGet', 'tcpSocket'].map((way) => baseline('hostProbesAndHostLifecycle', [...path, way, 'host'], isNot(''), 'the node would call somewhere else than the pod', leaveOut))),
  restricted('allowPrivilegeEscalation', ['securityContext', 'allowPrivilegeEscalation'], isNot(false), 'its processes may gain more rights than they start with', 'Write allowPrivilegeEscalation: false.'),
  restricted('capabilities_restricted', ['securityContext', 'capabilities', 'add', '*'], isNot('NET_BIND_SERVICE'), 'it gets a power that few programs need', leaveOut),
  restricted('procMount_restricted', ['securityContext', 'procMount'], procMount, 'it sees parts of /proc that are hidden from containers', leaveOut),
];
const ofContainerOutsideUserNamespace: readonly Rule[] = [...ofUser, baseline('procMount', ['securityContext', 'procMount'], procMount, 'it sees parts of /proc that are hidden from containers', leaveOut)];

const sysctls = [
  'kernel.shm_rmid_forced',
  ...['ip_local_port_range', 'ip_unprivileged_port_start', 'ip_local_reserved_ports', 'ping_group_range'].map((name) => `net.ipv4.${name}`),
  ...['syncookies', 'keepalive_time', 'fin_timeout', 'keepalive_intvl', 'keepalive_probes', 'rmem', 'wmem', 'slow_start_after_idle', 'notsent_lowat'].map((name) => `net.ipv4.tcp_${name}`),
];
const volumes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'];
const hostNamespace = 'it shares the node’s own';
const ofPod: readonly Rule[] = [
  ...ofSecurityContext,
  ...['hostNetwork', 'hostPID', 'hostIPC'].map((field) => baseline('hostNamespaces', [field], isNot(false), hostNamespace, leaveOut)),
  baseline('hostPathVolumes', ['volumes', '*', 'hostPath'], isThere, 'it opens the node’s files to the pod', 'Use a PersistentVolumeClaim.'),
  baseline('sysctls', ['securityContext', 'sysctls', '*', 'name'], isNot(...sysctls), 'it sets a part of the kernel that other pods share', leaveOut),
  restricted('restrictedVolumes', ['volumes', '*', '*'], (_value, key) => key !== 'name' && !volumes.includes(key), 'it is a volume that the cluster does not manage', 'Use a PersistentVolumeClaim.'),
];
const ofMetadata: readonly Rule[] = [
  baseline(
    'appArmorProfile',
    ['annotations', '*'],
    (value, key) => key.startsWith('container.apparmor.security.beta.kubernetes.io/') && !/^($|runtime\/default$|localhost\/)/.test(textOf(value)),
    'nothing confines its processes on the node',
    leaveOut,
  ),
];

/** What parts of a pod say against the standards, wherever they stand: the part may be a pod's spec, a container or its metadata. */
export const judgeSecurityOfPart = (part: Json, keys: readonly string[]): readonly Remark[] => judgeBy([...ofPod, ...ofContainer, ...ofContainerOutsideUserNamespace, ...ofMetadata], part, keys);

export const containerLists = ['initContainers', 'containers', 'ephemeralContainers'];
export const findContainers = (spec: Json | undefined, keys: readonly string[]) => containerLists.flatMap((list) => findPlaces(spec, [list, '*'], keys));

/** Judges a pod's template by the baseline standard (denied) and the restricted one. `isWhole`: what it does not say is not there, rather than left as it is. */
export function judgePodSecurity(template: Json | undefined, keys: readonly string[], isWhole: boolean): readonly Remark[] {
  const spec = at(template, 'spec');
  const specKeys = [...keys, 'spec'];
  const ownUsers = at(spec, 'hostUsers') === false;
  const forContainer = ownUsers ? ofContainer : [...ofContainer, ...ofContainerOutsideUserNamespace];
  const said = [
    ...judgeBy(ofMetadata, at(template, 'metadata'), [...keys, 'metadata']),
    ...judgeBy(ownUsers ? ofPod : [...ofPod, ...ofUser], spec, specKeys),
    ...findContainers(spec, specKeys).flatMap(({ value, keys: place }) => judgeBy(forContainer, value, place)),
  ];
  return isWhole ? [...said, ...findMissing(spec, specKeys, ownUsers)] : said;
}

/** What the restricted standard wants to be said. */
function findMissing(spec: Json | undefined, specKeys: readonly string[], ownUsers: boolean): readonly Remark[] {
  const miss = (check: string, keys: readonly string[], field: string, remedy: string): Remark => ({ result: 'review_plus', rule: `k8s.pss.restricted.${check}`, keys, reason: `${field} is not said, and its default is weak`, remedy });
  const isWindows = at(spec, 'os', 'name') === 'windows';
  const ofPodItself = at(spec, 'securityContext');
  return findContainers(spec, specKeys).flatMap(({ value, keys }) => {
    const context = at(value, 'securityContext');
    const dropped = at(context, 'capabilities', 'drop');
    return [
      ...(isWindows || at(context, 'allowPrivilegeEscalation') !== undefined ? [] : [miss('allowPrivilegeEscalation', keys, 'securityContext.allowPrivilegeEscalation', 'Write false.')]),
      ...(isWindows || (isList(dropped) && dropped.includes('ALL')) ? [] : [miss('capabilities_restricted', keys, 'securityContext.capabilities.drop', 'Write [ALL].')]),
      ...(isWindows || isObject(at(context, 'seccompProfile') ?? at(ofPodItself, 'seccompProfile')) ? [] : [miss('seccompProfile_restricted', keys, 'securityContext.seccompProfile', 'Write type: RuntimeDefault.')]),
      ...(ownUsers || (at(context, 'runAsNonRoot') ?? at(ofPodItself, 'runAsNonRoot')) !== undefined ? [] : [miss('runAsNonRoot', keys, 'securityContext.runAsNonRoot', 'Write true.')]),
    ];
  });
}
