import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants as fileFlags, openSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { text as readText } from 'node:stream/consumers';
import { toSecrets } from '../../../contracts/secret-values.js';
import { createRedactor } from '../../../domain/redaction.js';
import { sha256 } from '../../digest.js';
import { hasCode } from '../staged-file.js';
import { SYSTEM_PATH, type SandboxSpec, toSandboxCall } from './bubblewrap.js';
import { openCgroups, removeCgroups } from './cgroups.js';
import { endNamespace, identify, signalProcess } from './process-tree.js';
import { digestPaths, readPaths } from './path-snapshot.js';
import { type Ended, OUTPUT, takeRun, writeExit, writeTree } from './run-folder.js';
import { openOutput } from './script-output.js';
import { watchLimits } from './watch-limits.js';

/** What the runner of one script reads from its standard input, which nobody else can. */
export interface RunSpec extends SandboxSpec {
  readonly folder: string;
  /** The SHA-256 of what the paths were when they were rehearsed. */
  readonly before: string;
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

// bwrap itself, the first process of the namespace, and the shell that waits for the word.
const OWN_PROCESSES = 3;
const CLOSE_ON_EXEC = 0o2000000;

async function main(): Promise<void> {
  closeInherited();
  const cancelled = new AbortController();
  process.on('SIGTERM', () => cancelled.abort());
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  const spec = JSON.parse(await readText(process.stdin)) as RunSpec;
  if (!(await takeRun(spec.folder, identify(process.pid)))) return;
  const startedAt = Date.now();
  const ended = await runScript(spec, cancelled.signal);
  await writeExit(spec.folder, { ended, endedAt: new Date().toISOString(), tookMs: Date.now() - startedAt, left: await digestPaths(spec.paths) });
}

async function runScript(spec: RunSpec, cancelled: AbortSignal): Promise<Ended> {
  if (sha256((await readPaths(spec.paths)).text) !== spec.before) return { kind: 'changedBefore' };
  const file = await open(join(spec.folder, OUTPUT), 'a', 0o600);
  const output = openOutput(file, { redactor: createRedactor(spec.secrets.flatMap(toSecrets)), limitBytes: spec.outputBytes });
  const cgroups = openCgroups(`sluice-${spec.folder.split('/').at(-1)}`, { memoryBytes: spec.memoryBytes, processes: spec.processes + OWN_PROCESSES });
  const pipe = openPipe(join(spec.folder, 'pipe'));
  const call = toSandboxCall(spec, { boundMemory: !cgroups.boundsMemory, boundProcesses: !cgroups.boundsProcesses && spec.user === null });
  // Joins its control groups before it does anything else, and is what the kernel ends first when the machine is out of memory.
  const join_ = 'echo 1000 >/proc/self/oom_score_adj; while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"';
  const child = spawn('/bin/sh', ['-c', join_, 'sh', ...cgroups.folders, '--', ...call.words], {
    env: { PATH: SYSTEM_PATH },
    stdio: ['pipe', pipe.write, 'pipe', 'pipe', ...call.streams.map(() => 'pipe' as const)],
  });
  closeSync(pipe.write);
  const gone = new Promise<void>((resolve, reject) => child.once('error', reject).once('exit', () => resolve()));
  const said = child.stderr === null ? Promise.resolve('') : readText(child.stderr);
  const printed = (async () => {
    for await (const chunk of pipe.read) await output.write(chunk as Buffer);
    await output.end();
    await file.close();
  })();
  call.streams.forEach((stream, index) => giveStream(child, index + 4, stream));
  const status = readStatus(child);

  const init = await Promise.race([status.init, gone.then(() => undefined)]);
  const identity = init === undefined ? null : identify(init);
  let stopped: Ended | undefined;
  if (init !== undefined && identity !== null) {
    await writeTree(spec.folder, { init: identity, cgroups: cgroups.folders });
    const watching = watchLimits(spec, { cgroups, init, cancelled }, (because) => {
      stopped ??= { kind: 'killed', because };
      // With the first process of its namespace the kernel ends all of it.
      signalProcess(identity, 'SIGKILL');
    });
    child.stdin?.end('go\n');
    await gone;
    await watching.end();
  }
  await gone;
  // bwrap may be gone a moment before what the script had left running.
  if (identity !== null) await endNamespace(identity);
  await printed;
  const ranOutOfMemory = cgroups.ranOutOfMemory();
  await removeCgroups(cgroups.folders);
  const code = await status.code;
  if (stopped !== undefined) return stopped;
  if (ranOutOfMemory) return { kind: 'killed', because: 'memory' };
  if (code === undefined) return { kind: 'notStarted', because: (await said).trim() || 'bubblewrap ended without a word' };
  return { kind: 'exited', code };
}

/** What whoever started us left open would be open in the sandbox, too; our own descriptors are closed on the way. */
function closeInherited(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number).filter((each) => each > 2)) {
    const flags = readIfOpen(`/proc/self/fdinfo/${fd}`);
    if (flags !== undefined && (Number.parseInt(/^flags:\s*(\d+)$/m.exec(flags)?.[1] ?? '0', 8) & CLOSE_ON_EXEC) === 0) closeSync(fd);
  }
}

function readIfOpen(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // It was that of the list itself.
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A real pipe: what is opened again as /dev/stdout must not be a socket. */
function openPipe(path: string): { readonly read: Socket; readonly write: number } {
  execFileSync('mkfifo', ['-m', '666', path], { env: { PATH: SYSTEM_PATH } });
  const fd = openSync(path, fileFlags.O_RDONLY | fileFlags.O_NONBLOCK);
  const write = openSync(path, fileFlags.O_WRONLY);
  unlinkSync(path);
  return { read: new Socket({ fd, readable: true, writable: false }), write };
}

function giveStream(child: ChildProcess, fd: number, content: Buffer): void {
  const stream = child.stdio[fd];
  if (stream === null || stream === undefined || !('end' in stream)) throw new Error('a stream of the sandbox is not open');
  // Where bwrap has ended before it read all, its exit says so.
  stream.on('error', () => {});
  stream.end(content);
}

/** What bwrap says: who the first process of the namespace is, and with what the script ended. Nothing of the latter where it never began. */
function readStatus(child: ChildProcess): { readonly init: Promise<number>; readonly code: Promise<number | undefined> } {
  const stream = child.stdio[3];
  if (stream === null || stream === undefined || !('read' in stream)) throw new Error('the status of the sandbox is not open');
  let tell = (_pid: number): void => {};
  const init = new Promise<number>((resolve) => (tell = resolve));
  const code = (async () => {
    let ended: number | undefined;
    for await (const line of createInterface({ input: stream })) {
      const status = JSON.parse(line) as Readonly<Record<string, number | undefined>>;
      if (status['child-pid'] !== undefined) tell(status['child-pid']);
      ended = status['exit-code'] ?? ended;
    }
    return ended;
  })();
  return { init, code };
}

await main();
process.exit(0);
