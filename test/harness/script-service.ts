import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FIXED = 'fixed';
// A script never runs as root, so what it may change belongs to somebody else where we do.
const OWNER = 2_000_000_001;

/** A service that is slow until a script on its host appends a line to its file. */
export interface ScriptService {
  readonly folder: string;
  readonly file: string;
  /** What its host gives scripts: the folder of the file. */
  readonly home: string;
  /** For a workspace in sluice.yaml; `secrets` are those of the host. */
  readonly toTargets: (secrets?: Readonly<Record<string, string>>) => string;
  /** What a script does last. */
  readonly fix: string;
  close(): Promise<void>;
}

export async function openScriptService(): Promise<ScriptService> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-service-'));
  const home = join(folder, 'machine');
  const file = join(home, 'service.conf');
  await mkdir(home);
  await writeFile(file, 'slow\n');
  if (process.getuid?.() === 0) for (const path of [home, file]) await chown(path, OWNER, OWNER);
  const server = createServer((_request, response) => {
    readFile(file, 'utf8').then((text) => response.end(JSON.stringify({ p99Ms: text.includes(FIXED) ? 20 : 900 })), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    folder,
    file,
    home,
    fix: `echo ${FIXED} >> ${file}`,
    toTargets: (secrets = {}) => `
    targets:
      service:
        kind: http
        url: http://127.0.0.1:${port}
        probe: { path: /stats, readings: [{ name: p99, title: p99 latency, field: p99Ms, unit: ms, threshold: 500 }] }
      machine:
        kind: host
        executor: host
        serves: [service]
        paths: [${home}]
        secrets: { ${Object.entries(secrets).map(([name, path]) => `${name}: { file: ${path} }`).join(', ')} }
`,
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
