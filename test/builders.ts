import type { Decision, Gate } from '../domain/gate.js';
import type { Notice } from '../domain/notification.js';
import type { Plan, Step } from '../domain/plan.js';
import type { Policy } from '../domain/policy.js';
import type { RemediationScript } from '../domain/script-library.js';
import { seedScripts } from '../domain/script-library.js';
import type { Role } from '../domain/actor.js';
import type { ConfigChangeFact, Measurement, ObjectChangeFact, PodTroubleFact, SessionFact, Signal } from '../domain/signal.js';

export const aSignal = (over: Partial<Signal> = {}): Signal => ({
  target: 'shop-db',
  name: 'lockWait',
  title: 'longest lock wait',
  unit: 'ms',
  value: 2_450,
  threshold: 100,
  better: 'lower',
  ...over,
});

export const aSession = (over: Partial<SessionFact> = {}): SessionFact => ({
  kind: 'session',
  id: `shop-db/session/${over.pid ?? 4711}`,
  target: 'shop-db',
  pid: 4711,
  backendStart: '2026-11-22T08:12:03.123456Z',
  state: 'idle in transaction',
  stateAgeMs: 192_000,
  applicationName: 'report',
  userName: 'shop',
  blocks: 14,
  isBlocked: false,
  ...over,
});

export const aConfigChange = (over: Partial<ConfigChangeFact> = {}): ConfigChangeFact => ({
  kind: 'configChange',
  id: 'checkout-config/configChange',
  target: 'checkout-config',
  path: '/etc/shop/checkout.json',
  serves: ['checkout'],
  changes: [{ pointer: '/timeoutMs', good: '2000', now: '5', isRestored: true }],
  changeCount: 1,
  patch: '[{"op":"test","path":"/timeoutMs","value":5},{"op":"replace","path":"/timeoutMs","value":2000}]',
  restoresAll: true,
  goodAt: '2026-11-22T08:59:40.000Z',
  changedAt: '2026-11-22T08:59:48.000Z',
  changeAgeMs: 12_000,
  ...over,
});

export const anObjectChange = (over: Partial<ObjectChangeFact> = {}): ObjectChangeFact => ({
  kind: 'objectChange',
  id: `shop/objectChange/${over.object ?? 'service/web'}`,
  target: 'shop',
  namespace: 'shop',
  serves: ['door'],
  object: 'service/web',
  what: 'changed',
  changes: [{ pointer: '/spec/selector/app', good: '"web"', now: '"webb"', isRestored: true }],
  changeCount: 1,
  restore: { type: 'kubernetes', script: 'kind: Service\n' },
  restoresAll: true,
  templateChanged: false,
  goodRevision: null,
  owner: null,
  changedBy: 'ana',
  goodAt: '2026-11-22T08:59:40.000Z',
  changedAt: '2026-11-22T08:59:48.000Z',
  changeAgeMs: 12_000,
  ...over,
});

export const aPodTrouble = (over: Partial<PodTroubleFact> = {}): PodTroubleFact => ({
  kind: 'podTrouble',
  id: `shop/pod/${over.pod ?? 'web-1'}`,
  target: 'shop',
  namespace: 'shop',
  pod: 'web-1',
  workload: 'deployment/web',
  reason: 'ImagePullBackOff',
  message: 'no such image',
  isOfNewTemplate: true,
  ...over,
});

export const aStep = (over: Partial<Step> = {}): Step => ({
  stepId: '1',
  type: 'sql',
  target: 'shop-db',
  script: seedScripts[0]?.command ?? '',
  parameters: ['4711', '2026-11-22T08:12:03.123456Z'],
  reach: 'session',
  findings: [],
  wayBack: { kind: 'oneWay', because: 'a terminated session cannot be brought back' },
  pins: null,
  timeoutMs: 30_000,
  queue: null,
  sandbox: null,
  ...over,
});

export const aPlan = (over: Partial<Plan> = {}): Plan => ({
  workspaceId: 'demo',
  incidentId: '5b0f6a52-3f0e-4b8e-9d53-0f1f3f6f7a10',
  version: 1,
  title: 'Database Connection Reset',
  scriptId: 'c0ffee00-0000-4000-8000-000000000001',
  risk: 'MEDIUM',
  estimatedDurationMs: 10_000,
  steps: [aStep()],
  authors: [],
  derivedFromText: false,
  measuredAt: '2026-11-22T08:15:00.000Z',
  policyVersion: 1,
  tier: 'HIGH',
  ruling: { kind: 'gate', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false },
  ...over,
});

