import type { Role } from '../../domain/actor.js';
import type { GateKind } from '../../domain/gate.js';
import type { Policy } from '../../domain/policy.js';
import type { Severity } from '../../domain/severity.js';
import type { Trouble } from './trouble.js';
import { approversWith } from '../builders.js';

/** wim has written what would run. */
export const people = { ana: 'responder', bo: 'responder', sam: 'supervisor', sue: 'supervisor', wim: 'supervisor', adam: 'admin', vic: 'viewer', rob: 'agent' } as const satisfies Readonly<Record<string, Role>>;
export type Caller = keyof typeof people;
export const callers = Object.keys(people) as readonly Caller[];

export const patient: Policy = {
  autonomy: 'supervised',
  approvals: { LOW: 1, MEDIUM: 1, HIGH: 2, CRITICAL: 1 },
  approvers: approversWith(),
  breakGlass: true,
  skipVerificationGate: false,
  gateWaitMs: 3_600_000,
  gateRemindMs: 1_800_000,
  escalateMs: 1_800_000,
  groups: ['responders'],
  verificationEscalateMs: 1_800_000,
  stabilizationMs: 200,
  maxRounds: 3,
  onFailedVerification: 'ask',
  snapshotKeptMs: 3_600_000,
  evidenceValidMs: 3_600_000,
  // Incidents of a lane follow each other on the same target; a try that is about that says so.
  cooldownMs: 0,
  maxTries: 1_000_000,
  triesWithinMs: 3_600_000,
};

export interface Making {
  readonly risk: Severity;
  readonly policy?: Partial<Policy>;
  readonly trouble?: Trouble;
  readonly command?: string;
  /** Who has to approve, after somebody else's review where one is needed. */
  readonly approvers: readonly Caller[];
  readonly reviewer?: Caller;
  /** Where its incidents wait first. */
  readonly waitsAt?: GateKind;
  /** The script has failed so often that nobody is sure of it. */
  readonly hasFailed?: boolean;
}

/** What kind of incidents a workspace has. `grave`: two supervisors have to type what they approve. */
export const shapes = {
  plain: { risk: 'MEDIUM', approvers: ['ana'] },
  paired: { risk: 'MEDIUM', policy: { approvals: { ...patient.approvals, MEDIUM: 2 } }, approvers: ['ana', 'bo'] },
  grave: { risk: 'HIGH', approvers: ['sam', 'sue'] },
  hasty: { risk: 'MEDIUM', policy: { gateWaitMs: 1_500 }, approvers: ['ana'] },
  forgetful: { risk: 'MEDIUM', policy: { snapshotKeptMs: 1 }, approvers: ['ana'] },
  observed: { risk: 'MEDIUM', policy: { autonomy: 'observe' }, approvers: [] },
  auto: { risk: 'MEDIUM', policy: { autonomy: 'confidence' }, trouble: 'idle', approvers: [] },
  unsure: { risk: 'CRITICAL', trouble: 'busy', hasFailed: true, approvers: ['sam'], reviewer: 'sue' },
  denied: { risk: 'MEDIUM', command: 'DELETE FROM app.actors', approvers: [], waitsAt: 'needsHuman' },
} as const satisfies Readonly<Record<string, Making>>;
export type Shape = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as readonly Shape[];
