import type { Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';
import { allOf, type FieldRule, listOf, mapOf, mapOfSome, someOf, value } from './field-rules.js';
import { isImage, isLabel } from './names.js';

export const MAX_REPLICAS = 1_000;

const holdsNull = (json: Json): boolean => json === null || (isList(json) ? json : isObject(json) ? Object.values(json) : []).some(holdsNull);
const isWhole = (json: Json): json is number => typeof json === 'number' && Number.isSafeInteger(json);

const text = value('text (in quotes, where it looks like something else)', (json) => typeof json === 'string');
const whole = value('a whole number', isWhole);
const textOrWhole = value('text or a whole number', (json) => typeof json === 'string' || isWhole(json));
const flag = value('true or false', (json) => typeof json === 'boolean');
const anything = value('a value without null in it', (json) => !holdsNull(json));
const oneOf = (...words: readonly string[]) => value(`one of ${words.join(', ')}`, (json) => typeof json === 'string' && words.includes(json));
// None is an outage, and not a repair.
const replicas = value(`a whole number from 1 to ${MAX_REPLICAS}`, (json) => isWhole(json) && json >= 1 && json <= MAX_REPLICAS);
const quantity = value('a quantity, such as 500m or 1Gi', (json) => /^\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?$/.test(typeof json === 'number' ? `${json}` : typeof json === 'string' ? json : ''));
const image = value('an image, such as registry.example/shop/web:v2', (json) => typeof json === 'string' && isImage(json));
const containerName = value('the name of a container', (json) => typeof json === 'string' && isLabel(json));

const ofKubernetes = /^([a-z0-9.-]+\.)?(kubernetes|k8s)\.io\//;
const harmless = /^(app\.kubernetes\.io\/.*|kubernetes\.io\/(change-cause|description)|kubectl\.kubernetes\.io\/restartedAt)$/;
// Kubernetes reads settings from annotations of its own, some of which decide what pods may do to the node.
const annotations = mapOfSome(text, (key) => !ofKubernetes.test(key) || harmless.test(key));
const metadata = someOf({ labels: mapOf(text), annotations });

const probe = someOf({
  exec: allOf({ command: listOf(text) }),
  httpGet: someOf({ path: text, port: textOrWhole, scheme: oneOf('HTTP', 'HTTPS'), httpHeaders: listOf(allOf({ name: text, value: text })) }),
  tcpSocket: someOf({ port: textOrWhole }),
  grpc: allOf({ port: whole, service: text }),
  initialDelaySeconds: whole,
  periodSeconds: whole,
  timeoutSeconds: whole,
  successThreshold: whole,
  failureThreshold: whole,
  terminationGracePeriodSeconds: whole,
});
const reference = allOf({ name: text, key: text, optional: flag });
const container = someOf({
  name: containerName,
  image,
  command: listOf(text),
  args: listOf(text),
  env: listOf(
    allOf({
      name: text,
      value: text,
      valueFrom: allOf({
        configMapKeyRef: reference,
        secretKeyRef: reference,
        fieldRef: allOf({ apiVersion: text, fieldPath: text }),
        resourceFieldRef: allOf({ containerName: text, resource: text, divisor: quantity }),
      }),
    }),
  ),
  ports: listOf(someOf({ name: text, containerPort: whole, protocol: oneOf('TCP', 'UDP', 'SCTP') })),
  resources: allOf({ limits: mapOf(quantity), requests: mapOf(quantity) }),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
});
const template = someOf({ metadata, spec: someOf({ containers: listOf(container) }) });
const workload = someOf({ metadata, spec: someOf({ replicas, template }) });

/** What of an object may change, by its kind. What is not here needs a person with kubectl. */
export const allowedFields: Readonly<Partial<Record<string, FieldRule>>> = {
  Deployment: workload,
  StatefulSet: workload,
  DaemonSet: someOf({ metadata, spec: someOf({ template }) }),
  Service: someOf({
    metadata,
    spec: someOf({
      selector: mapOf(text),
      type: oneOf('ClusterIP', 'NodePort', 'LoadBalancer'),
      ports: listOf(allOf({ name: text, port: whole, targetPort: textOrWhole, protocol: oneOf('TCP', 'UDP', 'SCTP'), appProtocol: text, nodePort: whole })),
    }),
  }),
  ConfigMap: someOf({ metadata, data: mapOf(text), binaryData: mapOf(text) }),
  NetworkPolicy: someOf({ metadata, spec: allOf({ podSelector: anything, policyTypes: listOf(oneOf('Ingress', 'Egress')), ingress: anything, egress: anything }) }),
  HorizontalPodAutoscaler: someOf({ metadata, spec: someOf({ minReplicas: replicas, maxReplicas: replicas, metrics: anything }) }),
  ResourceQuota: someOf({ metadata, spec: someOf({ hard: mapOf(quantity) }) }),
};
