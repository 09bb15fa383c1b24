import type { SweepInput } from '../contracts/messages.js';
import { read } from './activity-proxies.js';

/** Measures every target of a workspace and opens an incident for each that is unwell. Started by a Temporal Schedule. */
export async function detectionSweep({ workspaceId }: SweepInput): Promise<readonly string[]> {
  const { opened } = await read.sweepTargets.executeWithOptions({ summary: `Measure every target of ${workspaceId}`.slice(0, 120) }, [{ workspaceId }]);
  return opened;
}
