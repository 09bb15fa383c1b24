import type { Workspace } from '../../domain/watch.js';

export const bareQueue = 'bare';

/** One target in memory; nothing is waited for that need not be. */
export const benchWorkspace: Workspace = {
  id: 'bench',
  targets: [{ kind: 'postgres', name: 'bench-db', connection: { env: 'UNUSED' }, executor: 'sql', detectors: [] }],
  alertRules: [],
  sweepEveryMs: null,
  policy: {
    gateWaitMs: 3_600_000,
    gateRemindMs: 3_600_000,
    verificationEscalateMs: 3_600_000,
    stabilizationMs: 1_000,
    maxRounds: 1,
    approvals: { LOW: 1, MEDIUM: 1, HIGH: 1, CRITICAL: 2 },
    onFailedVerification: 'ask',
    snapshotKeptMs: 60_000,
  },
};
