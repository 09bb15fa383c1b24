import { randomUUID } from 'node:crypto';
import type { SamplingInput } from '../contracts/activities.js';
import type { Measurement } from '../domain/signal.js';
import { selectTargets } from './detect.js';
import type { Ports } from './ports.js';

/** Measures what was out of bounds before, once, and keeps it. */
export async function takeSample(
  { detectors, watch, recorder }: Pick<Ports, 'detectors' | 'watch' | 'recorder'>,
  { workspaceId, incidentId, planVersion, before }: Pick<SamplingInput, 'workspaceId' | 'incidentId' | 'planVersion' | 'before'>,
): Promise<Measurement> {
  const names = [...new Set(before.map(({ target }) => target))];
  const measurement = await detectors.measure(selectTargets(watch.readWorkspace(workspaceId), names), { workspaceId, incidentId });
  await recorder.saveMeasurement({ id: randomUUID(), incidentId, purpose: 'verification', planVersion, measurement });
  return measurement;
}
