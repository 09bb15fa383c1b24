import { setTimeout as wait } from 'node:timers/promises';
import type { Problem } from '../../contracts/http.js';
import type { BeatAnswer, BeginAnswer, OutputAnswer, PollAnswer, PollBody } from '../../contracts/http-executors.js';

const TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;

/** The API does not let this worker in; asking again is no use. */
export class NotLetIn extends Error {
  override readonly name = 'NotLetIn';
}

/** Nobody waits for the call any more, or it is somebody else's. */
export class CallGone extends Error {
  override readonly name = 'CallGone';
}

/** The side of the API that executor workers use. What does not get through is sent again, later and later. */
export function openExecutorApi({ url, token, workerId }: { readonly url: string; readonly token: string; readonly workerId: string }) {
  async function post<Answer>(path: string, body: object, signal?: AbortSignal): Promise<Answer> {
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ workerId, ...body }),
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal === undefined ? [] : [signal])]),
    });
    if (response.ok) return (await response.json()) as Answer;
    const { detail } = (await response.json().catch((): Partial<Problem> => ({}))) as Partial<Problem>;
    const because = detail ?? `it answered ${response.status}`;
    if (response.status === 401 || response.status === 403) throw new NotLetIn(`The API at ${url} does not let this worker in: ${because} The token must have the role executor, and the queue as its person: sluice tokens make --role executor --person QUEUE.`);
    if (response.status === 404) throw new CallGone(because);
    throw new Error(because);
  }

  /** Until it gets through, the call is gone, or nobody wants it any more. */
  async function insist<Answer>(path: string, body: object, signal?: AbortSignal): Promise<Answer> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        return await post<Answer>(path, body, signal);
      } catch (error) {
        if (error instanceof NotLetIn || error instanceof CallGone || signal?.aborted === true) throw error;
        await wait(pauseMs, undefined, signal === undefined ? {} : { signal });
      }
    }
  }

  const of = (callId: string, what: string): string => `/api/executors/calls/${callId}/${what}`;
  return {
    /** The next call, or null after a while. */
    poll: async (presence: Omit<PollBody, 'workerId'>, signal: AbortSignal) => (await post<PollAnswer>('/api/executors/poll', presence, signal)).call,
    /** Once; the next one comes soon. */
    beat: (callId: string) => post<BeatAnswer>(of(callId, 'beat'), {}),
    async begin(callId: string, handle: string): Promise<Exclude<BeginAnswer['beginning'], 'waiting'>> {
      for (;;) {
        const { beginning } = await insist<BeginAnswer>(of(callId, 'begin'), { handle });
        if (beginning !== 'waiting') return beginning;
      }
    },
    sendOutput: async (callId: string, firstLine: number, text: string) => (await insist<OutputAnswer>(of(callId, 'output'), { firstLine, text })).isFull,
    answer: (callId: string, answer: string, signal: AbortSignal) => insist(of(callId, 'answer'), { answer }, signal),
  };
}

export type ExecutorApi = ReturnType<typeof openExecutorApi>;
