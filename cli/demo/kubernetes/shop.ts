import type { Json } from '../../../domain/canonical.js';
import type { KubernetesObject } from '../../../domain/kubernetes.js';

export const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
export const service = { apiVersion: 'v1', kind: 'Service', name: 'shop' };
export const settings = { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop' };

export const REPLICAS = 2;
const labels = { app: 'shop' };
const toObject = ({ apiVersion, kind, name }: typeof deployment, content: Readonly<Record<string, Json>>): KubernetesObject => ({ apiVersion, kind, metadata: { name, labels }, ...content });

/** A small shop: two pods behind a Service, that say their version, and settings that they read when they start. */
export const toShop = (image: string, version: string): readonly KubernetesObject[] => [
  toObject(settings, { data: { PORT: '8080', GREETING: 'welcome' } }),
  toObject(deployment, { spec: { replicas: REPLICAS, selector: { matchLabels: labels }, template: toTemplate(image, version) } }),
  toObject(service, { spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] } }),
];

/** What a rollout of a version changes. */
export const toTemplate = (image: string, version: string): Json => ({
  metadata: { labels: { ...labels, 'app.kubernetes.io/version': version }, annotations: { version } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'shop',
        image,
        command: ['sh', '-c', 'mkdir -p /tmp/www && echo "$GREETING to shop $VERSION" > /tmp/www/index.html && exec httpd -f -p "$PORT" -h /tmp/www'],
        env: [{ name: 'VERSION', value: version }],
        envFrom: [{ configMapRef: { name: 'shop' } }],
        ports: [{ containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
      },
    ],
  },
});
