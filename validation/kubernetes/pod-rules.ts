import type { Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';
import { judgeVariables } from './environment.js';
import { isImage } from './names.js';
import { findContainers } from './pod-security.js';
import { at, deny, doubt, findPlaces, isNot, isThere, judgeBy, onlyFields, type Remark, type Rule, textOf } from './rules.js';

const controlPlane = /node-role\.kubernetes\.io\/|control-?plane|master/;
const mentionsControlPlane = (value: Json): boolean => controlPlane.test(JSON.stringify(value));
const rights = 'its pods get the rights of that account, which this does not say';
const where = 'it decides on which node its pods run, past the scheduler';

const ofPod: readonly Rule[] = [
  onlyFields(
    [],
    ['activeDeadlineSeconds', 'affinity', 'automountServiceAccountToken', 'containers', 'dnsConfig', 'dnsPolicy', 'enableServiceLinks', 'ephemeralContainers', 'hostAliases', 'hostIPC', 'hostNetwork', 'hostPID', 'hostUsers', 'hostname', 'imagePullSecrets', 'initContainers', 'nodeName', 'nodeSelector', 'os', 'overhead', 'preemptionPolicy', 'priority', 'priorityClassName', 'readinessGates', 'resources', 'restartPolicy', 'runtimeClassName', 'schedulerName', 'schedulingGates', 'securityContext', 'serviceAccount', 'serviceAccountName', 'setHostnameAsFQDN', 'shareProcessNamespace', 'subdomain', 'terminationGracePeriodSeconds', 'tolerations', 'topologySpreadConstraints', 'volumes'],
  ),
  deny('ephemeralContainer', ['ephemeralContainers', '*'], isThere, 'it looks into a pod that runs, and is no part of a manifest'),
  doubt('serviceAccount', ['serviceAccountName'], isNot('', 'default'), rights),
  doubt('serviceAccount', ['serviceAccount'], isNot('', 'default'), rights),
  doubt('serviceAccount', ['automountServiceAccountToken'], isNot(false), 'every program in its pods can call the API server'),
  doubt('serviceAccount', ['volumes', '*', 'projected', 'sources', '*', 'serviceAccountToken'], isThere, 'it makes a token for its pods'),
  doubt('volume', ['volumes', '*', 'csi'], isThere, 'its driver decides what it opens'),
  doubt('volume', ['volumes', '*', 'image'], isThere, 'what is in that image cannot be seen here'),
  doubt('names', ['hostAliases', '*'], isThere, 'it decides what names mean in its pods'),
  doubt('names', ['dnsConfig', 'nameservers', '*'], isThere, 'another server decides what names mean in its pods'),
  doubt('node', ['nodeName'], isNot(''), where),
  doubt('node', ['tolerations', '*'], (value) => at(value, 'key') === undefined || mentionsControlPlane(at(value, 'key') ?? ''), 'its pods may run on every node, also those of the control plane', 'Name the one taint that is meant.'),
  doubt('node', ['nodeSelector', '*'], (_value, key) => controlPlane.test(key), 'its pods run on nodes of the control plane'),
  doubt('node', ['affinity', 'nodeAffinity'], mentionsControlPlane, 'its pods run on nodes of the control plane'),
  doubt('node', ['schedulerName'], isNot('default-scheduler'), where),
  doubt('node', ['runtimeClassName'], isThere, 'another runtime decides how its pods are kept from the node'),
  doubt('priority', ['priorityClassName'], isThere, 'other pods may be ended to make room for its own'),
  doubt('priority', ['priority'], isNot(0), 'other pods may be ended to make room for its own'),
  doubt('processes', ['shareProcessNamespace'], isNot(false), 'its containers see each other’s processes and secrets'),
];

const ofContainer: readonly Rule[] = [
  onlyFields(
    [],
    ['args', 'command', 'env', 'envFrom', 'image', 'imagePullPolicy', 'lifecycle', 'livenessProbe', 'name', 'ports', 'readinessProbe', 'resizePolicy', 'resources', 'restartPolicy', 'restartPolicyRules', 'securityContext', 'startupProbe', 'stdin', 'stdinOnce', 'targetContainerName', 'terminationMessagePath', 'terminationMessagePolicy', 'tty', 'volumeDevices', 'volumeMounts', 'workingDir'],
  ),
  onlyFields(['securityContext'], ['allowPrivilegeEscalation', 'appArmorProfile', 'capabilities', 'privileged', 'procMount', 'readOnlyRootFilesystem', 'runAsGroup', 'runAsNonRoot', 'runAsUser', 'seLinuxOptions', 'seccompProfile', 'windowsOptions']),
  deny('image', ['image'], (value) => typeof value !== 'string' || !isImage(value), 'it is not the name of an image', 'Write an image, such as registry.example.com/shop/web:v2.'),
  doubt('volume', ['volumeDevices', '*'], isThere, 'it writes to a disk below the file system'),
  doubt('volume', ['volumeMounts', '*', 'mountPropagation'], isNot('None'), 'what it mounts is seen outside of the container'),
];

/** What a part of a pod may not plainly say, wherever it stands: the part may be a pod's spec or a container. */
export const judgePart = (part: Json, keys: readonly string[]): readonly Remark[] => [...judgeBy([...ofPod, ...ofContainer].filter(({ rule }) => rule !== 'k8s.field'), part, keys), ...judgeVariables(part, keys)];

/** Judges what a pod's template says beside what the Pod Security Standards are about. */
export function judgePod(template: Json | undefined, keys: readonly string[]): readonly Remark[] {
  const spec = at(template, 'spec');
  return [...judgeBy(ofPod, spec, [...keys, 'spec']), ...findContainers(spec, [...keys, 'spec']).flatMap(({ value, keys: place }) => [...judgeBy(ofContainer, value, place), ...judgeVariables(value, place)])];
}

/** A command line that runs in a container. */
export interface ContainerCommand {
  readonly keys: readonly string[];
  readonly words: readonly string[];
}

/** All that containers are told to run, at the start and at any other moment. */
export function findCommands(template: Json | undefined, keys: readonly string[]): readonly ContainerCommand[] {
  return findContainers(at(template, 'spec'), [...keys, 'spec']).flatMap(({ value: container, keys: place }) => {
    const handlers = [['livenessProbe'], ['readinessProbe'], ['startupProbe'], ['lifecycle', 'postStart'], ['lifecycle', 'preStop']].flatMap((path) => findPlaces(container, [...path, 'exec', 'command'], place));
    const main = { keys: [...place, isObject(container) && 'command' in container ? 'command' : 'args'], words: [...readWords(at(container, 'command')), ...readWords(at(container, 'args'))] };
    return [main, ...handlers.map((handler) => ({ keys: handler.keys, words: readWords(handler.value) }))].filter(({ words }) => words.length > 0);
  });
}

const readWords = (json: Json | undefined): readonly string[] => (isList(json) ? json.map(textOf) : []);
