import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import pg from 'pg';
import { openPostgresData } from './postgres-data.js';
import { findPostgresPrograms } from './postgres-programs.js';
import { answers, startPiece, type Piece, type Surroundings } from './piece.js';
import { endProcess, identify } from './process-identity.js';
import { hasCode, reasonOf, Trouble } from './trouble.js';
import { unprivilegedUser } from './unprivileged.js';

export interface EmbeddedPostgres {
  readonly piece: Piece;
  /** As superuser. */
  readonly urlOf: (database: string) => string;
}

/** Starts the database of this home on loopback; a crash of it, or of us, costs no committed row. */
export async function startPostgres(surroundings: Surroundings, choosePort: () => Promise<number>): Promise<EmbeddedPostgres> {
  const runsAs = await unprivilegedUser();
  const programs = await findPostgresPrograms(runsAs);
  const { folder, password } = await openPostgresData(surroundings.home, programs, runsAs);
  const port = await choosePort();
  const urlOf = (database: string): string => `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '200', timezone: 'UTC', log_timezone: 'UTC' };
  const piece = await startPiece(
    {
      name: 'postgres',
      command: programs.postgres,
      args: ['-D', folder, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      cwd: '/',
      env: { LC_ALL: 'C' },
      runsAs,
      channel: false,
      stopSignal: 'SIGINT', // fast: ends sessions, and leaves nothing to recover
      stopWithinMs: 15_000,
      readyWithinMs: 180_000,
      beforeStart: () => clearLeftovers(folder),
      ready: answers(() => accepts(urlOf('postgres'), folder)),
    },
    surroundings,
  );
  return { piece, urlOf };
}

/** Makes the database if it is not there; the answer is its address. */
export async function ensureDatabase({ urlOf }: EmbeddedPostgres, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  return urlOf(name);
}

/** Stops with what to do when the server that DATABASE_URL names does not let us in. */
export async function checkDatabase(databaseUrl: string): Promise<void> {
  const failure = await whyNoConnection(databaseUrl);
  if (failure === null) return;
  throw new Trouble(`DATABASE_URL is set, but that database does not answer: ${reasonOf(failure)}`, 'correct it, start that server, or unset DATABASE_URL to use the embedded Postgres', { cause: failure });
}

async function accepts(url: string, folder: string): Promise<boolean> {
  const failure = await whyNoConnection(url);
  if (hasCode(failure, '28P01')) {
    throw new Trouble(`The database in ${folder} does not take the password that is kept beside it`, 'put back the password file that belongs to it, or move both out of the way');
  }
  return failure === null;
}

async function whyNoConnection(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // told by the promise below
  try {
    await client.connect();
    await client.end();
    return null;
  } catch (error) {
    await client.end().catch(() => undefined);
    return error;
  }
}

/** Ends what a killed start left running on this database. The caller holds the home, so nobody else may use it. */
async function clearLeftovers(folder: string): Promise<void> {
  const postmaster = postmasterOf(folder);
  const leftovers = platform === 'linux' ? postgresIn(folder) : isPostgresOn(postmaster, folder) ? [postmaster] : [];
  const postmasterFirst = leftovers.toSorted((one, other) => Number(other === postmaster) - Number(one === postmaster));
  for (const pid of postmasterFirst) {
    const identity = identify(pid);
    if (identity !== null) await endProcess(identity, pid === postmaster ? 'SIGINT' : 'SIGQUIT', 10_000);
  }
  // Its number may belong to another process by now, and Postgres would then refuse to start.
  await rm(join(folder, 'postmaster.pid'), { force: true });
}

function postmasterOf(folder: string): number {
  try {
    return Number.parseInt(readFileSync(join(folder, 'postmaster.pid'), 'utf8'), 10);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return Number.NaN;
    throw error;
  }
}

/** Postgres's processes work in their data folder; sessions can outlive a killed postmaster. */
function postgresIn(folder: string): number[] {
  const real = realpathSync(folder);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === real && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
      } catch {
        return false; // ended meanwhile, or another user's
      }
    })
    .map(Number);
}

function isPostgresOn(pid: number, folder: string): boolean {
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(folder);
  } catch {
    return false;
  }
}
