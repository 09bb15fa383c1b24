import { execFile } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { appendFile, chown, lstat, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createSandboxExecutor } from '../../activities/adapters/sandbox/sandbox-executor.js';
import type { Executor } from '../../activities/ports.js';
import type { ValidStep } from '../../domain/plan.js';
import { aStep } from '../builders.js';
import { watchHost } from './fake-host.js';

const run = promisify(execFile);
const MiB = 1_048_576;

/** This machine as a host target: a folder that scripts may be given, with a file of one line, and a secret. */
export interface ScriptHost {
  readonly executor: Executor;
  readonly workspaceId: string;
  /** The folder and the file in it. */
  readonly given: string;
  readonly file: string;
  readonly runs: string;
  readonly secret: string;
  /** Who scripts run as. */
  readonly uid: number;
  /** A step with this script; its sandbox has all that the host gives, and little of everything else. */
  readonly toStep: (script: string, over?: Partial<Omit<ValidStep, 'sandbox'>>, sandbox?: Partial<ValidStep['sandbox']>) => ValidStep;
  /** Another executor of the same machine: what a worker has that was started again. */
  readonly restart: () => Executor;
  /** Somebody else adds a line. */
  readonly disturb: () => Promise<void>;
  readonly readFile: () => Promise<string>;
  readonly close: () => Promise<unknown>;
}

export async function openScriptHost(options: { readonly path?: string; readonly secret?: string } = {}): Promise<ScriptHost> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-scripts-'));
  const [given, runs] = [join(folder, 'given'), join(folder, 'runs')];
  const file = join(given, 'app.log');
  await mkdir(given);
  await writeFile(file, 'one\n');
  // A script never runs as root, so what it may change belongs to somebody else where the tests do.
  const uid = process.getuid?.() === 0 ? randomInt(2_000_000_000, 2_100_000_000) : (process.getuid?.() ?? 0);
  if (process.getuid?.() === 0) for (const path of [given, file]) await chown(path, uid, uid);
  const secret = options.secret ?? 'correct-horse-battery';
  const watch = watchHost({ paths: [given], secrets: { token: { file: 'token' } } });
  const restart = (): Executor => createSandboxExecutor(watch, () => secret, { runs, ownFolders: [join(folder, 'own')], ...(options.path === undefined ? {} : { path: options.path }) });
  return {
    executor: restart(),
    restart,
    workspaceId: 'demo',
    given,
    file,
    runs,
    secret,
    uid,
    toStep: (script, over = {}, sandbox = {}) => ({
      ...aStep({ type: 'bash', target: 'web-1', parameters: [], reach: 'host' }),
      timeoutMs: 20_000,
      script,
      ...over,
      sandbox: { paths: [given], secrets: ['token'], memoryBytes: 128 * MiB, diskBytes: 8 * MiB, processes: 24, outputBytes: MiB, ...sandbox },
    }),
    disturb: () => appendFile(file, 'somebody else\n'),
    readFile: () => readFile(file, 'utf8'),
    // By programs, because a script may have made folders that are too deep to be named, or shut them.
    close: () => run('chmod', ['-R', 'u+rwx', folder]).then(() => run('rm', ['-rf', folder])),
  };
}

/** The bytes, rights and time of a path and everything below it. */
export async function fingerprint(root: string): Promise<string> {
  const hash = createHash('sha256');
  const below = (await lstat(root)).isDirectory() ? (await readdir(root, { recursive: true })).toSorted() : [];
  for (const name of ['', ...below]) {
    const path = join(root, name);
    const { mode, uid, gid, mtimeNs } = await lstat(path, { bigint: true });
    const isFile = (await lstat(path)).isFile();
    hash.update(JSON.stringify([name, `${mode}`, `${uid}`, `${gid}`, `${mtimeNs}`, isFile ? await readFile(path, 'base64') : '']));
  }
  return hash.digest('hex');
}
