import { CancellationScope, setCurrentDetails, setHandler, uuid4 } from '@temporalio/workflow';
import type { RollbackInput } from '../contracts/messages.js';
import { needsHumanGateSignal } from '../contracts/messages.js';
import { toCurrentDetails } from '../domain/current-details.js';
import type { RollbackCause } from '../domain/grant.js';
import type { UpdateDraft } from '../domain/incident.js';
import type { Approval } from '../domain/updates.js';
import { needsHuman } from '../domain/updates.js';
import { close } from './activity-proxies.js';
import { awaitGate } from './await-gate.js';
import type { Desk, Message } from './desk.js';
import { takeDecision } from './desk.js';
import { rollBack } from './roll-back.js';
import { by, toReviewers } from './stage.js';

/** Takes back what a closed incident had changed. What does not go back stays at a gate until a person says how it is left. */
export async function rollback(input: RollbackInput): Promise<'ROLLED_BACK' | 'LEFT'> {
  const { workspaceId, incidentId, decisionId, digest, title, policy } = input;
  const ref = { workspaceId, incidentId };
  const inbox: Message[] = [];
  let last: Pick<UpdateDraft, 'phase' | 'status'> = { phase: 'CLOSED', status: 'IN_PROGRESS' };
  const desk: Desk = { ref, inbox, now: () => last };
  const show = (nextAction: string): void => setCurrentDetails(toCurrentDetails({ nextAction, phase: `rollback, ${last.status}`, plan: `${title}, digest ${digest}`, lastUpdates: [] }));
  setHandler(needsHumanGateSignal, takeDecision(inbox, 'needsHuman gate'), { description: 'Sent by the API when a person said how to go on' });

  /** `again`: somebody wants it tried again. */
  async function attempt(cause: RollbackCause, askedBy: Approval | null): Promise<{ readonly rolledBack: boolean; readonly summary: string } | { readonly again: RollbackCause; readonly askedBy: Approval | null }> {
    show('none, it is being taken back');
    const result = await rollBack({ ref, digest, title, cause, askedBy, policy });
    if (result.kind === 'rolledBack') return { rolledBack: true, summary: `${title} was taken back${by(askedBy)}` };
    const gateId = uuid4();
    const update = needsHuman('CLOSED', gateId, [...result.because, 'Take it back again, or leave it as it is and say why'], 'rollback');
    last = update;
    show('take it back again (rollBack), or leave it as it is (reject)');
    const answer = await awaitGate(desk, {
      gate: { gateId, kind: 'needsHuman', digest, planVersion: null, offersRollback: true, ...toReviewers([]), expiresAt: null },
      update,
      severity: null,
      policy,
      needsHumanAfterMs: 0,
      expiresInMs: null,
      isRecovered: null,
    });
    if (answer.kind === 'rollbackRequested' && answer.decisionId !== null) return { again: { kind: 'decision', decisionId: answer.decisionId }, askedBy: answer.by };
    // Whoever approves it as it is leaves it as it is.
    const person = 'approvals' in answer ? (answer.approvals.at(-1) ?? null) : 'by' in answer ? answer.by : null;
    return { rolledBack: false, summary: `Left as it is${by(person)}` };
  }

  return CancellationScope.nonCancellable(async () => {
    let next = await attempt({ kind: 'decision', decisionId }, input.askedBy);
    while ('again' in next) next = await attempt(next.again, next.askedBy);
    last = await close.closeRollback.executeWithOptions({ summary: next.rolledBack ? 'Rolled back' : 'Left as it is' }, [{ ...ref, decisionId, ...next }]);
    show('none');
    return next.rolledBack ? 'ROLLED_BACK' : 'LEFT';
  });
}
