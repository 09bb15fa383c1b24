import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const programs = ['bash', 'cat', 'head', 'id', 'ls', 'sleep', 'yes'];
const leftOut = ['--exclude=site-packages', '--exclude=dist-packages', '--exclude=test', '--exclude=__pycache__', '--exclude=idlelib', '--exclude=ensurepip', '--exclude=tkinter', '--exclude=config-*', '--exclude=*.a'];

/**
 * An image with bash and python3 in which scripts run. On a cluster that can load images from a folder (CLUSTER_IMAGE is the program that does,
 * called with a name and a root file system), it is made from this machine's own files; elsewhere SCRIPT_IMAGE names one.
 */
export async function loadScriptImage(): Promise<string> {
  const { SCRIPT_IMAGE: named, CLUSTER_IMAGE: loader } = process.env;
  if (named !== undefined) return named;
  if (loader === undefined) throw new Error('Set SCRIPT_IMAGE to an image with bash and python3 that the cluster can pull, such as python:3.12, or CLUSTER_IMAGE to a program that loads one.');
  const name = 'localhost/sluice-scripts:1';
  const root = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  try {
    await fill(root);
    await execute(loader, [name, root]);
  } finally {
    await rm(root, { recursive: true });
  }
  return name;
}

async function fill(root: string): Promise<void> {
  const tell = 'import os,sys,sysconfig;print(os.path.realpath(sys.executable));print(sysconfig.get_paths()["stdlib"])';
  const [python = '', library = ''] = (await execute('python3', ['-I', '-c', tell])).stdout.trim().split('\n');
  for (const folder of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'run', 'tmp', 'var', 'proc', 'sys', 'dev', 'etc']) await mkdir(join(root, folder), { recursive: true });
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${folder}`, join(root, folder));
  await symlink('/run', join(root, 'var/run'));
  await symlink('bash', join(root, 'usr/bin/sh'));
  await pack(root, library, leftOut);
  const binaries = [python, ...programs.map((program) => `/usr/bin/${program}`)];
  const modules = (await execute('find', [`${library}/lib-dynload`, '-name', '*.so'])).stdout.trim().split('\n');
  const { stdout } = await execute('ldd', [...binaries, ...modules]);
  const libraries = stdout.split('\n').flatMap((line) => / => (\/\S+)|^\s+(\/\S+) \(/.exec(line)?.slice(1).find(Boolean) ?? []);
  for (const file of new Set([...binaries, ...libraries])) await pack(root, file, ['--dereference']);
  await symlink(python, join(root, 'usr/bin/python3')).catch(() => {});
  await chmod(root, 0o755);
}

/** Copies a file or folder to the same place below another root. */
async function pack(root: string, path: string, options: readonly string[]): Promise<void> {
  await execute('bash', ['-c', 'set -o pipefail; tar -C / -c "${@:3}" -- "${2#/}" | tar -C "$1" -x --keep-directory-symlink --no-same-owner', '_', root, path, ...options]);
}
