import type { Gate, IncidentDetail, IncidentUpdate, Plan, TailEntry } from '../../contracts/http.js';

export const incidentId = '0f8fad5b-d9cb-469f-a165-70867728950e';
const digest = '3f9a0c51d2b7e84466aa1f0e93c5d7b8a2e4f6071829364b5c6d7e8f90a1b2c3';
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

export const aPlan = (overrides: Partial<Plan> = {}): Plan => ({
  version: 1,
  digest,
  title: 'Database Connection Reset',
  risk: 'MEDIUM',
  estimatedDurationMs: 10_000,
  steps: [
    {
      stepId: '1',
      type: 'sql',
      target: 'shop',
      script: 'SELECT pid, pg_terminate_backend(pid, 5000) AS done FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2',
      parameters: ['4711', '2026-11-22 08:12:03.123456+00'],
      reach: 'session',
      findings: [],
      queue: null,
      sandbox: null,
      wayBack: { kind: 'oneWay', because: 'a terminated session cannot be brought back' },
    },
  ],
  confidence: {
    value: 86,
    tier: 'HIGH',
    factors: [
      { name: 'root cause', points: 46 },
      { name: 'library script', points: 20 },
      { name: 'rehearsal found every object', points: 15 },
      { name: 'past runs', points: 5 },
    ],
    caps: [],
  },
  rehearsal: [{ stepId: '1', lines: ['session 4711 of shop_app, idle in transaction for 3m12s, blocks 14 others'] }],
  ...overrides,
});

const WEEK_MS = 7 * 86_400_000;

/** A plan that puts a configuration file back, and can be taken back. */
export const aConfigPlan = (): Plan =>
  aPlan({
    title: 'Restore Last Known Good Configuration',
    steps: [
      {
        stepId: '1',
        type: 'config-patch',
        target: 'shop-config',
        script: '[{"op":"replace","path":"/pool/size","value":20}]',
        parameters: [],
        reach: 'file',
        findings: [],
        queue: null,
        sandbox: null,
        wayBack: { kind: 'snapshot', of: 'file', keptMs: WEEK_MS },
      },
    ],
    rehearsal: [
      {
        stepId: '1',
        lines: ['/etc/shop.yaml: 1 line added, 2 taken away', '--- /etc/shop.yaml', '+++ /etc/shop.yaml', '@@ -1,4 +1,3 @@', ' pool:', '-  size: 0', '--- <b>old</b>', '+  size: 20', '   idle: 5'],
      },
    ],
  });

export const aGate = (overrides: Partial<Gate> = {}): Gate => ({
  id: '7d444840-9dc0-41d1-b245-5ffdce74fad2',
  kind: 'execution',
  mode: 'people',
  state: 'open',
  digest,
  planVersion: 1,
  offersRollback: false,
  approvalsNeeded: 1,
  roleNeeded: 'responder',
  reviewNeeded: false,
  excluded: [],
  confirmation: null,
  approvals: [],
  reviews: [],
  settledBy: null,
  openedAt: ago(60_000),
  expiresAt: new Date(Date.now() + 86_000_000).toISOString(),
  updateId: '9b2d7a10-4c3e-4f5a-8b6c-7d8e9f0a1b04',
  ...overrides,
});

const latency = { target: 'shop', name: 'p99Latency', title: 'p99 query latency', unit: 'ms', threshold: 100, better: 'lower' } as const;
const blocked = { target: 'shop', name: 'blockedSessions', title: 'blocked sessions', unit: 'count', threshold: 5, better: 'lower' } as const;

/** An incident that waits at its execution gate. */
export const anIncident = (overrides: Partial<IncidentDetail> = {}): IncidentDetail => ({
  id: incidentId,
  workspaceId: 'demo',
  title: 'Checkout is slow',
  trigger: 'alert',
  phase: 'EXECUTION_GATE',
  status: 'PENDING_HUMAN_APPROVAL',
  outcome: null,
  severity: 'CRITICAL',
  score: 8.5,
  alerts: 3,
  openedAt: ago(200_000),
  updatedAt: ago(60_000),
  closedAt: null,
  rootCause: {
    category: 'idleTransaction',
    details: 'session 4711 idle in transaction for 3m12s, blocks 14 others',
    confidence: 92,
    affectedSystems: ['shop'],
    evidence: ['shop/lockWait', 'shop/blockedSessions', 'shop/session/4711'],
    suggestedActions: ['terminate the session that holds the locks', 'set idle_in_transaction_session_timeout for its user'],
  },
  plan: aPlan(),
  gate: aGate(),
  before: [
    { ...latency, value: 2450 },
    { ...blocked, value: 14 },
  ],
  now: [
    { ...latency, value: 2511 },
    { ...blocked, value: 15 },
  ],
  measuredAt: ago(4_000),
  canRollBackUntil: null,
  temporalUrl: 'http://127.0.0.1:8233/namespaces/default/workflows/incident',
  ...overrides,
});

const well = { now: [{ ...latency, value: 38 }, { ...blocked, value: 0 }] };

export const anIncidentToVerify = (): IncidentDetail =>
  anIncident({ ...well, phase: 'VERIFICATION_GATE', gate: aGate({ id: '1c9d4a52-0c11-4b62-9d3e-6f0b7f6a2b11', kind: 'verification', expiresAt: null }) });

