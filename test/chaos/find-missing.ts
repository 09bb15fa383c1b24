import { findObstacle } from '../../activities/adapters/sandbox/bubblewrap.js';
import { kubeconfig } from '../harness/kubernetes.js';
import type { StepType } from './points.js';

/** The step types that cannot run here, and why. */
export async function findMissing(): Promise<ReadonlyMap<StepType, string>> {
  const missing = new Map<StepType, string>();
  if (kubeconfig === '') missing.set('rollout', 'KUBECONFIG names no cluster');
  const obstacle = await findObstacle('bash');
  if (obstacle !== undefined) missing.set('script', obstacle);
  return missing;
}
