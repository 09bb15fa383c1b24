import type { Fact, Measurement, Signal } from '../../domain/signal.js';
import type { Detector, SecretReference, Target } from '../../domain/watch.js';
import type { Detectors, KubernetesTarget } from '../ports.js';
import { measureAuditLog } from './audit-log-detector.js';
import { measureConfigFile, readConfigFile, type LastKnownGood } from './config-file-detector.js';
import { probeHttp } from './http-probe.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { measureKubernetes } from './kubernetes-detector.js';
import { readNamespace } from './kubernetes-namespace.js';
import { measurePostgres } from './postgres-detector.js';
import type { ReadSecret, TargetConnections } from './target-connections.js';

interface Found {
  readonly signals: readonly Signal[];
  readonly facts: readonly Fact[];
}

export interface ActiveIncidents {
  listActiveSevere(workspaceId: string, exceptId: string | null): Promise<readonly { readonly id: string; readonly title: string; readonly severity: string | null }[]>;
}

/** Every built-in detector behind one port. */
export function createDetectors(
  connections: TargetConnections,
  clientOf: (target: KubernetesTarget) => KubernetesClient,
  readSecret: ReadSecret,
  records: ActiveIncidents & LastKnownGood,
  now: () => Date,
): Detectors {
  const toText = (place: string | SecretReference, is?: 'place'): string => (typeof place === 'string' ? place : readSecret(place, is));

  async function ask(target: Target, detector: Detector, context: Parameters<Detectors['measure']>[1]): Promise<Found> {
    switch (detector.kind) {
      case 'postgres':
        if (target.kind !== 'postgres') return { signals: [], facts: [] };
        return measurePostgres(connections.poolOf(context.workspaceId, target), target.name, detector.thresholds);
      case 'audit-log':
        if (target.kind !== 'postgres') return { signals: [], facts: [] };
        return measureAuditLog(connections.poolOf(context.workspaceId, target), target.name, detector);
      case 'http-probe':
        if (target.kind !== 'http') return { signals: [], facts: [] };
        return { signals: await probeHttp(toText(target.url), target.name, detector), facts: [] };
      case 'config-file':
        if (target.kind !== 'config-file') return { signals: [], facts: [] };
        return measureConfigFile(toText(target.path, 'place'), target, () => records.readLastKnownGood(context.workspaceId, target.name), now);
      case 'kubernetes':
        if (target.kind !== 'kubernetes') return { signals: [], facts: [] };
        return measureKubernetes(clientOf(target), target, detector, () => records.readLastKnownGood(context.workspaceId, target.name), now);
      case 'host': {
        if (target.kind !== 'host') return { signals: [], facts: [] };
        const { name, serves, units, containers } = target;
        return { signals: [], facts: [{ kind: 'host', id: `${name}/host`, target: name, serves, units, containers }] };
      }
      case 'active-incidents': {
        const active = await records.listActiveSevere(context.workspaceId, context.incidentId);
        return {
          signals: [{ target: target.name, name: 'activeIncidents', title: 'open SEV-0/1 incidents', unit: 'count', value: active.length, threshold: detector.maxIncidents, better: 'lower' }],
          facts: active.map(({ id, title, severity }) => ({ kind: 'activeIncident', id: `${target.name}/incident/${id}`, target: target.name, title, severity: severity ?? 'HIGH' })),
        };
      }
    }
  }

  /** A target that cannot be asked is unavailable, and everything else about it is missing: silence is never well. */
  async function askOrSay(target: Target, detector: Detector, context: Parameters<Detectors['measure']>[1]): Promise<Found> {
    if (target.kind !== 'postgres' && target.kind !== 'kubernetes') return ask(target, detector, context);
    const availability = (value: 0 | 100): Signal => ({
      target: target.name,
      name: `${detector.kind}-availability`,
      title: `${detector.kind} availability`,
      unit: 'percent',
      value,
      threshold: 100,
      better: 'higher',
    });
    try {
      const { signals, facts } = await ask(target, detector, context);
      return { signals: [availability(100), ...signals], facts };
    } catch (error) {
      const because = error instanceof Error && error.message !== '' ? error.message : String(error);
      return {
        signals: [availability(0)],
        facts: [{ kind: 'unreachable', id: `${target.name}/unreachable/${detector.kind}`, target: target.name, because: because.slice(0, 300) }],
      };
    }
  }

  return {
    readConfiguration: (target) => (target.kind === 'kubernetes' ? readNamespace(clientOf(target), target.namespace) : readConfigFile(toText(target.path, 'place'))),
    async measure(targets, context): Promise<Measurement> {
      const found = await Promise.all(targets.flatMap((target) => target.detectors.map((detector) => askOrSay(target, detector, context))));
      return { measuredAt: now().toISOString(), signals: found.flatMap(({ signals }) => signals), facts: found.flatMap(({ facts }) => facts) };
    },
  };
}
