import { randomUUID } from 'node:crypto';
import type { ReadActivities } from '../contracts/activities.js';
import { findAnomalies } from '../domain/anomaly.js';
import { isAtLeastAsSevere } from '../domain/severity.js';
import { formatValue, isOfTarget } from '../domain/signal.js';
import { detected, detecting } from '../domain/updates.js';
import type { Target, Workspace } from '../domain/watch.js';
import { countSignals, toSweepFingerprint, withConfiguration } from '../domain/watch.js';
import { attempt } from './attempt.js';
import { Fault } from './faults.js';
import { noteGood, readContents } from './note-good.js';
import type { Ports } from './ports.js';

/** The named targets of a workspace; all of them for null. A name that is configured no more is a fault. */
export function selectTargets(workspace: Workspace, names: readonly string[] | null): readonly Target[] {
  if (names === null) return workspace.targets;
  return names.map((name) => {
    const target = workspace.targets.find((candidate) => candidate.name === name);
    if (target === undefined) throw new Fault('targetMissing', `target ${name} is not in sluice.yaml any more`);
    return target;
  });
}

export function createDetectActivities({ detectors, watch, recorder, now }: Ports): ReadActivities {
  return {
    detectAnomalies: ({ workspaceId, incidentId, targets, severityThreshold, key, quiet }) =>
      attempt(async () => {
        const workspace = watch.readWorkspace(workspaceId);
        // What changed is asked first, so the configuration of what is unwell is always looked at.
        const selected = selectTargets(workspace, targets === null ? null : withConfiguration(workspace.targets, targets));
        const signals = selected.reduce((sum, target) => sum + countSignals(target), 0);
        if (!quiet) await recorder.recordUpdate(incidentId, `detect:${key}:begin`, detecting(signals));
        const measurement = await detectors.measure(selected, { workspaceId, incidentId });
        const measurementId = randomUUID();
        await recorder.saveMeasurement({ id: measurementId, incidentId, purpose: quiet ? 'recheck' : 'detection', planVersion: 0, measurement });
        const anomalies = findAnomalies(measurement.signals).filter(({ severity }) => isAtLeastAsSevere(severity, severityThreshold));
        const [worst] = anomalies;
        if (worst !== undefined) await recorder.setSeverity(incidentId, worst.severity, worst.score);
        const update = detected(anomalies, measurement.signals.length);
        if (!quiet) await recorder.recordUpdate(incidentId, `detect:${key}:end`, update);
        return { measurementId, anomalies, signals: measurement.signals.length, update };
      }),

    sweepTargets: ({ workspaceId }) =>
      attempt(async () => {
        const workspace = watch.readWorkspace(workspaceId);
        const { targets } = workspace;
        const { policy } = await recorder.readPolicy(workspaceId);
        const contents = await readContents(detectors, workspace, now);
        const { signals } = await detectors.measure(targets, { workspaceId, incidentId: null });
        const anomalies = findAnomalies(signals).filter(({ signal }) => isOfTarget(signal));
        const unwell = new Set(anomalies.map(({ signal }) => signal.target));
        const opened: string[] = [];
        for (const name of unwell) {
          const worst = anomalies.find(({ signal }) => signal.target === name);
          if (worst === undefined) continue;
          const { incidentId, isNew } = await recorder.openFromSweep({
            id: randomUUID(),
            workspaceId,
            trigger: 'schedule',
            title: `${worst.signal.title} of ${name} is ${formatValue(worst.signal.value, worst.signal.unit)}`,
            fingerprint: toSweepFingerprint(name),
            startedBy: null,
            labels: {},
            targets: withConfiguration(targets, [name]),
            severityThreshold: 'LOW',
            severity: worst.severity,
            cooldownMs: policy.cooldownMs,
          });
          if (isNew && incidentId !== null) opened.push(incidentId);
        }
        await recorder.tellWell(workspaceId, [...unwell], targets.map(({ name }) => name).filter((name) => !unwell.has(name)));
        await noteGood(recorder, workspace, policy, contents, signals);
        return { signals: signals.length, opened };
      }),
  };
}
