import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fastify } from 'fastify';
import { parse } from 'yaml';
import { toStats, type Request } from '../stats.js';

// A process of its own, as a real service is: clients that pay, the provider that takes their money, and a configuration that is read again whenever it changes.

const CLIENTS = 6;
const THINK_MS = 150;
const KEPT_MS = 10_000;
const READ_AGAIN_MS = 200;
const PROVIDER_MS = { least: 40, most: 120 };

const path = process.env['CHECKOUT_CONFIG'] ?? '';
const requests: Request[] = [];
const inFlight = new Map<number, number>();
let stopped = false;

const readTimeoutMs = (): number => (parse(readFileSync(path, 'utf8')) as { readonly provider: { readonly timeoutMs: number } }).provider.timeoutMs;
let timeoutMs = readTimeoutMs();
const readingAgain = setInterval(() => {
  try {
    timeoutMs = readTimeoutMs();
  } catch {
    // What cannot be read is not taken over: the service goes on with what it has.
  }
}, READ_AGAIN_MS);

const app = fastify({ forceCloseConnections: true });
app.get('/stats', () => toStats(requests, [...inFlight.values()], Date.now()));
app.post('/provider/charge', async () => {
  await wait(PROVIDER_MS.least + Math.random() * (PROVIDER_MS.most - PROVIDER_MS.least));
  return { charged: true };
});
app.post('/checkout', async (_request, reply) => {
  try {
    const answer = await fetch(`${url}/provider/charge`, { method: 'POST', signal: AbortSignal.timeout(timeoutMs) });
    return await answer.json();
  } catch {
    return reply.code(504).send({ error: `the payment provider did not answer within ${timeoutMs} ms` });
  }
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });

async function payOn(id: number): Promise<void> {
  while (!stopped) {
    const startedAt = Date.now();
    inFlight.set(id, startedAt);
    const ok = await fetch(`${url}/checkout`, { method: 'POST' }).then(
      async (response) => (await response.text()) !== '' && response.ok,
      () => false,
    );
    inFlight.delete(id);
    requests.push({ endedAt: Date.now(), tookMs: Date.now() - startedAt, ok });
    while ((requests[0]?.endedAt ?? Infinity) < Date.now() - KEPT_MS) requests.shift();
    await wait(THINK_MS);
  }
}
const clients = Array.from({ length: CLIENTS }, (_, id) => payOn(id));

async function stop(): Promise<void> {
  stopped = true;
  clearInterval(readingAgain);
  await Promise.allSettled(clients);
  await app.close();
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => {}); // the demo, which hears it too, ends the service last
process.on('disconnect', () => void stop());
process.send?.({ kind: 'ready', url });
