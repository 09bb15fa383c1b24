import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Behaviour =
  | { readonly kind: 'answers'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Takes the request and never says a word. */
  | { readonly kind: 'hangs' }
  /** Never comes to an end of its answer. */
  | { readonly kind: 'neverEnds'; readonly status: number };

/** A local HTTP server that notes what it is sent, and behaves as it is told. */
export async function openReceiver(behave: (request: Received) => Behaviour) {
  const received: Received[] = [];
  let cutOff = 0;
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const got = { path: request.url ?? '', headers: request.headers, body: (await buffer(request)).toString() };
    received.push(got);
    response.on('close', () => {
      if (!response.writableFinished) cutOff += 1;
    });
    const behaviour = behave(got);
    switch (behaviour.kind) {
      case 'answers':
        response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body ?? '');
        return;
      case 'hangs':
        return;
      case 'neverEnds': {
        response.writeHead(behaviour.status);
        const write = () => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
        };
        response.on('drain', write);
        write();
      }
    }
  }
  // A sender that goes away in the middle is nothing to us.
  const server = createServer((request, response) => void answer(request, response).catch(() => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: received as readonly Received[],
    /** How many answers were not heard to their end. */
    countCutOff: () => cutOff,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof openReceiver>>;
