import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import type { ExitRecord } from '../../../activities/adapters/sandbox/run-folder.js';
import type { Change, ChangeResult } from '../../../activities/ports.js';
import type { Step, ValidStep } from '../../../domain/plan.js';
import { openScriptHost, type ScriptHost } from '../../harness/script-host.js';
import { toBombs } from './bombs.js';
import type { Ground } from './ground.js';
import { startHeartbeat } from './heartbeat.js';
import { type Probe, SUCCESS } from './probe.js';

const MiB = 1_048_576;
const PROBE_TIMEOUT_MS = 15_000;
const CONTROL_TIMEOUT_MS = 15_000;
export const BOMB_TIMEOUT_MS = 3_000;
/** A tree must be gone so long after its deadline. */
export const GONE_WITHIN_MS = 2_000;
/** And nothing else on the machine may be late by more than this meanwhile. */
export const LATE_MS = 1_000;
const bombLimits = { memoryBytes: 192 * MiB, diskBytes: 16 * MiB, processes: 24, outputBytes: 4 * MiB };
// What a disk takes between two looks at it.
const DISK_SLACK_BYTES = 512 * MiB;
const LOOK_EVERY_MS = 50;

export interface ProbeResult {
  readonly probe: Probe;
  /** Why it got out; null where it did not. */
  readonly breach: string | null;
  /** Whether the same script succeeds without the sandbox; null where that is not tried. */
  readonly shows: boolean | null;
}

export interface BombResult {
  readonly name: string;
  readonly breach: string | null;
  readonly tookMs: number;
  readonly lateMs: number;
  readonly summary: string;
}

interface Run {
  readonly result: ChangeResult;
  readonly lines: readonly string[];
  readonly handle: string;
}

async function run(host: ScriptHost, step: ValidStep): Promise<Run> {
  const rehearsal = await host.executor.rehearse(host.workspaceId, step);
  if (!rehearsal.found) throw new Error(`scripts do not run on this machine, so there is nothing to attack: ${rehearsal.lines.join('; ')}`);
  // Its paths have a socket in them and are not kept; nothing is taken back here.
  const frozen: Step = { ...step, wayBack: { kind: 'oneWay', because: 'nothing is taken back' }, pins: rehearsal.pins };
  const change: Change = { kind: 'execute', step: frozen, key: randomBytes(16).toString('hex'), snapshot: null };
  const lines: string[] = [];
  let handle = '';
  const result = await host.executor.run(host.workspaceId, change, {
    begin: async (noted) => void (handle = noted),
    signal: new AbortController().signal,
    // The end says how it ended, so the middle of much is left out.
    onOutput: (line) => void (lines.length < 2_000 && lines.push(line)),
    toldLines: 0,
    drained: async () => {},
  });
  return { result, lines, handle };
}

/** One try inside, seen by what it says and from outside. */
export async function tryProbe(ground: Ground, probe: Probe): Promise<ProbeResult> {
  const { host } = ground;
  const step = host.toStep(probe.script, { type: probe.type, timeoutMs: PROBE_TIMEOUT_MS }, { secrets: ['token'] });
  const { result, lines } = await run(host, step);
  const happened = await ground.whatHappened();
  const breach = lines.includes(SUCCESS) ? 'it succeeded' : happened.length > 0 ? happened.join('; ') : /could not be made|did not start/.test(result.summary) ? `it was not tried: ${result.summary}` : null;
  return { probe, breach, shows: null };
}

