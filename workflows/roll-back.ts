import { ActivityFailure, uuid4 } from '@temporalio/workflow';
import type { IncidentRef, Rollback } from '../contracts/activities.js';
import type { RollbackCause } from '../domain/grant.js';
import { claimRefusals } from '../domain/grant.js';
import type { Policy } from '../domain/policy.js';
import type { Approval } from '../domain/updates.js';
import { change, record } from './activity-proxies.js';
import { explain } from './failures.js';

export interface RollbackRequest {
  readonly ref: IncidentRef;
  readonly digest: string;
  readonly title: string;
  readonly cause: RollbackCause;
  readonly askedBy: Approval | null;
  readonly policy: Policy;
}

/** Takes a plan back under a claim of its own. It is never cut off; what does not go back is told by name. */
export async function rollBack({ ref, digest, title, cause, askedBy, policy }: RollbackRequest): Promise<Rollback> {
  const claimId = uuid4();
  const claim = await record.claimRollback({ ...ref, digest, claimId, cause, policy });
  if (claim.kind === 'refused') return { kind: 'notRolledBack', because: [`The rollback was refused: ${claimRefusals[claim.because]} (${claim.because})`] };
  try {
    return await change.rollBackRemediation.executeWithOptions({ summary: `Take back ${title}`.slice(0, 120) }, [{ ...ref, claimId, digest, askedBy }]);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    await record.settleExecution({ ...ref, digest });
    return { kind: 'notRolledBack', because: [`UNKNOWN: nobody can tell whether ${title} was taken back (${explain(error)})`] };
  }
}
