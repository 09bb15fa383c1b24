import { setTimeout as wait } from 'node:timers/promises';
import { fastify } from 'fastify';
import pg from 'pg';
import { PRODUCTS } from './database.js';
import { toStats, type Request } from '../stats.js';

// A process of its own, as a real shop is: clients that place orders, a page with their figures, and on demand the fault.

const CLIENTS = 8;
const THINK_MS = 100;
const STATEMENT_TIMEOUT_MS = 3_000;
// Real clients do not give up in the same instant.
const TIMEOUT_APART_MS = 300;
const KEPT_MS = 10_000;

const databaseUrl = process.env['SHOP_DATABASE_URL'] ?? '';
const requests: Request[] = [];
const inFlight = new Map<number, number>();
let stopped = false;

async function placeOrder(client: pg.Client): Promise<void> {
  const sku = 1 + Math.floor(Math.random() * PRODUCTS);
  await client.query('begin');
  await client.query('update shop.products set stock = stock - 1 where sku = $1', [sku]);
  await client.query('insert into shop.orders (sku) values ($1)', [sku]);
  await client.query('commit');
}

async function shopOn(id: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'shop-client', statement_timeout: STATEMENT_TIMEOUT_MS + id * TIMEOUT_APART_MS });
  client.on('error', () => {});
  await client.connect();
  while (!stopped) {
    const startedAt = Date.now();
    inFlight.set(id, startedAt);
    const ok = await placeOrder(client).then(
      () => true,
      () => client.query('rollback').then(() => false, () => false),
    );
    inFlight.delete(id);
    requests.push({ endedAt: Date.now(), tookMs: Date.now() - startedAt, ok });
    while ((requests[0]?.endedAt ?? Infinity) < Date.now() - KEPT_MS) requests.shift();
    await wait(THINK_MS);
  }
  await client.end();
}

let faultEnded = true;

/** The fault: a report that takes every product's lock, and whose author went to lunch before committing. */
async function forgetTransaction(): Promise<{ pid: number }> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'shop-report' });
  client.on('error', () => {});
  client.on('end', () => (faultEnded = true));
  await client.connect();
  await client.query('begin');
  await client.query('update shop.products set stock = stock');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  faultEnded = false;
  return { pid: rows[0]?.pid ?? 0 };
}

const app = fastify({ forceCloseConnections: true });
app.get('/stats', () => toStats(requests, [...inFlight.values()], Date.now()));
app.post('/fault', () => forgetTransaction());
app.get('/fault', async () => !faultEnded);
const url = await app.listen({ host: '127.0.0.1', port: Number(process.env['SHOP_PORT'] ?? 0) });
const clients = Array.from({ length: CLIENTS }, (_, id) => shopOn(id));

async function stop(): Promise<void> {
  stopped = true;
  await app.close();
  await Promise.race([Promise.allSettled(clients), wait(STATEMENT_TIMEOUT_MS)]);
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => {}); // the demo, which hears it too, ends the shop last
process.on('disconnect', () => void stop());
process.send?.({ kind: 'ready', url });
