import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { IncidentDetail, TailEntry } from '../../contracts/http.js';
import { roles } from '../../domain/actor.js';

/** What the page may meet; a test changes it while the page runs. */
export interface FakeApi {
  readonly url: string;
  incidents: IncidentDetail[];
  tail: TailEntry[];
  /** Bodies of POST requests in the order of their arrival, those that got no answer included. */
  readonly posted: unknown[];
  /** How each next POST is answered; `drop` cuts the connection. When none is left, all is well. */
  answers: ('drop' | { readonly status: number; readonly body: unknown })[];
  isDown: boolean;
  /** Adds to the tail and tells it to whoever listens. */
  tell(...entries: readonly TailEntry[]): void;
  dropTails(): void;
  close(): Promise<void>;
}

const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const kinds: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** Serves a built page as the real API does, content security policy included, over incidents that a test makes up. The token is the role. */
export async function startFakeApi(pageFolder: string): Promise<FakeApi> {
  const tails = new Set<ServerResponse>();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const fake: FakeApi = {
    url: `http://127.0.0.1:${port}`,
    incidents: [],
    tail: [],
    posted: [],
    answers: [],
    isDown: false,
    tell(...entries) {
      fake.tail.push(...entries);
      for (const open of tails) {
        entries.forEach((entry) => sendEntry(open, entry));
        if (fake.tail.at(-1)?.event === 'done') open.end();
      }
    },
    dropTails: () => tails.forEach((open) => open.destroy()),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (fake.isDown) return void response.destroy();
    const { pathname, searchParams } = new URL(request.url ?? '/', fake.url);
    if (!pathname.startsWith('/api/')) return sendFile(response, pathname);
    const role = roles.find((each) => request.headers.authorization === `Bearer ${each}`);
    if (role === undefined) return sendProblem(response, 401, 'the token is unknown; ask for a new one');
    if (pathname === '/api/me') return sendJson(response, 200, { person: 'ana', role, workspaceId: 'demo' });
    if (pathname === '/api/incidents') {
      const isOpen = searchParams.get('state') === 'open';
      return sendJson(response, 200, { incidents: fake.incidents.filter(({ outcome }) => (outcome === null) === isOpen), nextCursor: null });
    }
    const [, incidentId, rest] = /^\/api\/incidents\/([^/]+)(.*)$/.exec(pathname) ?? [];
    const incident = fake.incidents.find(({ id }) => id === incidentId);
    if (incident === undefined) return sendProblem(response, 404, 'there is no such incident; see /api/incidents');
    if (request.method === 'POST') return hear(request, response);
    if (rest === '/tail') return openTail(response, Number(request.headers['last-event-id'] ?? 0));
    return sendJson(response, 200, incident);
  }

  async function hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await request.toArray()).join('');
    fake.posted.push(JSON.parse(body));
    const next = fake.answers.shift() ?? { status: 200, body: { decisionId: 'd', gateState: 'approved', approvals: 1, approvalsNeeded: 1, message: 'Action approved' } };
    if (next === 'drop') return void response.destroy();
    return sendJson(response, next.status, next.body);
  }

  function openTail(response: ServerResponse, after: number): void {
    const last = fake.tail.at(-1);
    if (last?.event === 'done' && last.seq <= after) return void response.writeHead(204).end();
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': open\n\n');
    // The entry that the page has already comes again: a sender may repeat itself.
    fake.tail.filter(({ seq }) => seq >= after).forEach((entry) => sendEntry(response, entry));
    if (last?.event === 'done') return void response.end();
    tails.add(response);
    response.on('close', () => tails.delete(response));
  }

  async function sendFile(response: ServerResponse, pathname: string): Promise<void> {
    const path = extname(pathname) === '' ? '/index.html' : pathname;
    const bytes = await readFile(join(pageFolder, path)).catch(() => null);
    if (bytes === null) return sendProblem(response, 404, 'there is no such file');
    response.writeHead(200, { 'content-type': kinds[extname(path)] ?? 'application/octet-stream', 'content-security-policy': policy });
    response.end(bytes);
  }

  return fake;
}

const sendEntry = (response: ServerResponse, { event, seq, data }: TailEntry): void =>
  void response.write(`event: ${event}\nid: ${seq}\ndata: ${JSON.stringify(data)}\n\n`);

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
  response.end(JSON.stringify(body));
}

const sendProblem = (response: ServerResponse, status: number, detail: string): void =>
  sendJson(response, status, { type: 'about:blank', title: `Problem ${status}`, status, detail });
