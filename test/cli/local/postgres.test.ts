import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { anyFreePort, isListening } from '../../../cli/local/ports.js';
import { ensureDatabase, startPostgres } from '../../../cli/local/postgres.js';
import { findPostgresPrograms } from '../../../cli/local/postgres-programs.js';
import { identify } from '../../../cli/local/process-identity.js';
import { unprivilegedUser } from '../../../cli/local/unprivileged.js';
import { surroundingsOf, temporaryFolder, type Heard } from './surroundings.js';

const clients: pg.Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end().catch(() => undefined);
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // some tests kill the server
  clients.push(client);
  await client.connect();
  return client;
}

async function start(homeFolder: string): Promise<{ client: pg.Client; pid: number; stop: () => Promise<void>; surroundings: Heard; url: string }> {
  const surroundings = await surroundingsOf(homeFolder);
  const postgres = await startPostgres(surroundings, anyFreePort);
  const url = await ensureDatabase(postgres, 'sluice');
  return { client: await connect(url), pid: postgres.piece.pid() ?? 0, stop: () => postgres.piece.stop(), surroundings, url };
}

let template = '';

/** A home with an empty database that was stopped; copying one is quicker than making one. */
function preparedHome(): string {
  const folder = join(temporaryFolder(), 'home');
  execFileSync('cp', ['-a', template, folder]);
  return folder;
}

beforeAll(async () => {
  template = join(mkdtempSync(join(tmpdir(), 'sluice-local-')), 'home');
  chmodSync(dirname(template), 0o711);
  await (await startPostgres(await surroundingsOf(template), anyFreePort)).piece.stop();
}, 60_000);
afterAll(() => rmSync(dirname(template), { recursive: true, force: true }));

const rowsOf = async (client: pg.Client): Promise<unknown[]> => (await client.query('SELECT id FROM kept ORDER BY id')).rows.map(({ id }) => id);

describe('the embedded Postgres', () => {
  it('keeps everything when it is stopped and started again', async () => {
    const folder = temporaryFolder();
    const first = await start(folder);
    await first.client.query('CREATE TABLE kept AS SELECT 1 AS id');
    await first.client.end();
    await first.stop();
    expect(identify(first.pid)).toBeNull();
    expect(await rowsOf((await start(folder)).client)).toEqual([1]);
  });

  it('listens on loopback only, wants its password and syncs what it commits', async () => {
    const { client, url } = await start(preparedHome());
    const shown = async (name: string): Promise<unknown> => Object.values((await client.query(`SHOW ${name}`)).rows[0])[0];
    expect(await shown('listen_addresses')).toBe('127.0.0.1');
    expect(await shown('unix_socket_directories')).toBe('');
    expect([await shown('fsync'), await shown('synchronous_commit')]).toEqual(['on', 'on']);
    await expect(connect(url.replace(/:[^:@]+@/, ':wrong@'))).rejects.toMatchObject({ code: '28P01' });
  });

  it('keeps its password where only its owner can read it', async () => {
    const { surroundings } = await start(preparedHome());
    expect(statSync(join(surroundings.home.postgres, 'password')).mode & 0o777).toBe(0o600);
  });

  it('comes back with what it had committed when its postmaster is killed while sessions work', async () => {
    const folder = preparedHome();
    const { client, pid, surroundings, url } = await start(folder);
    await client.query('CREATE TABLE kept AS SELECT 1 AS id');
    const busy = await connect(url);
    busy.query('SELECT pg_sleep(60)').catch(() => undefined);
    kill(pid, 'SIGKILL');
    while (surroundings.pieces.get('postgres')?.pid() === pid) await sleep(20);
    let again = await connect(url).catch(() => null);
    for (; again === null; again = await connect(url).catch(() => null)) await sleep(20);
    expect(await rowsOf(again)).toEqual([1]);
  });

  it('that an earlier start left running is ended and its database taken over, even without a note of it', async () => {
    const folder = preparedHome();
    const first = await start(folder);
    await first.client.query('CREATE TABLE kept AS SELECT 1 AS id');
    await first.client.end();
    await first.stop();
    const runsAs = await unprivilegedUser();
    const { postgres } = await findPostgresPrograms(runsAs);
    const port = await anyFreePort();
    const data = join(first.surroundings.home.postgres, 'data');
    const orphan = spawn(postgres, ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='], { ...runsAs, cwd: '/', env: {}, stdio: 'ignore' });
    while (!(await isListening(port))) await sleep(20);

    const next = await start(folder);

    expect(identify(orphan.pid ?? 0)).toBeNull();
    expect(await rowsOf(next.client)).toEqual([1]);
  });

  it('starts although postmaster.pid names a process that is not Postgres', async () => {
    const folder = preparedHome();
    const { surroundings, stop, client } = await start(folder);
    await client.end();
    await stop();
    writeFileSync(join(surroundings.home.postgres, 'data/postmaster.pid'), `${process.pid}\n${join(surroundings.home.postgres, 'data')}\n1\n1\n`);
    expect((await (await start(folder)).client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('a Postgres folder that cannot be used', () => {
  const broken: [string, (postgres: string) => void, RegExp][] = [
    ['is of another major version', (postgres) => writeFileSync(join(postgres, 'data/PG_VERSION'), '16\n'), /made by Postgres 16, this Sluice brings Postgres 18/],
    ['is not a database', (postgres) => rmSync(join(postgres, 'data/PG_VERSION')), /is not a Postgres database/],
    ['lost its password', (postgres) => rmSync(join(postgres, 'password')), /password of the database .* is missing/],
    ['has the password of another', (postgres) => writeFileSync(join(postgres, 'password'), 'another'), /does not take the password/],
    ['is damaged', (postgres) => rmSync(join(postgres, 'data/global'), { recursive: true }), /postgres ended .*[\s\S]*global/],
  ];

  it.each(broken)('because it %s stops the start in words, and is left as it is', async (_why, breakIt, message) => {
    const folder = preparedHome();
    breakIt(join(folder, 'postgres'));
    await expect(start(folder)).rejects.toMatchObject({ name: 'Trouble', message: expect.stringMatching(message), remedy: expect.stringMatching(/\S/) });
    expect(existsSync(join(folder, 'postgres/data'))).toBe(true);
  });
});

const asRoot = userInfo().uid === 0 ? describe : describe.skip;

asRoot('started as root', () => {
  it('a home that user postgres cannot reach has its database elsewhere, and finds it again', async () => {
    const closed = join(temporaryFolder(), 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o700);
    const first = await start(join(closed, 'home'));
    const place = readFileSync(join(first.surroundings.home.postgres, 'location'), 'utf8');
    try {
      await first.client.query('CREATE TABLE kept AS SELECT 1 AS id');
      await first.client.end();
      await first.stop();
      const again = await start(join(closed, 'home'));
      expect(await rowsOf(again.client)).toEqual([1]);
      await again.client.end();
      await again.stop();
    } finally {
      rmSync(place, { recursive: true });
    }
    await expect(start(join(closed, 'home'))).rejects.toMatchObject({ name: 'Trouble', message: expect.stringContaining(`${place}, which is gone`) });
  });

  it('Postgres itself does not run as root', async () => {
    const { pid } = await start(preparedHome());
    expect(statSync(`/proc/${pid}`).uid).not.toBe(0);
  });
});
