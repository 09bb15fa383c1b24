import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { query } from './target-server.js';
import type { World } from './world.js';

const good = `${JSON.stringify({ pool: { size: 40, waitMs: 200 }, greeting: 'hello' }, null, 2)}\n`;
const bad = good.replace('40', '1');

/** A service whose configuration file was changed for the worse. Counted are the files that the service was given, each told to it by the system. */
export async function openConfigWorld(folder: string): Promise<World> {
  const home = join(folder, 'service');
  const path = join(home, 'service.json');
  await mkdir(home);
  await writeFile(path, good);

  let generations = 0;
  let changed = (): void => {};
  // A file that is put in the place of this one is told once; whoever writes into this one is told as a change.
  const watching = watch(home, (_event, file) => {
    if (file !== 'service.json') return;
    generations += 1;
    changed();
  });
  const server = createServer((_request, response) => {
    readFile(path, 'utf8').then(
      (text) => response.end(JSON.stringify({ p99Ms: text.includes('"size": 40') ? 20 : 900 })),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    workspace: `
    stabilization: 1s
    sweep: { every: 3650d }
    targets:
      service:
        kind: http
        url: { env: CHAOS_SERVICE }
        probe: { path: /stats, readings: [{ name: p99, title: p99 latency, field: p99Ms, unit: ms, threshold: 500 }] }
      settings: { kind: config-file, path: ${path}, executor: config-patch, serves: [service] }`,
    environment: { CHAOS_SERVICE: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    async prepare(_author, databaseUrl) {
      const hash = createHash('sha256').update(good).digest('hex');
      await query(databaseUrl, "insert into last_known_good (workspace_id, target, hash, content, well_since, well_at, good_at) values ('config', 'settings', $1, $2, now(), now(), now()) on conflict do nothing", [hash, good]);
    },
    async close() {
      watching.close();
      server.close();
      server.closeAllConnections();
    },

    async breakIt() {
      await writeFile(path, bad);
      await settle();
      const before = generations;
      return {
        async countEffects() {
          await settle();
          return generations - before;
        },
        isAsItBroke: async () => (await readFile(path, 'utf8')) === bad,
        isAtRest: async () => true,
        onChange: (listener) => void (changed = listener),
        async close() {
          changed = () => {};
          await writeFile(path, good);
        },
      };
    },
  };
}

/** Until the system has told what was done to the folder before. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
