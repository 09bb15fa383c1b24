import type { Workspace } from '../../domain/watch.js';
import { aPolicy } from '../builders.js';

export const bareQueue = 'bare';

/** One for each incident: only one at a time changes a target. */
export const benchTargets: readonly string[] = Array.from({ length: 2_000 }, (_, index) => `bench-db-${index}`);

/** Targets in memory; nothing is waited for that need not be. */
export const benchWorkspace: Workspace = {
  id: 'bench',
  targets: benchTargets.map((name) => ({ kind: 'postgres', name, connection: { env: 'UNUSED' }, executor: 'sql', detectors: [] })),
  alertRules: [],
  channels: [],
  sweepEveryMs: null,
  startingPolicy: aPolicy({
    gateWaitMs: 3_600_000,
    gateRemindMs: 3_600_000,
    verificationEscalateMs: 3_600_000,
    stabilizationMs: 1_000,
    maxRounds: 1,
  }),
};
