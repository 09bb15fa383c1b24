import type { Database } from '../db/database.js';
import { decide, type DecisionAnswer, type SignDecision } from '../db/decisions.js';
import { assertNever } from '../domain/assert-never.js';
import type { Decision, GateState } from '../domain/gate.js';
import {
  AlreadyDecided,
  type ApiError,
  BreakGlassOff,
  ConfirmationNeeded,
  GateClosed,
  GateExpired,
  IdReused,
  KillSwitchOn,
  NotAllowed,
  NothingToRollBack,
  ObserveOnly,
  OwnBytes,
  ReasonNeeded,
  ReviewNeeded,
  StaleDigest,
  UnknownGate,
} from './errors.js';

/** What a gate's state is called in a sentence. */
export const gateWords: Readonly<Record<GateState, string>> = {
  open: 'open',
  approved: 'approved',
  rejected: 'rejected',
  changesRequested: 'closed, because changes were requested',
  rollbackRequested: 'closed, because a rollback was requested',
  expired: 'expired',
  withdrawn: 'withdrawn, because the incident went on without it',
};

/** Hears a decision; one that does not count is thrown as the problem that says why. */
export async function decideOrThrow(db: Database, sign: SignDecision, incidentId: string, decision: Decision): Promise<Extract<DecisionAnswer, { kind: 'counted' }>> {
  const answer = await decide(db, sign, incidentId, decision);
  if (answer.kind === 'counted') return answer;
  throw toProblem(answer, decision);
}

function toProblem(answer: Exclude<DecisionAnswer, { kind: 'counted' }>, decision: Decision): ApiError {
  switch (answer.kind) {
    case 'unknownGate':
      return new UnknownGate(`The incident has no gate ${decision.gateId}. GET the incident to see the one it waits at.`);
    case 'conflict':
      return new IdReused('This decision id or Idempotency-Key stands for another decision. Use a new one.');
    case 'refused':
      return toRefusal(answer, decision);
  }
}

function toRefusal({ because, gate, confirmation }: Extract<DecisionAnswer, { kind: 'refused' }>, { actor: { role }, verdict }: Decision): ApiError {
  switch (because) {
    case 'gateClosed':
      return new GateClosed(`The gate is ${gateWords[gate.state]}; this decision changed nothing. GET the incident to see what it waits for now.`);
    case 'gateExpired':
      return new GateExpired(`The gate waited until ${gate.expiresAt?.toISOString() ?? 'now'}; this decision changed nothing. Start a new incident if it is still needed.`);
    case 'staleDigest':
      return new StaleDigest(`The gate is for the digest ${gate.digest ?? 'null'}. GET the incident, look at its plan, and send that digest if you still agree.`);
    case 'notAllowed':
      return new NotAllowed(`Your role is ${role}; this needs ${verdict === 'approve' ? gate.roleNeeded : 'supervisor'}. Ask somebody with that role to decide.`);
    case 'alreadyDecided':
      return new AlreadyDecided(`Your approval counts already. The gate needs ${gate.approvalsNeeded} different people.`);
    case 'confirmationNeeded':
      return new ConfirmationNeeded(`The plan's risk is high. To approve it, type its title: send "confirmation": ${JSON.stringify(confirmation)}.`);
    case 'noWayBack':
      return new NothingToRollBack('Nothing that this gate is about can be taken back. Answer it with approve, reject or requestChanges.');
    case 'observeOnly':
      return new ObserveOnly('The policy only observed when this gate opened: its plan is never run. Once the policy lets people decide, request changes: another plan is made, which can be approved.');
    case 'ownBytes':
      return new OwnBytes(`${gate.excluded.join(', ')} may not approve this: ${gate.kind === 'execution' ? 'it is what they wrote' : 'they let it run alone'}. Ask somebody else to decide.`);
    case 'reviewNeeded':
      return new ReviewNeeded('The confidence is low: a supervisor has to look at it first and send the verdict review with a reason. After that it can be approved.');
    case 'reasonNeeded':
      return new ReasonNeeded(`Say in \`reason\` why: ${verdict === 'reject' ? 'a person was called to this gate, and the next one should know' : 'others will have to understand it afterwards'}.`);
    case 'breakGlassOff':
      return new BreakGlassOff(gate.kind === 'execution' ? 'The policy lets nobody run a plan alone. Ask the others whom the gate waits for.' : 'Nothing waits to be run at this gate, so there is no glass to break. GET the incident to see what it asks.');
    case 'killSwitch':
      return new KillSwitchOn('The kill switch is on, so nothing may be approved to run; this decision changed nothing, and the gate stays open. GET /api/kill-switch says who turned it on and why.');
    case 'nothingToReview':
      return new AlreadyDecided('This gate needs no review, or has one: it waits for approval.');
    default:
      return assertNever(because);
  }
}
