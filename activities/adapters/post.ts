const MAX_RETRY_AFTER_MS = 3_600_000;

export type Answer =
  /** `text` is null where it is longer than what was to be read. */
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfterMs: number | null; readonly text: string | null }
  | { readonly kind: 'unanswered'; readonly because: string };

export interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends JSON once. Redirects are not followed, and nothing is waited for longer or read further than asked. Words of a failure never hold the address, which may be a secret. */
export async function post({ url, headers, body }: Message, bounds: { readonly timeoutMs: number; readonly maxBytes: number; readonly signal: AbortSignal }): Promise<Answer> {
  const { timeoutMs, maxBytes, signal } = bounds;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'sluice', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([timeout, signal]),
    });
    return { kind: 'answered', status: response.status, retryAfterMs: readRetryAfter(response.headers.get('retry-after')), text: await readText(response, maxBytes) };
  } catch (error) {
    if (timeout.aborted) return { kind: 'unanswered', because: `no answer within ${timeoutMs / 1_000} s` };
    if (signal.aborted) return { kind: 'unanswered', because: 'cut short' };
    return { kind: 'unanswered', because: `cannot be reached (${codeOf(error)})` };
  }
}

/** Whether the same message may well be taken later. */
export const isWeather = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500;

async function readText({ body }: Response, maxBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop also lets go of the connection.
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Seconds or a date. */
function readRetryAfter(text: string | null): number | null {
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'connection failed';
}
