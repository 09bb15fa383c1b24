import { execFile } from 'node:child_process';
import { lstatSync, readlinkSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Secret } from '../../../domain/redaction.js';
import type { User } from './declared-paths.js';
import { toSeccompFilter } from './seccomp.js';

/** Never that of whoever started us. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const INSIDE_PATH = '/usr/local/bin:/usr/bin:/bin';
const SCRIPT = '/run/script';
const OPEN_FILES = 1_024;
const TRY_TIMEOUT_MS = 10_000;

/** What one script is run with. */
export interface SandboxSpec {
  readonly type: 'bash' | 'python';
  readonly script: string;
  readonly parameters: readonly string[];
  readonly user: User | null;
  readonly paths: readonly string[];
  readonly secrets: readonly Secret[];
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly processes: number;
}

/** How bwrap is called. It reads `streams` from descriptors 4 and up, and writes its status to 3; a line on its standard input lets the script begin. */
export interface SandboxCall {
  readonly words: readonly string[];
  readonly streams: readonly Buffer[];
}

const packages: Readonly<Record<string, string>> = { bwrap: 'bubblewrap', bash: 'bash', python3: 'python3', mkfifo: 'coreutils', touch: 'coreutils', nice: 'coreutils', prlimit: 'util-linux', setpriv: 'util-linux', ionice: 'util-linux' };

/** Why this machine cannot run such a script, in words; undefined where it can. Nothing is run that has an effect. */
export async function findObstacle(type: SandboxSpec['type'], path: string = SYSTEM_PATH): Promise<string | undefined> {
  for (const [program, debianPackage] of Object.entries(packages)) {
    if (program === (type === 'bash' ? 'python3' : 'bash')) continue;
    const tries = await Promise.all(path.split(':').map((folder) => access(join(folder, program), constants.X_OK).then(() => true, () => false)));
    if (!tries.includes(true)) return `there is no ${program} on this machine, and scripts run only in the sandbox that is made with it: install it (Debian: apt-get install ${debianPackage})`;
  }
  if (toSeccompFilter(process.arch) === undefined) return `scripts cannot be confined on ${process.arch}: the sandbox knows the system calls of x64 and arm64 only`;
  const because = await trySandbox(path);
  return because === undefined ? undefined : `bubblewrap cannot make a sandbox on this machine (${because}); let this user make user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces), or run the worker as root`;
}

const trySandbox = (path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const options = [...toNamespaces(), ...toRoot(), '--proc', '/proc', '--dev', '/dev'];
    execFile('bwrap', [...options, '--', '/usr/bin/true'], { env: { PATH: path }, timeout: TRY_TIMEOUT_MS }, (error, _stdout, stderr) => resolve(error === null ? undefined : stderr.trim() || error.message));
  });

/** `boundProcesses`: nothing else bounds how many there are. */
export function toSandboxCall(spec: SandboxSpec, { boundMemory, boundProcesses }: { readonly boundMemory: boolean; readonly boundProcesses: boolean }): SandboxCall {
  const FIRST_STREAM = 4;
  const streams: Buffer[] = [];
  const give = (content: Buffer | string): string => `${FIRST_STREAM + streams.push(Buffer.from(content)) - 1}`;
  const giveFile = (path: string, content: string): readonly string[] => ['--perms', '0444', '--ro-bind-data', give(content), path];
  const { uid, gid } = spec.user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const filter = toSeccompFilter(process.arch);
  if (filter === undefined) throw new Error(`scripts cannot be confined on ${process.arch}`);
  // The first stream, so that its number is known.
  give('');
  const options = [
    toNamespaces(),
    toRoot(),
    giveFile('/etc/passwd', `sluice:x:${uid}:${gid}:sluice:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n`),
    giveFile('/etc/group', `sluice:x:${gid}:\nnogroup:x:65534:\n`),
    giveFile('/etc/hosts', '127.0.0.1 localhost sluice\n'),
    giveFile('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files\n'),
    ['--proc', '/proc', '--dev', '/dev'],
    ['--perms', '1777', '--size', `${spec.diskBytes}`, '--tmpfs', '/tmp'],
    giveFile(SCRIPT, spec.script),
    spec.secrets.flatMap(({ name, value }) => giveFile(`/run/secrets/${name}`, value)),
    spec.paths.flatMap((path) => [...toParents(path).flatMap(toFolder), '--bind', path, path]),
    ['--remount-ro', '/dev', '--remount-ro', '/proc', '--remount-ro', '/'],
    ['--hostname', 'sluice', '--chdir', '/tmp', '--clearenv', '--setenv', 'PATH', INSIDE_PATH, '--setenv', 'HOME', '/tmp', '--setenv', 'LANG', 'C.UTF-8', '--setenv', 'TERM', 'dumb'],
    ['--seccomp', give(filter)],
  ].flat();
  streams[0] = Buffer.from(options.map((option) => `${option}\0`).join(''));
  const limits = [
    '--core=0',
    `--nofile=${OPEN_FILES}`,
    `--fsize=${spec.diskBytes}`,
    ...(boundProcesses ? [`--nproc=${spec.processes}`] : []),
    ...(boundMemory ? [`--as=${spec.memoryBytes}`] : []),
  ];
  const drop = spec.user === null ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'];
  const interpreter = spec.type === 'bash' ? ['bash', '--noprofile', '--norc'] : ['python3', '-I', '-B', '-u'];
  return {
    streams,
    words: [
      ['nice', '-n', '10', 'ionice', '-c', '3', 'bwrap', '--args', `${FIRST_STREAM}`, '--json-status-fd', '3', '--'],
      // Without that line its runner has died, and nobody would end it.
      ['/bin/sh', '-c', 'read -r go && [ "$go" = go ] && exec "$@" </dev/null 2>&1', 'sh'],
      ['prlimit', ...limits, ...drop, ...interpreter, SCRIPT, ...spec.parameters],
    ].flat(),
  };
}

/** Root makes them itself and then becomes somebody else; everybody else gets them with a user namespace. */
function toNamespaces(): readonly string[] {
  const shared = ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'];
  return process.getuid?.() === 0
    ? [...shared, ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((capability) => ['--cap-add', capability])]
    : ['--unshare-user', '--disable-userns', ...shared];
}

/** Programs and their libraries, and the little of /etc that these need. */
function toRoot(): readonly string[] {
  const folders = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path): readonly string[] => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    return stats.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
  });
  const files = ['/etc/ld.so.cache', '/etc/alternatives', '/etc/localtime'].flatMap((path) => ['--ro-bind-try', path, path]);
  return ['--ro-bind', '/usr', '/usr', ...folders, ...toFolder('/etc'), ...files];
}

/** One that everybody may enter; what bwrap makes on the way to a file is not. */
const toFolder = (path: string): readonly string[] => ['--perms', '0755', '--dir', path];

const toParents = (path: string): readonly string[] => path.split('/').slice(1, -1).map((_name, index, names) => `/${names.slice(0, index + 1).join('/')}`);
