import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Host, Watch } from '../../activities/ports.js';
import { aPolicy } from '../builders.js';

/**
 * Stands in for a machine with systemd and Docker, which a test machine has neither of: two programs that keep what runs in files
 * and write down each restart. What is real is everything between them and us: processes, locks, signals.
 */
export interface FakeHost {
  readonly path: string;
  /** For the executor's own folders. */
  readonly runs: string;
  /** How long Docker takes at most to restart what it has stopped. */
  readonly restartsWithinMs: number;
  /** Every restart, by whomever: `restart nginx.service`. */
  readonly listRestarts: () => Promise<readonly string[]>;
  readonly listRuns: () => Promise<readonly string[]>;
  /** Somebody else restarts it. */
  readonly restart: (name: string) => Promise<void>;
  /** What a program does before it has its effect, in the words of sh; `wait-for FILE` waits for a file of the host's folder. */
  readonly hinder: (words: string) => Promise<void>;
  /** How many seconds Docker gives what it stops; -1 for any number. */
  readonly giveGrace: (seconds: number) => Promise<void>;
  readonly touch: (name: string) => Promise<void>;
  readonly has: (name: string) => Promise<boolean>;
  /** As it was when it was opened. */
  readonly reset: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const systemctl = (folder: string): string => `#!/bin/sh
cd ${folder} || exit 1
if [ "$1" = show ]; then
  state=$(cat "state/$2" 2>/dev/null) || { echo LoadState=not-found; exit 0; }
  printf 'LoadState=loaded\\nActiveState=%s\\nSubState=running\\nInvocationID=%s\\nExecMainStartTimestamp=%s\\nStateChangeTimestampMonotonic=%s\\n' "\${state%% *}" "\${state#* }" "\${state#* }" "\${state#* }"
  exit 0
fi
. ./hinder
echo "$1 $2" >> restarts
echo "active $(wc -l < restarts)" > "state/.$$" && mv "state/.$$" "state/$2"
`;

const docker = (folder: string): string => `#!/bin/sh
cd ${folder} || exit 1
if [ "$1" = inspect ]; then
  state=$(cat "state/$4" 2>/dev/null) || { echo "Error: No such container: $4" >&2; exit 1; }
  printf '{"Id":"0123456789abcdef","RestartCount":0,"State":{"Status":"running","Running":true,"Restarting":false,"StartedAt":"%s"},"Config":{"StopTimeout":%s}}\\n' "\${state#* }" "$(cat grace)"
  exit 0
fi
. ./hinder
echo "$1 $2" >> restarts
echo "active $(wc -l < restarts)" > "state/.$$" && mv "state/.$$" "state/$2"
`;

const waitFor = 'wait_for() { while [ ! -e "$1" ]; do sleep 0.02; done; }\n';

/** A host on which these run. */
export async function openFakeHost(running: readonly string[]): Promise<FakeHost> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-host-'));
  const programs = join(folder, 'programs');
  for (const name of ['programs', 'state', 'runs']) await mkdir(join(folder, name));
  await writeFile(join(programs, 'systemctl'), systemctl(folder), { mode: 0o755 });
  await writeFile(join(programs, 'docker'), docker(folder), { mode: 0o755 });
  const reset = async () => {
    for (const name of ['restarts', 'hinder']) await writeFile(join(folder, name), '');
    await writeFile(join(folder, 'grace'), '0');
    for (const name of running) await writeFile(join(folder, 'state', name), 'active 0\n');
  };
  await reset();
  const listRestarts = async () => (await readFile(join(folder, 'restarts'), 'utf8')).split('\n').filter((line) => line !== '');
  const listRuns = () => readdir(join(folder, 'runs'));
  return {
    path: [programs, '/usr/bin', '/bin'].join(delimiter),
    runs: join(folder, 'runs'),
    restartsWithinMs: 300,
    listRestarts,
    listRuns,
    async restart(name) {
      await appendFile(join(folder, 'restarts'), `restart ${name}\n`);
      await writeFile(join(folder, 'state', name), `active ${(await listRestarts()).length}\n`);
    },
    hinder: (words) => writeFile(join(folder, 'hinder'), `${waitFor}${words}\n`),
    giveGrace: (seconds) => writeFile(join(folder, 'grace'), `${seconds}`),
    touch: (name) => writeFile(join(folder, name), ''),
    has: async (name) => (await readdir(folder)).includes(name),
    reset,
    close: () => rm(folder, { recursive: true }),
  };
}

/** That host as sluice.yaml has it, in the only workspace there is. */
export function watchHost(over: Partial<Host> = {}): Watch {
  const host: Host = { kind: 'host', name: 'web-1', queue: null, executor: 'host', serves: [], units: ['nginx'], containers: ['web'], paths: [], secrets: {}, detectors: [{ kind: 'host' }], ...over };
  return { readWorkspace: (id) => ({ id, targets: [host], alertRules: [], sweepEveryMs: null, channels: [], startingPolicy: aPolicy() }) };
}
