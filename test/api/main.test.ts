import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { appendAudit } from '../../db/audit-writer.js';
import { readCheckpoints } from '../../keys/checkpoint-file.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { type FreshKeys, freshKeys } from '../harness/keys.js';

let database: FreshDatabase;
let keys: FreshKeys;
const started: ChildProcess[] = [];
beforeAll(async () => {
  database = await freshDatabase();
  keys = await freshKeys();
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await database.close();
  await keys.close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function startApi(env: Record<string, string>) {
  const child = fork('api/main.ts', { execArgv: ['--import', 'tsx'], env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database.url, SLUICE_KEYS: keys.folder, ...env }, silent: true });
  started.push(child);
  // Its end is the end of what it says, too.
  const ended = Promise.all([once(child, 'exit'), child.stderr === null ? '' : text(child.stderr)]).then(([[code], complaint]) => ({ code: code as number | null, complaint }));
  return { child, ended };
}

async function startReady() {
  const port = await freePort();
  const api = startApi({ SLUICE_API_PORT: `${port}`, SLUICE_LOG_LEVEL: 'fatal' });
  const [message] = await once(api.child, 'message');
  return { ...api, message: message as object, url: `http://127.0.0.1:${port}` };
}

describe('the API as a process', () => {
  it('says when it is ready, and stops on SIGTERM', async () => {
    const { child, ended, message, url } = await startReady();
    expect(message).toEqual({ kind: 'ready' });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, complaint: '' });
  });

  it('stops when its parent is gone', async () => {
    const { child, ended } = await startReady();
    child.disconnect();
    expect(await ended).toEqual({ code: 0, complaint: '' });
  });

  it('does not start with a wrong environment, and names all that is wrong without a stack', async () => {
    const { code, complaint } = await startApi({ DATABASE_URL: 'mysql://x', SLUICE_API_PORT: 'many' }).ended;
    expect(code).toBe(1);
    expect(complaint).toMatch(/DATABASE_URL.*\n.*SLUICE_API_PORT/);
    expect(complaint).not.toMatch(/\bat .*:\d+/);
  });

  it('does not start without keys, and says how to make them', async () => {
    const { code, complaint } = await startApi({ SLUICE_KEYS: '/nowhere' }).ended;
    expect([code, complaint]).toEqual([1, expect.stringMatching(/^There is no \/nowhere\/.*npx sluice keys make \/nowhere.*\n$/)]);
  });

  it('does not start with a wrong file about an OIDC issuer, or without the one that is named', async () => {
    const file = join(keys.folder, 'oidc.yaml');
    await writeFile(file, 'issuer: http://id.example.org\naudience: sluice\ngroups: { a: { workspace: w, role: viewer } }\n');
    const { code, complaint } = await startApi({ SLUICE_OIDC: file }).ended;
    expect([code, complaint]).toEqual([1, expect.stringMatching(/oidc\.yaml, which SLUICE_OIDC names, is wrong:\n  issuer must be an https address.*\n$/)]);
    expect(await startApi({ SLUICE_OIDC: '/nowhere' }).ended).toEqual({ code: 1, complaint: expect.stringMatching(/^SLUICE_OIDC names \/nowhere, which cannot be read: ENOENT.*\n$/) });
  });

  it('does not start without the signing secret of Slack that is named, or with an empty one that anybody could sign with', async () => {
    const file = join(keys.folder, 'slack-secret');
    await writeFile(file, '\n');
    expect(await startApi({ SLUICE_SLACK_SIGNING_SECRET_FILE: file }).ended).toEqual({ code: 1, complaint: expect.stringMatching(/holds no signing secret\. Copy it/) });
    expect(await startApi({ SLUICE_SLACK_SIGNING_SECRET_FILE: '/nowhere' }).ended).toEqual({ code: 1, complaint: expect.stringMatching(/^SLUICE_SLACK_SIGNING_SECRET_FILE names \/nowhere, which cannot be read: ENOENT.*\n$/) });
  });

  it('signs the end of the audit when it stops', async () => {
    await database.db.transaction((tx) => appendAudit(tx, 'w', { kind: 'key.made', actor: 'sluice', subject: 'k', details: {} }));
    const folder = join(keys.folder, 'audit');
    const port = await freePort();
    const api = startApi({ SLUICE_API_PORT: `${port}`, SLUICE_LOG_LEVEL: 'fatal', SLUICE_AUDIT_FOLDER: folder });
    await once(api.child, 'message');
    api.child.kill('SIGTERM');
    expect(await api.ended).toEqual({ code: 0, complaint: '' });
    expect(await readCheckpoints(join(folder, 'checkpoints.jsonl'), keys.keyring, 'w')).toMatchObject({ checkpoints: [{ seq: 1 }], untrusted: 0 });
  });

  it('says so when its port is taken', async () => {
    const { url } = await startReady();
    const { code, complaint } = await startApi({ SLUICE_API_PORT: new URL(url).port }).ended;
    expect([code, complaint]).toEqual([1, 'The port of the API is taken. Stop what listens there, or set SLUICE_API_PORT to another.\n']);
  });
});
