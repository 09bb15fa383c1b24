import { createHmac } from 'node:crypto';
import type { Delivery, Notice } from '../../domain/notification.js';
import type { Channel } from '../../domain/watch.js';
import { isWeather, post } from './post.js';
import type { ReadSecret } from './target-connections.js';

type WebhookChannel = Extract<Channel, { kind: 'webhook' }>;

const TIMEOUT_MS = 10_000;
// Only the status counts; so much is read that the connection can be used again.
const MAX_ANSWER_BYTES = 16_384;
const MIN_KEY_BYTES = 16;

/** Tells a receiver of the user's own, signed as Standard Webhooks says, so that it can tell our messages from others and drop repeats by their id. */
export const createWebhookNotifier =
  (readSecret: ReadSecret, timeoutMs = TIMEOUT_MS) =>
  async ({ url, secret }: WebhookChannel, notice: Notice, signal: AbortSignal): Promise<Delivery> => {
    if (notice.onlyFor !== null) return { kind: 'gaveUp', because: 'what is for one person is told in Slack only' };
    const body = JSON.stringify(toBody(notice));
    const timestamp = `${Math.floor(Date.now() / 1_000)}`;
    const signature = sign(toSigningKey(readSecret(secret)), `${notice.id}.${timestamp}.${body}`);
    const headers = { 'webhook-id': notice.id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
    const answer = await post({ url: typeof url === 'string' ? url : readSecret(url), headers, body }, { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal });
    if (answer.kind === 'unanswered') return { kind: 'tryAgain', because: answer.because, afterMs: null };
    const { status, retryAfterMs } = answer;
    if (status >= 200 && status < 300) return { kind: 'delivered' };
    if (isWeather(status)) return { kind: 'tryAgain', because: `it answered ${status}`, afterMs: retryAfterMs };
    return { kind: 'gaveUp', because: status < 400 ? `it answered ${status}, and redirects are not followed: name the address itself in sluice.yaml` : `it answered ${status}` };
  };

/** The bytes to sign with: after `whsec_` in base64, otherwise as they are. Throws where they are too few to keep anybody from guessing them. */
export function toSigningKey(secret: string): Buffer {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
  if (key.byteLength < MIN_KEY_BYTES) throw new Error(`A webhook's secret has only ${key.byteLength} bytes. Make one of at least ${MIN_KEY_BYTES}, for example: echo "whsec_$(openssl rand -base64 32)"`);
  return key;
}

const sign = (key: Buffer, text: string): string => createHmac('sha256', key).update(text).digest('base64');

function toBody({ id, kind, workspaceId, incidentId, title, severity, text, gate, url }: Notice): object {
  return { id, kind, workspaceId, incidentId, title, severity, text, gate: gate && toGateBody(gate), url };
}

function toGateBody({ id, kind, plan, digest, roleNeeded, approvalsNeeded, expiresAt }: NonNullable<Notice['gate']>): object {
  return { id, kind, planTitle: plan?.title ?? null, risk: plan?.risk ?? null, digest, roleNeeded, approvalsNeeded, expiresAt };
}
