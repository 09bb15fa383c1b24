import type { FastifyError } from 'fastify';
import type { Problem } from '../contracts/http.js';
import { isAway } from '../db/away.js';
import { PolicyMissing } from '../db/policies.js';

/** A request that is answered with a problem document. One class, one status, one stable type. The detail says what the reader can do. */
export abstract class ApiError extends Error {
  abstract readonly type: string;
  abstract readonly status: number;
  abstract readonly title: string;
  readonly headers: Readonly<Record<string, string>> = {};
  readonly findings: Problem['findings'];
}

const problem = (slug: string, status: number, title: string) =>
  class extends ApiError {
    readonly type = `urn:sluice:problem:${slug}`;
    readonly status = status;
    readonly title = title;
  };

export class InvalidRequest extends problem('invalid-request', 400, 'The request is not valid') {}
export class WrongName extends problem('wrong-name', 400, 'Nobody can be called this') {
  constructor(where: string) {
    super(`${where} must be a name in plain, visible characters (Unicode NFKC), with single spaces and none around it, and not SYSTEM, sluice or sluice.yaml, which are Sluice itself.`);
  }
}
export class WorkspaceNeeded extends problem('workspace-needed', 400, 'Which workspace?') {
  constructor(workspaces: readonly string[]) {
    super(`You belong to several workspaces. Name one of them in the header Sluice-Workspace: ${workspaces.join(', ')}.`);
  }
}
export class MalformedRequest extends problem('malformed-request', 400, 'The request cannot be read') {}
export class NotAuthenticated extends problem('not-authenticated', 401, 'Who are you?') {
  override readonly headers = { 'www-authenticate': 'Bearer realm="sluice"' };
}
export class NotAllowed extends problem('not-allowed', 403, 'You may not do this') {}
export class WrongPerson extends problem('wrong-person', 403, 'You may not act for somebody else') {
  constructor(person: string) {
    super(`Your token is ${person}'s, and userId names somebody else. Leave userId out, or use that person's token.`);
  }
}
export class UnknownRoute extends problem('unknown-route', 404, 'There is nothing here') {}
export class UnknownIncident extends problem('unknown-incident', 404, 'No such incident') {
  constructor(incidentId: string) {
    super(`Your workspace has no incident ${incidentId}. GET /api/incidents lists those it has.`);
  }
}
export class UnknownGate extends problem('unknown-gate', 404, 'No such gate') {}
export class UnknownWorkspace extends problem('unknown-workspace', 404, 'No such workspace') {
  constructor(workspaceId: string) {
    super(`You have no workspace ${workspaceId}. GET /api/me says which one your token is for.`);
  }
}
export class UnknownToken extends problem('unknown-token', 404, 'No such token') {
  constructor(tokenId: string) {
    super(`Your workspace has no token ${tokenId}. GET /api/tokens lists those it has.`);
  }
}
export class UnknownPerson extends problem('unknown-person', 404, 'No such person') {
  constructor(person: string) {
    super(`Your workspace knows nobody named ${person}. GET /api/people lists whom it knows.`);
  }
}
export class UnknownCall extends problem('unknown-call', 404, 'No such call') {
  constructor(callId: string) {
    super(`You hold no call ${callId}: nobody waits for it any more, or another worker has it.`);
  }
}
export class UnknownKey extends problem('unknown-key', 404, 'No such key') {
  constructor(keyId: string) {
    super(`There is no key ${keyId}. GET /api/keys lists those there are.`);
  }
}
export class KeyInUse extends problem('key-in-use', 409, 'This key signs') {
  constructor(keyId: string) {
    super(`What is decided now is signed with ${keyId}. Rotate first, with POST /api/keys/rotate, then revoke it.`);
  }
}
export class GateClosed extends problem('gate-closed', 409, 'The gate is closed') {}
export class GateExpired extends problem('gate-expired', 409, 'The gate has expired') {}
export class StaleDigest extends problem('stale-digest', 409, 'This is not the plan at the gate') {}
export class AlreadyDecided extends problem('already-decided', 409, 'You have approved this already') {}
export class ObserveOnly extends problem('observe-only', 409, 'This is only observed') {}
export class OwnBytes extends problem('own-bytes', 409, 'Somebody else has to approve this') {}
export class NotThisPod extends problem('not-this-pod', 409, 'This pod is not the one that runs') {}
export class KillSwitchOn extends problem('kill-switch-on', 409, 'Nothing may run now') {}
export class ReviewNeeded extends problem('review-needed', 409, 'This needs a review first') {}
export class BreakGlassOff extends problem('break-glass-off', 409, 'Nobody may let this run alone') {}
export class PolicyOvertaken extends problem('policy-overtaken', 409, 'The policy was changed meanwhile') {}
export class ConfirmationNeeded extends problem('confirmation-needed', 409, 'This needs a typed confirmation') {}
export class IncidentClosed extends problem('incident-closed', 409, 'The incident is closed') {}
export class NothingToRollBack extends problem('nothing-to-roll-back', 409, 'There is nothing to take back') {}
export class RollbackUnderWay extends problem('rollback-under-way', 409, 'It is being taken back') {}
export class SnapshotExpired extends problem('snapshot-expired', 409, 'It is too late to take it back') {}
export class IncidentOpen extends problem('incident-open', 409, 'The incident is not closed') {}
export class TokenShown extends problem('token-shown', 409, 'The token was shown before') {
  constructor(tokenId: string) {
    super(`This Idempotency-Key has made the token ${tokenId}, which is shown only once. If it is lost, revoke it with DELETE /api/tokens/${tokenId} and make another under a new key.`);
  }
}
export class SlackUserTaken extends problem('slack-user-taken', 409, 'The Slack user is somebody else') {}
export class NameTaken extends problem('name-taken', 409, 'The name is taken') {}
export class IdReused extends problem('id-reused', 409, 'This id or key stands for another request') {}
export class BodyTooLarge extends problem('body-too-large', 413, 'The body is too large') {}
export class UnsupportedMediaType extends problem('unsupported-media-type', 415, 'The body is of an unknown kind') {}
export class ReasonNeeded extends problem('reason-needed', 422, 'A reason is needed') {}
export class ScriptDenied extends problem('script-denied', 422, 'The script is not allowed') {
  constructor(
    message: string,
    override readonly findings: NonNullable<Problem['findings']>,
  ) {
    super(message);
  }
}
export class InternalError extends problem('internal', 500, 'Something went wrong here') {}
export class Unavailable extends problem('unavailable', 503, 'Not now') {
  override readonly headers = { 'retry-after': '5' };
}

