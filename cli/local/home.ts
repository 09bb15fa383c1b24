import { constants } from 'node:fs';
import { access, chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { reasonOf, Trouble } from './trouble.js';

/** Where one installation keeps its state. */
export interface Home {
  readonly folder: string;
  readonly postgres: string;
  readonly temporal: string;
  readonly logs: string;
  /** What was started and not yet seen to end. */
  readonly processes: string;
  readonly lock: string;
}

const runsAsRoot = userInfo().uid === 0;

/** Makes the folders that are missing; a home that cannot be used stops here with what to do about it. */
export async function openHome(folder: string): Promise<Home> {
  const home: Home = {
    folder,
    postgres: join(folder, 'postgres'),
    temporal: join(folder, 'temporal'),
    logs: join(folder, 'logs'),
    processes: join(folder, 'processes.json'),
    lock: join(folder, 'lock'),
  };
  try {
    for (const each of [folder, home.postgres, home.temporal, home.logs]) {
      const first = await mkdir(each, { recursive: true, mode: 0o700 });
      if (runsAsRoot && first !== undefined) await openWay(first, each);
      await access(each, constants.R_OK | constants.W_OK | constants.X_OK);
      if (!(await stat(each)).isDirectory()) throw new Error(`${each} is not a folder`);
    }
    // Started as root, Postgres runs as a user of its own, who must get through to its files but need not list these.
    if (runsAsRoot) for (const each of [folder, home.postgres]) await chmod(each, 0o711);
  } catch (error) {
    throw new Trouble(
      `The state folder ${folder} cannot be used: ${reasonOf(error)}`,
      `make it a folder that you can read and write, move it out of the way, or set SLUICE_HOME to another folder`,
      { cause: error },
    );
  }
  return home;
}

/** Folders that were made on the way must let the database's user through too. */
async function openWay(first: string, folder: string): Promise<void> {
  for (let each = dirname(folder); each.startsWith(first); each = dirname(each)) await chmod(each, 0o711);
}

/** Replaces a file in one go, so that a crash leaves the old one or the new one, readable by its owner only. */
export async function writePrivately(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** A fresh log for this start; the one before is kept beside it, because that is where a crash is told. */
export async function freshLog(home: Home, name: string): Promise<string> {
  const path = join(home.logs, `${name}.log`);
  await rename(path, join(home.logs, `${name}.previous.log`)).catch(() => rm(path, { force: true }));
  return path;
}

/** The end of a log, for a message. */
export async function lastLines(path: string, count = 12): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
