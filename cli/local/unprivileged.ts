import { execFile } from 'node:child_process';
import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { reasonOf, Trouble } from './trouble.js';

const run = promisify(execFile);

/** Whose rights a program gets; empty for those of this process. */
export interface RunsAs {
  readonly uid?: number;
  readonly gid?: number;
}

/** Folders of root's that other users can get to. */
const stages = ['/var/lib/sluice', '/var/tmp/sluice'];

/** Postgres refuses to run as root: started as root, it runs as the user that distributions make for it. */
export async function unprivilegedUser(): Promise<RunsAs> {
  if (userInfo().uid !== 0) return {};
  try {
    return await idsOfPostgres().catch(async () => {
      await run('groupadd', ['--system', '--force', 'postgres']);
      await run('useradd', ['--system', '--gid', 'postgres', '--no-create-home', '--home-dir', '/nonexistent', 'postgres']);
      return idsOfPostgres();
    });
  } catch (error) {
    throw new Trouble(
      `Postgres does not run as root, and the system user postgres could not be made: ${reasonOf(error)}`,
      'make that user, start as another user than root, or set DATABASE_URL to a Postgres server of your own',
      { cause: error },
    );
  }
}

async function idsOfPostgres(): Promise<RunsAs> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (what) => Number((await run('id', [what, 'postgres'])).stdout)));
  return uid === undefined || gid === undefined ? {} : { uid, gid };
}

/** Whether that user can get into the folder. */
export const canEnter = (folder: string, runsAs: RunsAs): Promise<boolean> =>
  run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...runsAs, cwd: '/' }).then(
    () => true,
    () => false,
  );

/** A folder for what that user cannot reach where it is. Only root may write there, so nobody can put something in its place. */
export async function openStage(runsAs: RunsAs): Promise<string> {
  for (const stage of stages) {
    await mkdir(stage, { mode: 0o755 }).catch(() => undefined); // it may be there, or not be possible: seen next
    const found = await lstat(stage).catch(() => null);
    const safe = found !== null && found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
    if (safe && (await canEnter(stage, runsAs))) return stage;
  }
  throw new Trouble(
    `Started as root, Postgres runs as user postgres, who can reach neither this project's folder nor ${stages.join(' or ')}`,
    'move the project out of folders that only root can enter, set SLUICE_HOME to a folder elsewhere, or start as another user',
  );
}