/** Gives every error its class. What is not known is ours, and its message stays inside. */
export function toApiError(error: unknown, requestId: string): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof PolicyMissing) return new Unavailable(error.message, { cause: error });
  if (isAway(error)) return new Unavailable('The database does not answer. Send the same request again in a few seconds.', { cause: error });
  const { code, statusCode, validation, validationContext } = readFastifyError(error);
  if (validation !== undefined) return new InvalidRequest(describeWrong(validationContext ?? 'request', validation));
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new BodyTooLarge('Send less in one request; SLUICE_BODY_LIMIT_BYTES sets the limit.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new UnsupportedMediaType('Send JSON with the header `Content-Type: application/json`.');
  if (code === 'FST_ERR_HANDLER_TIMEOUT') return new Unavailable('It took too long. Send the same request again in a few seconds.', { cause: error });
  if (statusCode === undefined || statusCode >= 500) {
    return new InternalError(`It was written to the log of the API as request ${requestId}. Send the request again, or tell whoever runs Sluice.`, { cause: error });
  }
  return new MalformedRequest(`The request cannot be read: ${error instanceof Error ? error.message : 'unknown'}.`);
}

const readFastifyError = (error: unknown): Partial<FastifyError> => (error instanceof Error ? error : {});

/** Names every wrong field once, as `body/alerts/0/status must be …`. */
function describeWrong(part: string, errors: NonNullable<FastifyError['validation']>): string {
  // A union reports the branch that was not meant, too: what is said of the fields within is what helps.
  const telling = errors.filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'boolean');
  const inner = telling.filter(({ keyword, instancePath }) => keyword !== 'type' || instancePath !== '');
  const lines = (inner.length > 0 ? inner : telling).map(({ instancePath, message, keyword, params }) => {
    const allowed = keyword === 'enum' && Array.isArray(params['allowedValues']) ? `: ${params['allowedValues'].join(', ')}` : '';
    const extra = Array.isArray(params['additionalProperties']) ? `: ${params['additionalProperties'].join(', ')}` : '';
    return `${part}${instancePath} ${message ?? 'is wrong'}${allowed}${extra}`;
  });
  return `${[...new Set(lines)].join('; ')}.`;
}
