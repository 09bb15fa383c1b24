import { parse } from 'yaml';
import { deny, plus } from './notes.js';
import type { Call } from './program-rule.js';
import { isKnown, type Word } from './words.js';

const powers = /^(privileged|allowPrivilegeEscalation|capabilities|hostPID|hostIPC|hostNetwork|hostPath|hostUsers|hostPort|securityContext|serviceAccount(Name)?|automountServiceAccountToken|runAs\w+|procMount|seccompProfile|appArmorProfile|seLinuxOptions|sysctls|shareProcessNamespace|secret(Ref|KeyRef|Name)?|imagePullSecrets|roleRef|subjects|rules|clusterRole|webhooks|caBundle|bearerToken\w*|externalIPs|externalName|runtimeClassName|nodeName|namespace)$/;
const programs = /^(command|args|exec|lifecycle|initContainers|ephemeralContainers|volumes|volumeMounts|volumeDevices|envFrom|valueFrom)$/;
const workload = /^(deployments?|deploy|statefulsets?|sts|daemonsets?|ds|deploymentconfigs?|dc|replicasets?|rs|pods?|po|jobs?|cronjobs?|cj)$/;
// Kinds whose fields say how much, how many and where to, and run nothing.
const plainKinds = /^(horizontalpodautoscalers?|hpa|poddisruptionbudgets?|pdb|services?|svc|ingress(es)?|ing|persistentvolumeclaims?|pvc|routes?|configmaps?|cm|resourcequotas?|quota|limitranges?|verticalpodautoscalers?|vpa|scaledobjects?|endpoints?|ep)$/;
const plainFields =
  /^(metadata|annotations|labels|spec|replicas|paused|suspend|minReadySeconds|progressDeadlineSeconds|revisionHistoryLimit|strategy|updateStrategy|type|rollingUpdate|maxSurge|maxUnavailable|partition|template|containers|name|resources|limits|requests|cpu|memory|ephemeral-storage|env|value|livenessProbe|readinessProbe|startupProbe|httpGet|tcpSocket|path|port|scheme|initialDelaySeconds|periodSeconds|timeoutSeconds|failureThreshold|successThreshold|terminationGracePeriodSeconds|nodeSelector|tolerations|key|operator|effect|priorityClassName|restartPolicy|topologySpreadConstraints|schedule|concurrencyPolicy|startingDeadlineSeconds|successfulJobsHistoryLimit|failedJobsHistoryLimit|backoffLimit|activeDeadlineSeconds|parallelism|completions|ttlSecondsAfterFinished|imagePullPolicy|jobTemplate|image)$/;

/** Judges the body of a patch by the fields that it sets. */
export function judgePatch(body: Word, kind: string, call: Call): void {
  const object = (objection: ReturnType<typeof plus>): void => call.object(body.position, objection);
  if (!isKnown(body.text)) return object(plus('patch', 'part of the patch is not in the text', 'Write the whole patch.'));
  const fields = fieldsOf(body.text);
  if (fields === undefined) return object(deny('patch', 'the patch cannot be read', 'Write it as JSON.'));
  for (const { name, value } of fields) {
    if (powers.test(name)) return object(deny('patch', `${name} gives more rights, or leads to secrets`, 'Leave it as it is.'));
    if (/^(LD_\w+|BASH_ENV|PYTHONPATH|NODE_OPTIONS|JAVA_TOOL_OPTIONS|\w*PRELOAD\w*|PATH)$/.test(value)) return object(deny('patch', `${value} decides what the program loads`, 'Leave it out.'));
  }
  const ran = fields.find(({ name }) => programs.test(name));
  if (ran !== undefined) return object(plus('patch', `${ran.name} decides what runs in the pod, or what it can reach`, 'Let two people look at it.'));
  if (fields.some(({ name }) => name === 'finalizers' || name === 'ownerReferences')) return object(plus('patch', 'what was to be cleaned up first is left behind', 'Find out what holds the object.'));
  if (plainKinds.test(kind)) return;
  if (!workload.test(kind)) return object(plus('patch', 'no rule knows the fields of this kind', 'Let two people look at it.'));
  for (const { name, value, isLabel } of fields) {
    if (!isLabel && !plainFields.test(name) && !/^\d+$|^-$/.test(name)) return object(plus('patch', `no rule knows the field ${name}`, 'Let two people look at it.'));
    if (name === 'image' && !/^[\w.-]+(:\d+)?\/[\w./-]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(value)) return object(plus('patch', 'the image may be anything when it is pulled', 'Name registry, image and a fixed version.'));
    if (name === 'replicas' && value === '0') return object(plus('patch', 'with no replicas the service is not there', 'Scale to one at least.'));
  }
}

interface Field {
  readonly name: string;
  readonly value: string;
  /** Below labels and annotations names are free. */
  readonly isLabel: boolean;
}

function fieldsOf(text: string): readonly Field[] | undefined {
  let tree: unknown;
  try {
    tree = parse(text, { maxAliasCount: 0, logLevel: 'silent' });
  } catch {
    return undefined;
  }
  if (typeof tree !== 'object' || tree === null) return undefined;
  const fields: Field[] = [];
  const visit = (node: unknown, name: string, isLabel: boolean): void => {
    if (Array.isArray(node)) return node.forEach((each) => visit(each, name, isLabel));
    if (typeof node !== 'object' || node === null) return void fields.push({ name, value: String(node), isLabel });
    for (const [key, value] of Object.entries(node)) {
      fields.push({ name: key, value: '', isLabel });
      visit(value, key, isLabel || /^(labels|annotations|matchLabels|nodeSelector|data|limits|requests)$/.test(key));
    }
  };
  if (!Array.isArray(tree)) visit(tree, '', false);
  else for (const operation of tree) {
    // A JSON patch names its field by a path.
    if (typeof operation !== 'object' || operation === null || !('path' in operation) || typeof operation.path !== 'string' || !('op' in operation) || !/^(add|replace|remove|test)$/.test(String(operation.op))) return undefined;
    const steps: readonly string[] = operation.path.split('/').slice(1).map((step: string) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const label = steps.findIndex((step) => /^(labels|annotations|nodeSelector|data|limits|requests)$/.test(step));
    steps.forEach((step, index) => fields.push({ name: step, value: '', isLabel: label >= 0 && index > label }));
    if ('value' in operation) visit(operation.value, steps.at(-1) ?? '', label >= 0);
  }
  return fields;
}