/** The same try without the sandbox: whether it succeeds, so that it is no empty one; null where it would do harm. */
export async function tryControl({ token }: Ground, { type, script, control }: Probe): Promise<boolean | null> {
  if (control === null) return null;
  const interpreter = type === 'bash' ? ['bash', '-c', script] : ['python3', '-c', script];
  const apart = ['unshare', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']), '--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--mount-proc', '--propagation', 'private'];
  // With a descriptor open, as whoever started a script could have.
  const words = ['-c', 'exec 9</proc/self/status; exec "$@"', 'sh', ...(control === 'apart' ? apart : []), ...interpreter];
  return new Promise((resolve) => {
    execFile('sh', words, { timeout: CONTROL_TIMEOUT_MS, killSignal: 'SIGKILL', env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', SLUICE_ATTACK: token } }, (_error, stdout) => resolve(stdout.split('\n').includes(SUCCESS)));
  });
}

/** Lets bombs off, one by one, and measures what they took and whether anybody else had to wait. */
export async function tryBombs(tell: (result: BombResult) => void, only: RegExp): Promise<readonly BombResult[]> {
  const heartbeat = startHeartbeat();
  const results: BombResult[] = [];
  try {
    const count = toBombs(await nowhere()).length;
    for (let index = 0; index < count; index += 1) {
      const host = await openScriptHost();
      const bomb = toBombs(host)[index];
      if (bomb === undefined || !only.test(bomb.name)) {
        await host.close();
        continue;
      }
      const before = new Set(listStrangers(host));
      const peaks = watchPeaks(host, before);
      await heartbeat.worstMs();
      const { result, lines, handle } = await run(host, host.toStep(bomb.script, { type: bomb.type, timeoutMs: BOMB_TIMEOUT_MS }, bombLimits));
      const left = listStrangers(host).filter((pid) => !before.has(pid));
      const lateMs = await heartbeat.worstMs();
      const { processes, diskBytes, outputBytes } = await peaks.stop();
      const { run: name } = JSON.parse(handle) as { readonly run: string };
      const { tookMs } = JSON.parse(await readFile(join(host.runs, name, 'exit'), 'utf8')) as ExitRecord;
      const troubles = [
        ...(left.length === 0 ? [] : [`${left.length} of its processes are left`]),
        ...(tookMs <= BOMB_TIMEOUT_MS + GONE_WITHIN_MS ? [] : [`it was gone only ${tookMs - BOMB_TIMEOUT_MS} ms after its deadline`]),
        ...(lateMs <= LATE_MS ? [] : [`the machine did not answer for ${lateMs} ms`]),
        ...(processes <= bombLimits.processes + 4 ? [] : [`it had ${processes} processes`]),
        ...(diskBytes <= bombLimits.diskBytes + DISK_SLACK_BYTES ? [] : [`it took ${Math.round(diskBytes / MiB)} MiB of disk`]),
        ...(outputBytes <= bombLimits.outputBytes + 4_096 ? [] : [`${outputBytes} bytes of its output were kept`]),
        ...(bomb.bites.test(`${result.summary}\n${lines.join('\n')}`) ? [] : [`it did not come to its limit: ${result.summary}`]),
      ];
      const done = { name: bomb.name, breach: troubles.length === 0 ? null : troubles.join('; '), tookMs, lateMs, summary: result.summary };
      results.push(done);
      tell(done);
      await host.close();
    }
  } finally {
    await heartbeat.stop();
  }
  return results;
}

async function nowhere(): Promise<ScriptHost> {
  const host = await openScriptHost();
  await host.close();
  return host;
}

/** The processes of other PID namespaces that run as whoever the bomb runs as. */
function listStrangers({ uid: wanted }: ScriptHost): readonly string[] {
  const ours = readlinkSync('/proc/self/ns/pid');
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
      // One that has ended and waits to be collected does nothing any more.
      return uid === wanted && !/^State:\tZ/m.test(status) && readlinkSync(`/proc/${name}/ns/pid`) !== ours;
    } catch {
      return false;
    }
  });
}

/** The most that a bomb has had at any look. */
function watchPeaks(host: ScriptHost, before: ReadonlySet<string>) {
  // What no list shows is missing from what is free.
  const free = async (): Promise<number> => statfs(host.given).then(({ bavail, bsize }) => bavail * bsize);
  const freeBefore = free();
  const peaks = { processes: 0, diskBytes: 0, outputBytes: 0 };
  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      peaks.processes = Math.max(peaks.processes, listStrangers(host).filter((pid) => !before.has(pid)).length);
      peaks.diskBytes = Math.max(peaks.diskBytes, await measureFiles(host.given), (await freeBefore) - (await free()));
      peaks.outputBytes = Math.max(peaks.outputBytes, await measureRuns(host.runs));
      await wait(LOOK_EVERY_MS);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await watching;
      return peaks;
    },
  };
}

const sizeOf = (path: string): Promise<number> => stat(path).then(({ blocks }) => blocks * 512, () => 0);

async function measureFiles(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return (await Promise.all(names.slice(0, 5_000).map((name) => sizeOf(join(folder, name))))).reduce((sum, size) => sum + size, 0);
}

async function measureRuns(runs: string): Promise<number> {
  const names = await readdir(runs).catch(() => []);
  const sizes = await Promise.all(names.map((name) => stat(join(runs, name, 'output')).then(({ size }) => size, () => 0)));
  return Math.max(0, ...sizes);
}
