import { setTimeout as wait } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Problem, TailEntry } from '../contracts/http.js';

const RECONNECT_MS = 1_000;

/** The API said no, and why. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** Nobody answers at the address. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable';
}

/** The HTTP API as the terminal uses it. Answers are typed by the caller: they come from our own server's checked schemas. */
export function createApiClient(url: string, token: string) {
  async function call(method: 'GET' | 'POST', path: string, options: { body?: object; accept?: string; signal?: AbortSignal } = {}): Promise<Response> {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: options.accept ?? 'application/json',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const response = await fetch(new URL(path, url), {
      method,
      headers,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }).catch((error: unknown) => {
      if (options.signal?.aborted === true) throw error;
      throw new ApiUnreachable(`Nothing answers at ${url}. Start it with npm start, or name another address in SLUICE_URL.`, { cause: error });
    });
    if (response.ok) return response;
    const problem = await response.json().catch((): Problem => ({ type: 'about:blank', title: response.statusText, status: response.status, detail: `${url} answered ${response.status}` }));
    throw new ApiRefusal(problem as Problem);
  }

  /** Entries of a stream, from its bytes. Ends when the connection does. */
  async function* readEntries(response: Response): AsyncGenerator<TailEntry> {
    if (response.body === null) return;
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { event, id, data } of events) {
      yield { event, seq: Number(id), data: JSON.parse(data) } as TailEntry;
    }
  }

  return {
    async get<Answer>(path: string): Promise<Answer> {
      return (await (await call('GET', path)).json()) as Answer;
    },

    async post<Answer>(path: string, body: object): Promise<Answer> {
      return (await (await call('POST', path, { body })).json()) as Answer;
    },

    /** The job tail after `after`, until the incident is closed. A connection that drops is resumed where it was. */
    async *followTail(incidentId: string, { after = 0, signal }: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<TailEntry> {
      let last = after;
      for (;;) {
        try {
          const response = await call('GET', `/api/incidents/${incidentId}/tail?after=${last}`, { accept: 'text/event-stream', ...(signal === undefined ? {} : { signal }) });
          for await (const entry of readEntries(response)) {
            if (entry.seq <= last) continue;
            last = entry.seq;
            yield entry;
            if (entry.event === 'done') return;
          }
        } catch (error) {
          if (signal?.aborted === true) return;
          if (error instanceof ApiRefusal && error.problem.status < 500) throw error;
        }
        await wait(RECONNECT_MS);
      }
    },
  };
}

export type ApiClient = ReturnType<typeof createApiClient>;
