import { randomUUID } from 'node:crypto';
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

interface CallOptions {
  readonly body?: object;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

interface TailOptions {
  readonly after?: number;
  readonly signal?: AbortSignal;
  /** Called each time the connection drops. */
  readonly onLost?: () => void;
}

/** The HTTP API as the terminal uses it. Answers are typed by the caller: they come from our own server's checked schemas. */
export function createApiClient(url: string, token: string, workspace?: string) {
  async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, options: CallOptions = {}): Promise<Response> {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(workspace === undefined ? {} : { 'sluice-workspace': workspace }),
      accept: options.accept ?? 'application/json',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    };
    const response = await fetch(new URL(path, url), {
      method,
      headers,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }).catch((error: unknown) => {
      if (options.signal?.aborted === true) throw error;
      throw new ApiUnreachable(`Nothing answers at ${url}. Start it with npm start, or name another address with --url or SLUICE_URL.`, { cause: error });
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

    /** Every page of a list, from its first to its last. */
    async getPages<Page extends { readonly nextCursor: string | null }>(path: string): Promise<readonly Page[]> {
      const pages: Page[] = [];
      for (let query = 'limit=200'; ; ) {
        const page = (await (await call('GET', `${path}?${query}`)).json()) as Page;
        pages.push(page);
        if (page.nextCursor === null) return pages;
        query = new URLSearchParams({ limit: '200', cursor: page.nextCursor }).toString();
      }
    },

    async post<Answer>(path: string, body: object): Promise<Answer> {
      return (await (await call('POST', path, { body })).json()) as Answer;
    },

    async put<Answer>(path: string, body: object): Promise<Answer> {
      return (await (await call('PUT', path, { body })).json()) as Answer;
    },

    async delete<Answer>(path: string): Promise<Answer> {
      return (await (await call('DELETE', path)).json()) as Answer;
    },

    /** Starts a detection and returns the id of its incident. */
    async remediate(body: object): Promise<string> {
      const response = await call('POST', '/api/ai/sre/remediate', { body, accept: 'text/event-stream', headers: { 'idempotency-key': randomUUID() } });
      const incidentId = response.headers.get('sluice-incident');
      // Its tail is followed where it can be resumed.
      await response.body?.cancel();
      if (incidentId === null) throw new ApiUnreachable(`${url} named no incident. Is it the address of Sluice?`);
      return incidentId;
    },

    /** The job tail after `after`, until the incident is closed. A connection that drops is resumed where it was; one that was never had is not waited for. */
    async *followTail(incidentId: string, { after = 0, signal, onLost = () => {} }: TailOptions = {}): AsyncGenerator<TailEntry> {
      let last = after;
      let hasBegun = false;
      let isDone = false;
      const isOver = (): boolean => signal?.aborted === true;
      while (!isOver()) {
        try {
          const path = `/api/incidents/${encodeURIComponent(incidentId)}/tail?after=${last}`;
          const response = await call('GET', path, { accept: 'text/event-stream', ...(signal === undefined ? {} : { signal }) });
          hasBegun = true;
          // It ended with what was read before.
          if (response.status === 204) return;
          for await (const entry of readEntries(response)) {
            if (entry.seq <= last) continue;
            last = entry.seq;
            isDone = entry.event === 'done';
            yield entry;
          }
          if (isDone) return;
        } catch (error) {
          if (isOver()) return;
          if (!hasBegun || (error instanceof ApiRefusal && error.problem.status < 500)) throw error;
        }
        onLost();
        await wait(RECONNECT_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {});
      }
    },
  };
}

export type ApiClient = ReturnType<typeof createApiClient>;