/** Who must approve by reach: of those that are named here somebody else than a responder. */
export const approversWith = (over: Partial<Policy['approvers']> = {}): Policy['approvers'] => ({
  session: 'responder',
  row: 'responder',
  file: 'responder',
  pod: 'responder',
  workload: 'responder',
  namespace: 'responder',
  host: 'responder',
  cluster: 'responder',
  ...over,
});

export const aPolicy = (over: Partial<Policy> = {}): Policy => ({
  autonomy: 'supervised',
  approvals: { LOW: 1, MEDIUM: 1, HIGH: 1, CRITICAL: 2 },
  approvers: approversWith(),
  breakGlass: true,
  skipVerificationGate: false,
  gateWaitMs: 60_000,
  gateRemindMs: 30_000,
  escalateMs: 45_000,
  groups: ['responders', 'supervisors'],
  verificationEscalateMs: 30_000,
  stabilizationMs: 1_000,
  maxRounds: 3,
  onFailedVerification: 'ask',
  snapshotKeptMs: 60_000,
  evidenceValidMs: 3_600_000,
  cooldownMs: 60_000,
  maxTries: 10,
  triesWithinMs: 3_600_000,
  ...over,
});

/** A policy as the record has it where nobody but sluice.yaml put it there. */
export const aPolicyRecord = (policy = aPolicy()) => ({ workspaceId: 'demo', version: 1, policy, signature: null });

/** What a library script has that is no BASH or PYTHON. */
export const plainScript = { timeoutMs: 30_000, paths: [], secrets: [] };

export const aScript = (over: Partial<RemediationScript> = {}): RemediationScript => ({
  id: 'c0ffee00-0000-4000-8000-000000000001',
  workspaceId: 'demo',
  name: 'Database Connection Reset',
  description: '',
  type: 'SQL',
  command: aStep().script,
  parameters: ['pid', 'backendStart'],
  category: 'idleTransaction',
  risk: 'MEDIUM',
  estimatedDuration: 10_000,
  ...plainScript,
  enabled: true,
  createdBy: null,
  createdAt: '2026-11-22T08:00:00Z',
  updatedAt: '2026-11-22T08:00:00Z',
  ...over,
});

export const aGate = (over: Partial<Gate> = {}): Gate => ({
  id: 'gate-1',
  incidentId: 'incident-1',
  kind: 'execution',
  mode: 'people',
  digest: 'a'.repeat(64),
  planVersion: 1,
  offersRollback: false,
  state: 'open',
  approvalsNeeded: 1,
  roleNeeded: 'responder',
  reviewNeeded: false,
  excluded: [],
  openedAt: new Date('2026-11-22T09:00:00Z'),
  expiresAt: new Date('2026-11-23T09:00:00Z'),
  ...over,
});

export const aDecision = ({ by = 'ana', as = 'responder', ...over }: Partial<Decision> & { by?: string; as?: Role } = {}): Decision => ({
  id: 'decision-1',
  gateId: 'gate-1',
  verdict: 'approve',
  digest: 'a'.repeat(64),
  actor: { person: by, role: as, workspaceId: 'demo' },
  reason: null,
  ...over,
});

export const aMeasurement = (measuredAtMs: number, ...signals: readonly Signal[]): Measurement => ({
  measuredAt: new Date(measuredAtMs).toISOString(),
  signals,
  facts: [],
});

export const aNotice = (over: Partial<Notice> = {}): Notice => ({
  id: '0e1f5a3c-52a4-4f0e-8f0e-3d5a2f9b7c11',
  kind: 'gateOpened',
  workspaceId: 'demo',
  incidentId: '5b0f6a52-3f0e-4b8e-9d53-0f1f3f6f7a10',
  title: 'checkout is slow',
  severity: 'CRITICAL',
  text: 'Action required',
  gate: {
    id: '9a4e3b7e-6a0c-4c62-b1a4-55b8e2b7e0d2',
    kind: 'execution',
    digest: 'ab'.repeat(32),
    roleNeeded: 'responder',
    approvalsNeeded: 1,
    expiresAt: '2026-11-24T09:00:00.000Z',
    plan: { title: 'Database Connection Reset', risk: 'MEDIUM', wayBack: 'none (one-way)', confidence: { value: 86, tier: 'HIGH' } },
    isForChat: true,
  },
  url: 'https://sluice.example/incidents/5b0f6a52-3f0e-4b8e-9d53-0f1f3f6f7a10',
  onlyFor: null,
  ...over,
});
