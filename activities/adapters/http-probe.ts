import type { Signal } from '../../domain/signal.js';
import type { Detector } from '../../domain/watch.js';

const MAX_BODY_BYTES = 1024 * 1024;

type Probe = Extract<Detector, { kind: 'http-probe' }>;

/** Asks an address once: whether it answers 2xx or 3xx, how long that takes, and the numbers in its JSON. An address that does not answer is a value, not an error. */
export async function probeHttp(url: string, target: string, probe: Probe): Promise<readonly Signal[]> {
  const startedMs = performance.now();
  let available = false;
  let body: unknown;
  try {
    const response = await fetch(toAddress(url, probe.path), { signal: AbortSignal.timeout(probe.timeoutMs), redirect: 'manual' });
    available = response.status < 400;
    const text = await readText(response);
    if (probe.readings.length > 0) body = JSON.parse(text);
  } catch {
    // What is missing below says that it did not answer, or not in JSON.
  }
  const latencyMs = Math.round(performance.now() - startedMs);
  return [
    { target, name: 'availability', title: 'availability', unit: 'percent', value: available ? 100 : 0, threshold: probe.availabilityPercent, better: 'higher' },
    { target, name: 'latency', title: 'probe latency', unit: 'ms', value: available ? latencyMs : null, threshold: probe.latencyMs, better: 'lower' },
    ...probe.readings.map(({ name, title, field, unit, threshold }): Signal => ({ target, name, title, unit, value: readField(body, field), threshold, better: 'lower' })),
  ];
}

/** The path below the url's own. `/` is the url as it is. */
export function toAddress(url: string, path: string): URL {
  const address = new URL(url);
  if (path === '/') return address;
  const { pathname, searchParams } = new URL(`http://probe${path}`);
  address.pathname = `${address.pathname.replace(/\/+$/, '')}${pathname}`;
  for (const [name, value] of searchParams) address.searchParams.append(name, value);
  return address;
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop also lets go of the connection.
    if (bytes > MAX_BODY_BYTES) throw new Error(`the body is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The number at a dotted path; null where there is none. */
export function readField(value: unknown, path: string): number | null {
  let current = value;
  for (const key of path.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return null;
    current = Object.getOwnPropertyDescriptor(current, key)?.value;
  }
  return typeof current === 'number' && Number.isFinite(current) ? current : null;
}
