import { randomUUID } from 'node:crypto';
import type { SamplingInput } from '../contracts/activities.js';
import type { Measurement } from '../domain/signal.js';
import { findVanished } from '../domain/verification.js';
import { selectTargets } from './detect.js';
import type { Ports } from './ports.js';

type Looking = Pick<Ports, 'detectors' | 'watch' | 'recorder'>;
type Before = Pick<SamplingInput, 'workspaceId' | 'incidentId' | 'measurementId' | 'before'>;

/** Measures what was out of bounds before, once, and says what was there at that detection and has vanished. */
export async function measureLikeBefore({ detectors, watch, recorder }: Looking, { workspaceId, incidentId, measurementId, before }: Before): Promise<Measurement> {
  const objects = ((await recorder.readMeasurement(measurementId))?.facts ?? []).filter((fact) => fact.kind === 'objects');
  const names = [...new Set([...before, ...objects].map(({ target }) => target))];
  const measurement = await detectors.measure(selectTargets(watch.readWorkspace(workspaceId), names), { workspaceId, incidentId });
  // All names once more in every sample would say nothing that the detection does not.
  const facts = measurement.facts.filter((fact) => fact.kind !== 'objects');
  return { ...measurement, facts: [...facts, ...findVanished(objects, measurement.facts)] };
}

/** The same, kept as a sample of the verification. */
export async function takeSample(ports: Looking, input: Before & Pick<SamplingInput, 'planVersion'>): Promise<Measurement> {
  const { incidentId, planVersion } = input;
  const measurement = await measureLikeBefore(ports, input);
  await ports.recorder.saveMeasurement({ id: randomUUID(), incidentId, purpose: 'verification', planVersion, measurement });
  return measurement;
}
