import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Database } from '../db/database.js';
import type { TailListener } from '../db/tail-listener.js';
import { readTail } from '../db/tail-reads.js';
import { toTailEntry } from './tail-entry.js';

// One page is in memory per reader; a row holds at most 64 KiB of output.
const PAGE_ROWS = 50;
const RETRY_MS = 1_000;

export interface TailSource {
  readonly db: Database;
  readonly listener: TailListener;
  /** How long a stream is silent at most; so often it also looks for what no wake-up told of, and whether its reader may still read. */
  readonly heartbeatMs: number;
}

/** The longest that a timer can wait: a stream that lasts longer is cut, and its reader resumes it. */
export const STREAM_TIMEOUT_MS = 2 ** 31 - 1;

/** Answers with an incident's tail as server-sent events, for as long as whoever asked may read it. */
export function sendTail(reply: FastifyReply, source: TailSource, incidentId: string, after: number): FastifyReply {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return reply
    .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    .type('text/event-stream')
    .send(Readable.from(follow(source, incidentId, after, { isAllowed: reply.request.isStillAllowed, signal: gone.signal }), { objectMode: false }));
}

interface Reader {
  readonly isAllowed: () => Promise<boolean>;
  /** Says that it is gone. */
  readonly signal: AbortSignal;
}

/** The tail after `after` until it is done or its reader is gone or not allowed any more. It is pulled by the reader, so a slow one costs one page. */
async function* follow({ db, listener, heartbeatMs }: TailSource, incidentId: string, after: number, { isAllowed, signal }: Reader) {
  const bell = createBell();
  const unsubscribe = listener.subscribe(incidentId, bell.ring);
  signal.addEventListener('abort', bell.ring, { once: true });
  try {
    yield `retry: ${RETRY_MS}\n\n`;
    let last = after;
    let isDone = false;
    let askAgainAt = performance.now() + heartbeatMs;
    while (!signal.aborted) {
      // By the clock, because a tail in which much happens is never silent.
      if (performance.now() >= askAgainAt) {
        if (!(await isAllowed())) return;
        askAgainAt = performance.now() + heartbeatMs;
      }
      const rows = await readTail(db, incidentId, { after: last, limit: PAGE_ROWS });
      for (const row of rows) {
        const { event, seq, data } = toTailEntry(row);
        yield `id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
        last = seq;
        isDone = event === 'done';
      }
      if (isDone && rows.length < PAGE_ROWS) return;
      if (rows.length < PAGE_ROWS && !(await bell.rest(heartbeatMs))) yield ': still here\n\n';
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', bell.ring);
  }
}

/** Lets a reader rest until somebody rings. A ring while it is not resting is kept, so none is missed. */
function createBell() {
  let hasRung = false;
  let wake = () => {};
  return {
    ring: () => {
      hasRung = true;
      wake();
    },
    /** True when it was rung, false when the time was up. */
    rest: async (atMostMs: number): Promise<boolean> => {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, atMostMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const wasRung = hasRung;
      hasRung = false;
      return wasRung;
    },
  };
}
