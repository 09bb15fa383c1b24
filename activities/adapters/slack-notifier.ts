import type { Delivery, Notice } from '../../domain/notification.js';
import type { Channel } from '../../domain/watch.js';
import { isWeather, post } from './post.js';
import { toSlackAnswer, toSlackMessage } from './slack-message.js';
import type { ReadSecret } from './target-connections.js';

type SlackChannel = Extract<Channel, { kind: 'slack' }>;

const TIMEOUT_MS = 10_000;
// An answer repeats the message that it is about.
const MAX_ANSWER_BYTES = 262_144;

/** Slack's names for what the next try may not meet. */
const weather = ['ratelimited', 'rate_limited', 'internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'];

const remedies: Readonly<Record<string, string>> = {
  invalid_auth: 'its token is not known to Slack; put the right one where sluice.yaml says and restart the worker',
  not_authed: 'its token is empty',
  token_revoked: 'its token was revoked; put a new one where sluice.yaml says',
  account_inactive: 'its token is of a user or workspace that is gone',
  missing_scope: 'its token lacks the scope chat:write',
  channel_not_found: 'there is no such channel, or the app is not in it: check `channel`, and /invite the app',
  not_in_channel: 'the app is not in the channel: /invite it',
  is_archived: 'the channel is archived',
  user_not_in_channel: 'the user has left the channel',
};

/** Tells a Slack channel, or one user in it, through Slack's Web API. */
export const createSlackNotifier =
  (readSecret: ReadSecret, timeoutMs = TIMEOUT_MS) =>
  async (channel: SlackChannel, notice: Notice, signal: AbortSignal): Promise<Delivery> => {
    const { onlyFor } = notice;
    const method = onlyFor === null ? 'chat.postMessage' : 'chat.postEphemeral';
    const message = onlyFor === null ? toSlackMessage(channel, notice) : toSlackAnswer(channel, onlyFor, notice);
    const headers = { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${readSecret(channel.token)}` };
    const url = `${channel.api.replace(/\/+$/, '')}/${method}`;
    const answer = await post({ url, headers, body: JSON.stringify(message) }, { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal });
    if (answer.kind === 'unanswered') return { kind: 'tryAgain', because: answer.because, afterMs: null };
    const { status, retryAfterMs, text } = answer;
    if (isWeather(status)) return { kind: 'tryAgain', because: `Slack answered ${status}`, afterMs: retryAfterMs };
    if (status >= 300) return { kind: 'gaveUp', because: `it answered ${status}, as Slack does not: check \`api\`` };
    const error = readError(text);
    if (error === null) return { kind: 'delivered' };
    if (error === undefined) return { kind: 'tryAgain', because: 'it does not answer as Slack does', afterMs: null };
    if (weather.includes(error)) return { kind: 'tryAgain', because: `Slack answered ${error}`, afterMs: retryAfterMs };
    return { kind: 'gaveUp', because: `Slack answered ${error}${Object.hasOwn(remedies, error) ? `: ${remedies[error]}` : ''}` };
  };

/** The error that Slack names; null where it took the message, undefined where this is no answer of Slack's. */
function readError(text: string | null): string | null | undefined {
  try {
    const answer = JSON.parse(text ?? '') as { readonly ok?: unknown; readonly error?: unknown } | null;
    if (answer?.ok === true) return null;
    return answer?.ok === false && typeof answer.error === 'string' && /^[a-z_]{1,60}$/.test(answer.error) ? answer.error : undefined;
  } catch {
    return undefined;
  }
}
