import { readContents, toKey } from '../../domain/kubernetes-configuration.js';
import { toObjectChange } from '../../domain/kubernetes-change.js';
import { get } from '../../domain/kubernetes-desired.js';
import { findRevision, judgeNamespace } from '../../domain/kubernetes-health.js';
import { findLastEdit } from '../../domain/kubernetes-edit.js';
import { findOwner } from '../../domain/kubernetes-owner.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';
import type { Fact, ObjectChangeFact, Signal } from '../../domain/signal.js';
import { MAX_OBJECTS } from '../../domain/verification.js';
import { type Detector, type KubernetesSignal, kubernetesSignals } from '../../domain/watch.js';
import { validateKubectl } from '../../validation/kubectl/validate-kubectl.js';
import { allowedFields } from '../../validation/kubernetes/allowed-fields.js';
import { findWrongChange } from '../../validation/kubernetes/field-rules.js';
import { validateManifest } from '../../validation/kubernetes/validate-manifest.js';
import type { KubernetesTarget } from '../ports.js';
import type { LastKnownGood } from './config-file-detector.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { readConfigured, toNamespaceContents } from './kubernetes-namespace.js';

const MAX_FACTS = 20;
const titles: Readonly<Record<KubernetesSignal, string>> = {
  waitingPods: 'pods that cannot start',
  restarts: 'restarts of containers',
  oomKills: 'containers killed for their memory',
  pendingPods: 'pods that no node takes',
  unavailableReplicas: 'replicas that are missing',
  emptyServices: 'services without a ready pod',
};

type Good = Awaited<ReturnType<LastKnownGood['readLastKnownGood']>>;

/** Measures one namespace, and how it differs from what it was when it last worked. Throws where it cannot be asked. */
export async function measureKubernetes(
  client: KubernetesClient,
  target: KubernetesTarget,
  { thresholds, windowMs }: Extract<Detector, { kind: 'kubernetes' }>,
  readGood: () => Promise<Good>,
  now: () => Date,
): Promise<{ readonly signals: readonly Signal[]; readonly facts: readonly Fact[] }> {
  const { name, namespace } = target;
  const [{ objects: configured, showsSecrets }, pods, replicaSets, endpointSlices, good] = await Promise.all([
    readConfigured(client, namespace),
    client.list('v1', 'Pod', namespace),
    client.list('apps/v1', 'ReplicaSet', namespace),
    client.list('discovery.k8s.io/v1', 'EndpointSlice', namespace),
    readGood(),
  ]);
  const nowMs = now().getTime();
  const { values, troubles, standing } = judgeNamespace({ configured, pods, replicaSets, endpointSlices }, nowMs, windowMs);
  const signals = kubernetesSignals.flatMap((signal): readonly Signal[] => {
    const threshold = thresholds[signal];
    return threshold === undefined ? [] : [{ target: name, name: signal, title: titles[signal], unit: 'count', value: values[signal], threshold, better: 'lower' }];
  });
  const podTroubles = troubles.slice(0, MAX_FACTS).map((trouble): Fact => ({ kind: 'podTrouble', id: `${name}/pod/${trouble.pod}`, target: name, namespace, ...trouble }));
  const changes = good === undefined ? [] : toChanges(target, good, { configured, showsSecrets, replicaSets, nowMs });
  return { signals, facts: [...podTroubles, ...changes, { kind: 'objects', id: `${name}/objects`, target: name, of: 'workloads', names: standing.slice(0, MAX_OBJECTS) }] };
}

interface Seen {
  readonly configured: readonly KubernetesObject[];
  readonly showsSecrets: boolean;
  readonly replicaSets: readonly KubernetesObject[];
  readonly nowMs: number;
}

function toChanges(target: KubernetesTarget, good: NonNullable<Good>, seen: Seen): readonly ObjectChangeFact[] {
  const before = readContents(good.content);
  const after = toNamespaceContents(seen.configured);
  const stored = new Map(seen.configured.map((object) => [toKey(object), object]));
  const keys = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  // Secrets that may not be read any more are not gone.
  const isHidden = (key: string): boolean => !seen.showsSecrets && key.startsWith('v1/Secret/');
  return keys
    .filter((key) => !isHidden(key))
    .flatMap((key) => toFact(target, { good: before.get(key), now: after.get(key), stored: stored.get(key) }, good.wellAt, seen))
    .toSorted((one, other) => one.changeAgeMs - other.changeAgeMs)
    .slice(0, MAX_FACTS);
}

type States = { readonly good: KubernetesObject | undefined; readonly now: KubernetesObject | undefined; readonly stored: KubernetesObject | undefined };

function toFact({ name: target, namespace, serves }: KubernetesTarget, { good, now, stored }: States, goodAt: Date, { replicaSets, nowMs }: Seen): readonly ObjectChangeFact[] {
  const change = toObjectChange(good, now, (kind, keys, value) => {
    const rule = allowedFields[kind];
    return rule !== undefined && findWrongChange(keys, value, rule).length === 0;
  });
  if (change === undefined) return [];
  const { places, onlyTemplateChanged, ...shown } = change;
  const restore = shown.restore !== null && isAllowed(shown.restore) ? shown.restore : null;
  const edit = stored === undefined ? undefined : findLastEdit(stored, places);
  // Clocks differ; it cannot have been changed before it was last seen to be good.
  const changedAtMs = Math.min(nowMs, Math.max(edit?.at.getTime() ?? 0, goodAt.getTime()));
  const owner = findOwner(stored ?? good ?? { apiVersion: '', kind: '', metadata: { name: '' } });
  const canUndo = stored?.kind === 'Deployment' && change.templateChanged && onlyTemplateChanged;
  return [
    {
      kind: 'objectChange',
      id: `${target}/objectChange/${shown.object}`,
      target,
      namespace,
      serves,
      ...shown,
      changes: restore === null ? shown.changes.map((one) => ({ ...one, isRestored: false })) : shown.changes,
      restore,
      restoresAll: restore !== null && shown.restoresAll,
      goodRevision: canUndo ? findRevision(stored, get(good, ['spec', 'template']), replicaSets) : null,
      owner: owner === undefined ? null : `${owner.tool} (${owner.what})`,
      changedBy: edit?.by ?? null,
      goodAt: goodAt.toISOString(),
      changedAt: new Date(changedAtMs).toISOString(),
      changeAgeMs: nowMs - changedAtMs,
    },
  ];
}

/** Whether the step would be let through: what will be denied is no offer. */
const isAllowed = ({ type, script }: NonNullable<ObjectChangeFact['restore']>): boolean => (type === 'kubernetes' ? validateManifest(script) : validateKubectl(script)).result !== 'denied';