export const anIncidentThatNeedsHuman = (): IncidentDetail =>
  anIncident({
    phase: 'VERIFICATION',
    status: 'NEEDS_HUMAN',
    gate: aGate({ id: '2d9d4a52-0c11-4b62-9d3e-6f0b7f6a2b22', kind: 'needsHuman', digest: null, planVersion: null, expiresAt: null, roleNeeded: 'supervisor' }),
  });

export const aClosedIncident = (): IncidentDetail =>
  anIncident({
    ...well,
    phase: 'CLOSED',
    status: 'SUCCESS',
    outcome: 'RESOLVED',
    closedAt: ago(1_000),
    gate: aGate({
      kind: 'verification',
      state: 'approved',
      settledBy: { person: 'ana', role: 'responder', reason: 'latency is back', at: ago(30_000) },
    }),
  });

/** Closed, and what was run can still be taken back. */
export const aClosedIncidentWithWayBack = (): IncidentDetail => ({ ...aClosedIncident(), plan: aConfigPlan(), canRollBackUntil: new Date(Date.now() + WEEK_MS - 60_000).toISOString() });

/** Closed, and a person is needed because taking it back did not succeed. */
export const aRollbackThatNeedsHuman = (): IncidentDetail => ({
  ...aClosedIncidentWithWayBack(),
  status: 'NEEDS_HUMAN',
  updatedAt: ago(0),
  gate: aGate({ id: '3e9d4a52-0c11-4b62-9d3e-6f0b7f6a2b33', kind: 'needsHuman', planVersion: null, offersRollback: true, expiresAt: null }),
});

type Told = Pick<IncidentUpdate, 'phase' | 'text'> & Partial<IncidentUpdate>;

export const anUpdate = (seq: number, told: Told): TailEntry => ({
  event: 'update',
  seq,
  data: {
    id: `9b2d7a10-4c3e-4f5a-8b6c-7d8e9f0a1b${String(seq % 100).padStart(2, '0')}`,
    incidentId,
    seq,
    status: 'SUCCESS',
    kind: 'step',
    actor: 'SYSTEM',
    details: null,
    approvedBy: null,
    approvedAt: null,
    reason: null,
    createdAt: ago(60_000 - seq),
    ...told,
  },
});

export const someOutput = (seq: number, firstLine: number, lines: readonly string[]): TailEntry => ({
  event: 'output',
  seq,
  data: { stream: 'stdout', firstLine, text: lines.map((line) => `${line}\n`).join('') },
});

export const toGate: readonly TailEntry[] = [
  anUpdate(1, { phase: 'DETECTION', status: 'IN_PROGRESS', text: 'Measuring 4 signals' }),
  anUpdate(2, {
    phase: 'DETECTION',
    text: '2 anomalies, highest severity 8.5/10 (CRITICAL)\n- p99 query latency 2450 ms (threshold 100 ms)\n- blocked sessions 14 (threshold 5)',
    details: { anomalies: 2 },
  }),
  anUpdate(3, { phase: 'PROPOSAL_FIX', text: 'Root cause: session 4711 idle in transaction for 3m12s, blocks 14 others (confidence 92)' }),
  anUpdate(4, {
    phase: 'EXECUTION_GATE',
    status: 'PENDING_HUMAN_APPROVAL',
    text: 'Action required. Severity 8.5/10 (CRITICAL)\nProposed remediation: Database Connection Reset, 1 step, digest 3f9a…',
  }),
];

export const toVerification: readonly TailEntry[] = [
  ...toGate,
  someOutput(5, 1, ['terminated session 4711 started 2026-11-22 08:12:03 UTC']),
  anUpdate(6, {
    phase: 'EXECUTION',
    text: 'Approved by ana (responder): "seen the lock graph"\nExecution log:\n| terminated session 4711 started 2026-11-22 08:12:03 UTC\nStatus: SUCCESS ✅ in 0.4s',
  }),
  anUpdate(7, { phase: 'VERIFICATION_GATE', status: 'PENDING_HUMAN_APPROVAL', text: 'p99 query latency 2450 ms → 38 ms, sampled for 20s' }),
];

export const toEnd: readonly TailEntry[] = [
  ...toVerification,
  anUpdate(8, { phase: 'VERIFICATION', text: 'All signals well for 20s. Improvement: +98.4%' }),
  anUpdate(9, { phase: 'CLOSED', text: 'RESOLVED. Detected 2 anomalies, executed Database Connection Reset, improved by 98.4%, stable', details: { outcome: 'RESOLVED' } }),
  { event: 'done', seq: 10, data: { outcome: 'RESOLVED' } },
];

/** What the tail of a closed incident goes on with when it is taken back. */
export const toRolledBack: readonly TailEntry[] = [
  anUpdate(11, { phase: 'CLOSED', status: 'IN_PROGRESS', kind: 'rollback', actor: 'HUMAN_USER', text: 'Rollback asked for by ana (supervisor): "worse than before"' }),
  anUpdate(12, { phase: 'EXECUTION', kind: 'rollback', text: 'Took back Restore Last Known Good Configuration' }),
  anUpdate(13, { phase: 'CLOSED', kind: 'rollback', text: 'ROLLED_BACK. Restore Last Known Good Configuration was taken back', details: { outcome: 'ROLLED_BACK' } }),
  { event: 'done', seq: 14, data: { outcome: 'ROLLED_BACK' } },
];
