import { readFileSync, watch } from 'node:fs';
import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { World } from './world.js';

const FIXED = 'fixed';
// A script never runs as root, so what it may change belongs to somebody else where we do.
const OWNER = 2_000_000_001;

/** A service that is slow until a line is in a file of its machine, which a script appends. Counted are those lines, and that they were taken away. */
export async function openScriptWorld(folder: string): Promise<World> {
  const home = join(folder, 'machine');
  const path = join(home, 'service.log');
  await mkdir(home);
  await writeFile(path, '');
  if (process.getuid?.() === 0) await chown(path, OWNER, OWNER);
  // So long that it is there until somebody ends it, and like no other.
  const straggler = `${36_000 + Math.random()}`;
  const script = `echo ${FIXED} >> ${path}\nsleep ${straggler} > /dev/null 2>&1 &\nfor second in 1 2 3 4; do echo "went on $second"; sleep 0.25; done\n`;

  let mostLines = 0;
  let timesPutBack = 0;
  let changed = (): void => {};
  const watching = watch(home, () => {
    const lines = countLines(path);
    if (lines > mostLines) changed();
    if (lines === 0 && mostLines > 0) timesPutBack = 1;
    mostLines = Math.max(mostLines, lines);
  });
  const server = createServer((_request, response) => void response.end(JSON.stringify({ p99Ms: countLines(path) > 0 ? 20 : 900 })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    workspace: `
    stabilization: 1s
    targets:
      service:
        kind: http
        url: { env: CHAOS_SCRIPTED_SERVICE }
        probe: { path: /stats, readings: [{ name: p99, title: p99 latency, field: p99Ms, unit: ms, threshold: 500 }] }
      machine: { kind: host, executor: host, serves: [service], paths: [${path}] }`,
    environment: { CHAOS_SCRIPTED_SERVICE: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    async prepare(author) {
      await author.post('/api/sre/scripts', {
        workspaceId: 'script',
        name: 'Append The Missing Line',
        description: 'Appends the line without which the service is slow.',
        type: 'BASH',
        command: script,
        parameters: [],
        category: 'serviceDegraded',
        paths: [path],
        risk: 'MEDIUM',
        estimatedDuration: 1_000,
      });
    },
    async close() {
      watching.close();
      server.close();
      server.closeAllConnections();
    },

    async breakIt(name) {
      const broken = `${name}\n`;
      await writeFile(path, broken);
      await settle();
      [mostLines, timesPutBack] = [0, 0];
      return {
        async countEffects() {
          await settle();
          return mostLines + timesPutBack;
        },
        isAsItBroke: async () => (await readFile(path, 'utf8')) === broken,
        isAtRest: async () => !(await listCommandLines()).some((line) => line.includes(straggler)),
        onChange: (listener) => void (changed = listener),
        async close() {
          changed = () => {};
        },
      };
    },
  };
}

const countLines = (path: string): number => readFileSync(path, 'utf8').split('\n').filter((line) => line === FIXED).length;

async function listCommandLines(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}

/** Until the system has told what was done to the folder before. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
