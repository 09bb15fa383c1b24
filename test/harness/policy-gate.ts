import { createHash, randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.js';
import { openIncident } from '../../db/open-incident.js';
import { createRecorder } from '../../db/recorder.js';
import { canonicalize } from '../../domain/canonical.js';
import { toUpdate } from '../../domain/incident.js';
import { type Plan, toDigestible } from '../../domain/plan.js';
import { aPlan, aStep } from '../builders.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** A step that can be taken back. */
export const keptStep = aStep({ wayBack: { kind: 'snapshot', of: 'rows', keptMs: 60_000 } });

/** A gate that the policy is to answer, of a plan that it let run by itself. */
export async function havePolicyGate(db: Database, workspaceId: string, { plan: over = {}, gate = {} }: { readonly plan?: Partial<Plan>; readonly gate?: object } = {}) {
  const opening = { id: randomUUID(), workspaceId, trigger: 'alert', title: 't', fingerprint: randomUUID(), startedBy: null, labels: {}, targets: ['shop-db'], severityThreshold: 'LOW', severity: null } as const;
  const { incidentId } = await openIncident(db, opening);
  const plan = aPlan({ workspaceId, incidentId, steps: [keptStep], ruling: { kind: 'auto', approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false }, ...over });
  const canonical = canonicalize(toDigestible(plan));
  const digest = sha256(canonical);
  const recorder = createRecorder(db);
  const confidence = { value: 86, tier: 'HIGH', factors: [], caps: [] } as const;
  await recorder.savePlan({ plan: { ...plan, incidentId }, category: 'idleTransaction', digest, canonical, confidence, rehearsal: [] });
  const gateId = randomUUID();
  const terms = { kind: 'execution', mode: 'policy', digest, planVersion: 1, offersRollback: false, approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false, excluded: [], expiresAt: null, ...gate } as const;
  await recorder.openGate({ incidentId, workspaceId }, { gateId, ...terms }, toUpdate({ phase: 'EXECUTION_GATE', text: 'waits' }));
  return { gateId, incidentId, digest };
}
