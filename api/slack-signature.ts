import { createHmac, timingSafeEqual } from 'node:crypto';

// What Slack advises: a request that somebody kept is good for no longer.
const MAX_AGE_SECONDS = 300;

interface SignedRequest {
  readonly body: Buffer;
  readonly timestamp: unknown;
  readonly signature: unknown;
}

/** Whether Slack signed this very body within the last minutes. */
export function isSignedBySlack(signingSecret: string, { body, timestamp, signature }: SignedRequest, now: Date): boolean {
  if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp) || typeof signature !== 'string') return false;
  if (Math.abs(now.getTime() / 1_000 - Number(timestamp)) > MAX_AGE_SECONDS) return false;
  const wanted = Buffer.from(`v0=${createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(body).digest('hex')}`);
  const given = Buffer.from(signature);
  return given.byteLength === wanted.byteLength && timingSafeEqual(given, wanted);
}
