import { readDurationMs } from '../domain/duration.js';
import type { Channel, Detector, PostgresSignal, Target, Workspace } from '../domain/watch.js';
import type { WrittenChannel, WrittenTarget, WrittenWorkspace } from './sluice-yaml-schema.js';

const ms = (text: string | undefined, fallback: string): number => readDurationMs(text ?? fallback) ?? 0;

/** A workspace as it is written, with the defaults of what is not. */
export function toWorkspace(id: string, workspace: WrittenWorkspace): Workspace {
  const { executionGate = {}, verificationGate = {}, escalation = {}, breaker = {} } = workspace;
  return {
    id,
    targets: Object.entries(workspace.targets).map(([name, target]) => toTarget(name, target)),
    alertRules: workspace.alertRules ?? [],
    sweepEveryMs: workspace.sweep === undefined ? null : ms(workspace.sweep.every, '1m'),
    channels: Object.entries(workspace.channels ?? {}).map(([name, channel]) => toChannel(name, channel)),
    startingPolicy: {
      autonomy: workspace.autonomy ?? 'supervised',
      approvals: { LOW: 1, MEDIUM: 1, HIGH: 1, CRITICAL: 2, ...workspace.approvals },
      approvers: {
        session: 'responder',
        row: 'responder',
        file: 'responder',
        pod: 'responder',
        workload: 'responder',
        namespace: 'supervisor',
        host: 'supervisor',
        cluster: 'supervisor',
        ...workspace.approvers,
      },
      breakGlass: workspace.breakGlass ?? true,
      skipVerificationGate: verificationGate.skipAutomatic ?? false,
      gateWaitMs: ms(executionGate.wait, '24h'),
      gateRemindMs: ms(executionGate.remind, '1h'),
      escalateMs: ms(escalation.after, '4h'),
      groups: escalation.groups ?? ['responders', 'supervisors'],
      verificationEscalateMs: ms(verificationGate.escalate, '24h'),
      stabilizationMs: ms(workspace.stabilization, '60s'),
      maxRounds: workspace.maxRounds ?? 3,
      onFailedVerification: workspace.onFailedVerification ?? 'ask',
      snapshotKeptMs: ms(workspace.snapshots?.keep, '7d'),
      evidenceValidMs: ms(workspace.evidence?.valid, '1h'),
      cooldownMs: ms(workspace.cooldown, '10m'),
      maxTries: breaker.tries ?? 3,
      triesWithinMs: ms(breaker.within, '24h'),
    },
  };
}

function toChannel(name: string, { kind, url, secret, token, channel, api, groups }: WrittenChannel): Channel {
  switch (kind) {
    case 'webhook':
      return { kind, name, url: url ?? '', secret: secret ?? { env: '' }, groups };
    case 'slack':
      return { kind, name, api: api ?? 'https://slack.com/api', token: token ?? { env: '' }, channel: channel ?? '', groups };
  }
}

function toTarget(name: string, target: WrittenTarget): Target {
  const detectors = toDetectors(target);
  switch (target.kind) {
    case 'postgres':
      return { kind: 'postgres', name, connection: target.connection ?? { env: '' }, executor: target.executor === 'sql' ? 'sql' : null, detectors };
    case 'http':
      return { kind: 'http', name, url: target.url ?? '', detectors };
    case 'config-file':
      return { kind: 'config-file', name, path: target.path ?? '', executor: target.executor === 'config-patch' ? 'config-patch' : null, serves: target.serves ?? [], detectors };
    case 'kubernetes': {
      const { kubeconfig = '', context = null, namespace = '', serves = [], jobs, executor } = target;
      return {
        kind: 'kubernetes',
        name,
        kubeconfig,
        context,
        namespace,
        executor: executor === 'kubernetes' ? 'kubernetes' : null,
        serves,
        jobs: jobs === undefined ? null : { image: jobs.image, serviceAccount: jobs.serviceAccount ?? null, apiUrl: jobs.api, secrets: jobs.secrets ?? {} },
        detectors,
      };
    }
    case 'host': {
      const { queue = null, serves = [], units = [], containers = [], paths = [], secrets = {}, executor } = target;
      return { kind: 'host', name, queue, executor: executor === 'host' ? 'host' : null, serves, units, containers, paths, secrets, detectors };
    }
    case 'workspace':
      return { kind: 'workspace', name, detectors };
  }
}

function toDetectors({ kind, postgres, auditLog, probe, kubernetes, activeIncidents }: WrittenTarget): readonly Detector[] {
  const detectors: Detector[] = [];
  if (kind === 'postgres' && postgres !== undefined) {
    const { connectionsPercent, blockedSessions, ...durations } = postgres;
    const thresholds: Partial<Record<PostgresSignal, number>> = {};
    for (const signal of ['queryLatency', 'lockWait', 'idleInTransaction', 'longQuery'] as const) {
      const text = durations[signal];
      if (text !== undefined) thresholds[signal] = ms(text, '1s');
    }
    if (blockedSessions !== undefined) thresholds.blockedSessions = blockedSessions;
    if (connectionsPercent !== undefined) thresholds.connections = connectionsPercent;
    detectors.push({ kind: 'postgres', thresholds });
  }
  if (auditLog !== undefined) {
    const { table, actionColumn = 'action', actorColumn = 'actor', timeColumn = 'created_at', window, maxDeletes } = auditLog;
    detectors.push({ kind: 'audit-log', table, actionColumn, actorColumn, timeColumn, windowMs: ms(window, '1m'), maxDeletes });
  }
  if (kind === 'http') {
    detectors.push({
      kind: 'http-probe',
      path: probe?.path ?? '/',
      timeoutMs: ms(probe?.timeout, '5s'),
      availabilityPercent: probe?.availabilityPercent ?? 99,
      latencyMs: ms(probe?.latency, '2s'),
      readings: probe?.readings ?? [],
    });
  }
  if (kind === 'config-file') detectors.push({ kind: 'config-file' });
  if (kind === 'kubernetes') {
    const { window, ...thresholds } = kubernetes ?? {};
    detectors.push({ kind: 'kubernetes', thresholds: { waitingPods: 1, restarts: 3, oomKills: 1, pendingPods: 1, unavailableReplicas: 1, emptyServices: 1, ...thresholds }, windowMs: ms(window, '10m') });
  }
  if (kind === 'host') detectors.push({ kind: 'host' });
  if (activeIncidents !== undefined) detectors.push({ kind: 'active-incidents', maxIncidents: activeIncidents.max });
  return detectors;
}
