import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiClient, type ApiClient } from '../../cli/client.js';
import { awaitSweep } from '../../cli/demo/await-sweep.js';
import type { Named } from '../../cli/demo/kubernetes/cluster.js';
import { deployment, service, settings, toShop } from '../../cli/demo/kubernetes/shop.js';
import { untilKnownGood } from '../../cli/demo/until-known-good.js';
import type { Gate, IncidentDetail } from '../../contracts/http.js';
import { canonicalize } from '../../domain/canonical.js';
import { toContent } from '../../domain/kubernetes.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { image, kubeconfig, openNamespace, type TestNamespace } from '../harness/kubernetes.js';
import { npmStart, type NpmStart } from '../harness/npm-start.js';
import { until } from '../harness/until.js';

const denyAll: Named = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: 'deny-all' };
const VERSION = 'v2.4.0';

interface Scenario {
  readonly what: string;
  /** What somebody changes, and how. */
  readonly object: Named;
  readonly breakIt: (shop: TestNamespace) => Promise<unknown>;
  /** Which target is unwell: what is in the namespace, or what its customers see. */
  readonly unwell: 'namespace' | 'door';
  readonly explains: RegExp;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  scaled: {
    what: 'a workload that somebody scaled to nothing',
    object: deployment,
    breakIt: (shop) => shop.merge(deployment, { spec: { replicas: 0 } }, 'kubectl-scale'),
    unwell: 'namespace',
    explains: /deployment\/shop.*replicas.*0.*2/,
  },
  port: {
    what: 'a Service whose port leads nowhere',
    object: service,
    breakIt: (shop) => shop.merge(service, { spec: { ports: [{ name: 'http', port: 80, targetPort: 8081 }] } }, 'kubectl-edit'),
    unwell: 'door',
    explains: /service\/shop.*[pP]ort.*8081.*8080/,
  },
  policy: {
    what: 'a NetworkPolicy that lets nobody in',
    object: denyAll,
    breakIt: (shop) => shop.apply({ apiVersion: denyAll.apiVersion, kind: denyAll.kind, metadata: { name: denyAll.name }, spec: { podSelector: {}, policyTypes: ['Ingress'] } }, 'kubectl'),
    unwell: 'door',
    explains: /networkpolicy\/deny-all/,
  },
  settings: {
    what: 'a ConfigMap with which the app crashes',
    object: settings,
    async breakIt(shop) {
      await shop.merge(settings, { data: { PORT: 'http' } }, 'kubectl-edit');
      // It is read when the app starts.
      for (const { metadata } of await shop.list('v1', 'Pod')) await shop.remove({ apiVersion: 'v1', kind: 'Pod', name: metadata.name });
    },
    unwell: 'namespace',
    explains: /configmap\/shop.*PORT.*http.*8080/,
  },
};

const shops = new Map<string, TestNamespace>();
const shopOf = (name: string): TestNamespace => {
  const shop = shops.get(name);
  if (shop === undefined) throw new Error(`there is no shop ${name}`);
  return shop;
};

let folder: string;
let database: FreshDatabase;
let door: Server;
let sluice: NpmStart;
let api: ApiClient;

/** What customers see, outside of the cluster. The test's cluster keeps NetworkPolicies without enforcing them, so the door does. */
async function ask(name: string): Promise<boolean> {
  const shop = shopOf(name);
  const policies = await shop.list('networking.k8s.io/v1', 'NetworkPolicy');
  return policies.length === 0 && (await shop.askService('shop')) === `welcome to shop ${VERSION}\n`;
}

const toYaml = (doorUrl: string): string => `version: 1
workspaces:
  demo:
    stabilization: 3s
    sweep: { every: 1s }
    targets:
${Object.entries(scenarios)
  .map(
    ([name, { unwell }]) => `      shop-${name}:
        kind: kubernetes
        kubeconfig: { env: KUBECONFIG }
        namespace: ${shopOf(name).namespace}
        executor: kubernetes
        kubernetes: { restarts: 1000 }
