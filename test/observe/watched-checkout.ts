import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { configs } from './recording.js';
import type { Watched } from './watched.js';

const PROVIDER_MS = 120;

/** The demo's checkout, which tells how many payments fail by what its configuration file says. */
export async function openCheckout(place: string, parent: string): Promise<Watched> {
  const folder = join(parent, place);
  const path = join(folder, 'checkout.yaml');
  await mkdir(folder);
  let now: keyof typeof configs = 'good';
  let left = '';
  const effects: string[] = [];

  /** Whether anybody has written to it or put another in its place shows in its times and number. */
  const look = async (): Promise<string> => stat(path, { bigint: true }).then(({ ino, mode, mtimeNs, ctimeNs }) => [ino, mode, mtimeNs, ctimeNs].join());
  async function noteEffects(): Promise<void> {
    if ((await look()) !== left || (await readFile(path, 'utf8')) !== configs[now]) effects.push(`the configuration of ${place} was touched`);
  }
  async function write(wanted: keyof typeof configs): Promise<void> {
    await writeFile(`${path}.new`, configs[wanted]);
    await rename(`${path}.new`, path);
    [now, left] = [wanted, await look()];
  }
  await write('good');

  // As in the demo, what cannot be read is not taken over.
  let timeoutMs = 0;
  const server = createServer((_request, response) => {
    const text = readFileSync(path, 'utf8');
    if (text !== configs.unreadable) timeoutMs = (parse(text) as { readonly provider: { readonly timeoutMs: number } }).provider.timeoutMs;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ failedPercent: timeoutMs < PROVIDER_MS ? 100 : 0 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `WEEK_CHECKOUT_${place.toUpperCase()}`;

  return {
    place,
    targets: {
      [`checkout-${place}`]: { kind: 'http', url: { env: url }, probe: { path: '/stats', readings: [{ name: 'failed', title: 'failed payments', field: 'failedPercent', unit: 'percent', threshold: 5 }] } },
      [`config-${place}`]: { kind: 'config-file', path, serves: [`checkout-${place}`] },
    },
    variables: { [url]: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    break: (fault) => write(fault === 'unreadable' ? 'unreadable' : 'timeout'),
    async mend() {
      await noteEffects();
      await write('good');
    },
    async findEffects() {
      await noteEffects();
      return effects;
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
