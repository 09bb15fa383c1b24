import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { authorizedFetch, isPassing, readJson, toProblem } from './api.js';
import type { TailEntry } from './shapes.js';

export type TailState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: unknown };

interface TailListener {
  onEntry(entry: TailEntry): void;
  onState(state: TailState): void;
}

// The stream has comment heartbeats, so this long without a byte is a dead connection that nobody closed.
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

export interface TailFollower {
  stop(): void;
  /** Looks whether more was told after the end: what was closed can still be taken back. */
  goOn(): void;
}

/** Follows a job tail from its start to its end, each entry once, whatever happens to the connection. */
export function followTail(incidentId: string, listener: TailListener): TailFollower {
  const stop = new AbortController();
  const place = { lastSeq: 0 };
  let isFollowing = false;
  const goOn = (): void => {
    if (isFollowing || stop.signal.aborted) return;
    isFollowing = true;
    void follow(incidentId, place, listener, stop.signal).finally(() => (isFollowing = false));
  };
  goOn();
  return { stop: () => stop.abort(), goOn };
}

async function follow(incidentId: string, place: { lastSeq: number }, listener: TailListener, stopped: AbortSignal): Promise<void> {
  let failures = 0;
  const hear = (entry: TailEntry): void => {
    if (stopped.aborted || entry.seq <= place.lastSeq) return;
    place.lastSeq = entry.seq;
    failures = 0;
    listener.onEntry(entry);
  };
  while (!stopped.aborted) {
    let isOver = false;
    try {
      isOver = await readStream(incidentId, place.lastSeq, stopped, { hear, onOpen: () => listener.onState({ kind: 'live' }) });
    } catch (error) {
      if (!stopped.aborted && !isPassing(error)) return listener.onState({ kind: 'failed', error });
    }
    if (stopped.aborted) return;
    if (isOver) return listener.onState({ kind: 'ended' });
    listener.onState({ kind: 'reconnecting' });
    // Half of the pause is chance, so that a restarted API does not meet every page at once.
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++);
    await pause(pauseMs * (0.5 + Math.random() / 2), stopped);
  }
}

/** Reads one connection until it ends; true when nothing followed the end of the tail. Throws when it breaks, falls silent or is refused. */
async function readStream(
  incidentId: string,
  lastSeq: number,
  stopped: AbortSignal,
  { hear, onOpen }: { hear: (entry: TailEntry) => void; onOpen: () => void },
): Promise<boolean> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await authorizedFetch(
      new Request(`/api/incidents/${encodeURIComponent(incidentId)}/tail`, {
        headers: { accept: 'text/event-stream', ...(lastSeq === 0 ? {} : { 'last-event-id': `${lastSeq}` }) },
        cache: 'no-store',
        signal: AbortSignal.any([stopped, silence.signal]),
      }),
    );
    // Nothing will follow what this page has.
    if (response.status === 204) return true;
    if (!response.ok || response.body === null) throw toProblem(response.status, await readJson(response));
    onOpen();
    let isOver = false;
    const parser = createParser({
      onEvent: (message) => {
        const entry = readEntry(message);
        if (entry === undefined) return;
        hear(entry);
        isOver = entry.event === 'done';
      },
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return isOver;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      parser.feed(value);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined for an event that this page does not know yet. */
function readEntry({ event, id, data }: EventSourceMessage): TailEntry | undefined {
  if (event !== 'update' && event !== 'output' && event !== 'done') return undefined;
  return { event, seq: Number(id), data: JSON.parse(data) } as TailEntry;
}

function pause(durationMs: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', end);
      window.removeEventListener('online', end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    stopped.addEventListener('abort', end);
    window.addEventListener('online', end);
  });
}