${unwell === 'namespace' ? '' : `        serves: [door-${name}]\n      door-${name}: { kind: http, url: '${doorUrl}', probe: { path: '/${name}' } }\n`}`,
  )
  .join('')}`;

beforeAll(async () => {
  await Promise.all(Object.keys(scenarios).map(async (name) => shops.set(name, await openNamespace())));
  for (const shop of shops.values()) await shop.applyAll(toShop(image, VERSION));
  for (const shop of shops.values()) await shop.untilRolledOut('shop');
  door = createServer((request, answer) => {
    ask(request.url?.slice(1) ?? '').then(
      (isOpen) => answer.writeHead(isOpen ? 200 : 503).end('{}'),
      () => answer.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  folder = mkdtempSync(join(tmpdir(), 'sluice-scenarios-'));
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, 'sluice.yaml'), toYaml(`http://127.0.0.1:${(door.address() as AddressInfo).port}`));
  database = await freshDatabase();
  sluice = await npmStart(join(folder, 'home'), { SLUICE_CONFIG: join(folder, 'sluice.yaml'), DATABASE_URL: database.url, TEMPORAL_ADDRESS: '', KUBECONFIG: kubeconfig });
  api = createApiClient(sluice.apiUrl, sluice.token);
  // Of a younger Service it is no trouble that nothing stands behind it.
  for (const shop of shops.values()) await shop.untilIs('a Service that is no longer new', service, ({ metadata }) => Date.now() - Date.parse(`${metadata['creationTimestamp'] as string}`) > 31_000, 60_000);
  for (const name of shops.keys()) await untilKnownGood(database.url, `shop-${name}`, () => true, () => {});
}, 240_000);

afterAll(async () => {
  await sluice?.stop();
  await database?.close();
  door?.close();
  for (const shop of shops.values()) await shop.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const detailOf = (id: string) => api.get<IncidentDetail>(`/api/incidents/${id}`);

async function approve(id: string, kind: Gate['kind']): Promise<void> {
  const gate = await until(
    `the ${kind} gate`,
    async () => {
      const incident = await detailOf(id);
      if (incident.gate?.state !== 'open') return undefined;
      if (incident.gate.kind !== kind) throw new Error(`at the gate ${incident.gate.kind}: ${JSON.stringify(incident, null, 1)}`);
      return incident.gate;
    },
    120_000,
  );
  await api.post(`/api/incidents/${id}/decisions`, { decisionId: randomUUID(), gateId: gate.id, digest: gate.digest, verdict: 'approve', reason: 'a test' });
}

const contentOf = async (shop: TestNamespace, object: Named): Promise<string | undefined> => {
  const found = await shop.read(object);
  return found && canonicalize(toContent(found));
};

describe.each(Object.entries(scenarios))('%s', (name, { what, object, breakIt, unwell, explains }) => {
  it(
    `${what}: found by the difference, fixed, verified, and rolled back to the byte`,
    async () => {
      const shop = shopOf(name);
      const good = await contentOf(shop, object);
      await breakIt(shop);
      const broken = await contentOf(shop, object);
      expect(broken).not.toBe(good);
      await until('its customers to notice', async () => !(await ask(name)));

      const alarm = awaitSweep(api, `${unwell === 'door' ? 'door' : 'shop'}-${name}`);
      const id = await alarm.incidentId;
      await approve(id, 'execution');
      await until('its customers to be well', () => ask(name), 90_000);
      expect(await contentOf(shop, object)).toBe(good);
      const { rootCause, plan } = await detailOf(id);
      expect(rootCause).toMatchObject({ category: 'configuration', details: expect.stringMatching(explains) });
      expect(plan?.rehearsal[0]?.lines.join('\n')).toContain(object.name);

      await approve(id, 'verification');
      expect(await until('the end', async () => (await detailOf(id)).outcome ?? undefined, 60_000)).toBe('RESOLVED');

      await api.post(`/api/incidents/${id}/rollback`, { reason: 'a test' });
      await until('the rollback', async () => (await detailOf(id)).outcome === 'ROLLED_BACK', 60_000);
      expect(await contentOf(shop, object)).toBe(broken);
    },
    300_000,
  );
});
