import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writePrivately, type Home } from './home.js';
import type { PostgresPrograms } from './postgres-programs.js';
import { reasonOf, Trouble } from './trouble.js';
import { canEnter, openStage, type RunsAs } from './unprivileged.js';

const run = promisify(execFile);
const moveAway = (folder: string): string => `restore it, or move ${folder} out of the way to begin with an empty database`;

export interface PostgresData {
  readonly folder: string;
  readonly password: string;
}

/** The database of this home, made if there is none yet. One that is there is never replaced. */
export async function openPostgresData(home: Home, programs: PostgresPrograms, runsAs: RunsAs): Promise<PostgresData> {
  const folder = await dataFolder(home, runsAs);
  const passwordFile = join(home.postgres, 'password');
  if (existsSync(folder)) {
    await checkData(home, folder, programs, runsAs);
    const password = await readFile(passwordFile, 'utf8').catch((error: unknown) => {
      throw new Trouble(`The password of the database in ${folder} is missing: ${reasonOf(error)}`, moveAway(home.postgres), { cause: error });
    });
    return { folder, password };
  }
  const password = randomBytes(24).toString('base64url');
  await writePrivately(passwordFile, password);
  await makeData(folder, password, programs, runsAs);
  return { folder, password };
}

/** In the home, or on a stage when its user cannot get into the home; which one is decided once and noted in the home. */
async function dataFolder(home: Home, runsAs: RunsAs): Promise<string> {
  const note = join(home.postgres, 'location');
  const noted = await readFile(note, 'utf8').catch(() => null);
  if (noted !== null) {
    if (existsSync(noted)) return join(noted, 'data');
    throw new Trouble(`The database of this home was kept in ${noted}, which is gone`, moveAway(home.postgres));
  }
  const inHome = join(home.postgres, 'data');
  if (await canEnter(home.postgres, runsAs)) return inHome;
  if (existsSync(inHome)) {
    throw new Trouble(`User postgres can no longer reach the database in ${inHome}`, 'let others pass through the folders above it (chmod o+x)');
  }
  const staged = await mkdtemp(join(await openStage(runsAs), 'database-'));
  await chmod(staged, 0o711);
  await writePrivately(note, staged);
  return join(staged, 'data');
}

async function checkData(home: Home, folder: string, { majorVersion }: PostgresPrograms, runsAs: RunsAs): Promise<void> {
  const expectedUid = runsAs.uid ?? userInfo().uid;
  const { uid } = await stat(folder);
  if (uid !== expectedUid) {
    throw new Trouble(`The database in ${folder} belongs to user ${uid}, but Postgres would run as user ${expectedUid}`, 'start as the user that started it before, or set SLUICE_HOME to another folder');
  }
  const version = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    throw new Trouble(`${folder} is not a Postgres database: ${reasonOf(error)}`, moveAway(home.postgres), { cause: error });
  });
  if (version.trim() !== majorVersion) {
    throw new Trouble(
      `The database in ${folder} was made by Postgres ${version.trim()}, this Sluice brings Postgres ${majorVersion}`,
      `bring it over with pg_dump of version ${version.trim()}, or move ${home.postgres} out of the way to begin with an empty database`,
    );
  }
}

async function makeData(folder: string, password: string, programs: PostgresPrograms, runsAs: RunsAs): Promise<void> {
  const unfinished = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (runsAs.uid !== undefined && runsAs.gid !== undefined) for (const each of [unfinished, passwordFile]) await chown(each, runsAs.uid, runsAs.gid);
    await run(
      programs.initdb,
      [`--pgdata=${unfinished}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
      { ...runsAs, cwd: '/' },
    );
    await rename(unfinished, folder);
  } catch (error) {
    throw new Trouble(`The database in ${folder} could not be made: ${reasonOf(error)}`, 'look for a full disk or missing rights, or set DATABASE_URL to a Postgres server of your own', { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}
