import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../cli/run-cli.js';
import { appendAudit } from '../../db/audit-writer.js';
import { readChainEnds } from '../../db/audit-reads.js';
import { appendCheckpoints } from '../../keys/checkpoint-file.js';
import { openKeyring } from '../../keys/keyring.js';
import { type Api, type Caller, closeApis, openApi, workspaceId } from '../api/open-api.js';

let api: Api;
let url: string;
let home: string;
beforeAll(async () => {
  api = await openApi();
  await api.app.listen({ port: 0 });
  url = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
  home = await mkdtemp(join(tmpdir(), 'sluice-home-'));
});
afterAll(async () => {
  await closeApis();
  await rm(home, { recursive: true });
});

async function run(words: string, caller: Caller = 'admin') {
  const printed: string[] = [];
  const complained: string[] = [];
  const code = await runCli(words.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [], {
    env: { SLUICE_URL: url, SLUICE_TOKEN: api.tokenOf(caller), SLUICE_HOME: home },
    isTerminal: false, hasColours: false, untilToldToEnd: () => new AbortController().signal, sayReady: () => {},
    interrupted: new AbortController().signal,
    print: (text) => void printed.push(text),
    complain: (text) => void complained.push(text),
    ask: async () => '',
  });
  return { code, out: printed.join('\n'), err: complained.join('\n') };
}

describe('sluice kill-switch', () => {
  it('throws the switch, shows it and takes it back', async () => {
    expect(await run('kill-switch', 'viewer')).toEqual({ code: 0, out: 'The kill switch of this workspace is off\nThe kill switch of all workspaces is off', err: '' });
    expect((await run('kill-switch on --reason "deploy freeze"', 'supervisor')).out).toMatch(/^The kill switch of this workspace is on, by supervisor-person since \S+: "deploy freeze"\n.*all workspaces is off$/);
    expect(JSON.parse((await run('kill-switch off --reason over --json')).out)).toMatchObject({ workspace: { on: false, person: 'admin-person' }, all: { on: false } });
    expect((await run('kill-switch on --reason all --all')).out).toMatch(/all workspaces is on/);
    expect((await run('kill-switch off --reason all --all')).code).toBe(0);
  });

  it('asks for a reason, and refuses whom the API refuses', async () => {
    expect(await run('kill-switch on')).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
    expect(await run('kill-switch maybe --reason x')).toMatchObject({ code: 2 });
    expect(await run('kill-switch on --reason x', 'responder')).toMatchObject({ code: 1, err: expect.stringContaining('needs supervisor') });
    expect(await run('kill-switch on --reason x --all', 'supervisor')).toMatchObject({ code: 1, err: expect.stringContaining('needs admin') });
  });
});

describe('sluice keys', () => {
  it('lists, rotates and revokes', async () => {
    const [first = ''] = (await run('keys list')).out.split(' ');
    expect(await run(`keys revoke ${first}`)).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
    expect(await run(`keys revoke ${first} --reason x`)).toMatchObject({ code: 1, err: expect.stringContaining('rotate') });
    expect(await run('keys rotate --reason yearly')).toMatchObject({ code: 0, out: expect.stringContaining('signs from now on') });
    expect(await run(`keys revoke ${first} --reason lost`)).toMatchObject({ code: 0, out: `${first} is revoked` });
    expect((await run('keys list')).out).toMatch(new RegExp(`^${first}  \\S+  revoked\n\\S+  \\S+  signing$`));
    expect(JSON.parse((await run('keys list --json')).out)).toMatchObject({ keys: [{ keyId: first, state: 'revoked' }, { state: 'signing' }] });
    expect(await run('keys list', 'supervisor')).toMatchObject({ code: 1, err: expect.stringContaining('needs admin') });
  });

  it('makes the first key where there is no API yet', async () => {
    const folder = join(home, 'made');
    expect(await run(`keys make ${folder}`, 'nobody')).toMatchObject({ code: 0, out: expect.stringMatching(/^Made the key .*public-keys\.json\.$/) });
    expect(await run(`keys make ${folder}`, 'nobody')).toMatchObject({ code: 0, out: expect.stringContaining('There was a key already') });
    const keyring = openKeyring(folder);
    expect(await keyring.verify('decision', await keyring.sign('decision', {}))).toEqual({});
  });
});

describe('sluice audit verify', () => {
  const append = (count: number) =>
    api.db.transaction(async (tx) => {
      for (let row = 0; row < count; row += 1) await appendAudit(tx, workspaceId, { kind: 'decision.counted', actor: 'ana', subject: 'd', details: {} });
    });
  let file: string;
  beforeAll(async () => {
    const keys = join(home, 'keys');
    await run(`keys make ${keys}`);
    await append(1_100);
    file = join(home, 'audit', 'checkpoints.jsonl');
    await mkdir(join(home, 'audit'));
  });
  const checkpoint = async () => appendCheckpoints(file, openKeyring(join(home, 'keys')), (await readChainEnds(api.db)).map((end) => ({ ...end, at: 0 })));

  it('says where the checkpoints come from where there are none', async () => {
    expect(await run('audit verify')).toMatchObject({ code: 1, err: expect.stringMatching(/There is no .*checkpoints\.jsonl.*SLUICE_AUDIT_FOLDER.*--checkpoints/) });
  });

  it('reads every page and says that the chain is whole', async () => {
    await checkpoint();
    await append(1);
    const { rows } = JSON.parse((await run('audit verify --json', 'viewer')).out) as { rows: number };
    expect(rows).toBeGreaterThan(1_100);
    expect(await run('audit verify')).toEqual({
      code: 0,
      out: `The audit of shop is whole: ${rows} rows hang together and agree with 1 signed checkpoints; 1 rows are not yet checkpointed.`,
      err: '',
    });
    const copy = join(home, 'copy.jsonl');
    await writeFile(copy, await readFile(file));
    expect(await run(`audit verify --checkpoints ${copy} --keys ${join(home, 'keys', 'public-keys.json')}`)).toMatchObject({ code: 0 });
  });

  it('says how many checkpoints are by keys that are revoked', async () => {
    const keyring = openKeyring(join(home, 'keys'));
    const [first] = await keyring.list();
    await keyring.rotate();
    await keyring.revoke(first?.keyId ?? '');
    await checkpoint();
    expect(await run('audit verify')).toMatchObject({ code: 0, out: expect.stringMatching(/1 signed checkpoints; 0 rows are not yet checkpointed\. Checkpoints by keys that are revoked: 1, which speak for nothing\.$/) });
  });

  it('ends with 1 and names the first row that was tampered with', async () => {
    await api.asOwner(`begin; alter table audit disable trigger all; update audit set entry = replace(entry, '"ana"', '"bob"') where seq = 1005; alter table audit enable always trigger audit_append_only; commit`);
    expect(await run('audit verify')).toEqual({ code: 1, out: '', err: 'The audit of shop was tampered with, first at row 1005: row 1005 was altered: its hash is not that of its entry after the row before. Checkpoints by keys that are revoked: 1, which speak for nothing.' });
    const { code, out } = await run('audit verify --json');
    expect([code, JSON.parse(out)]).toEqual([1, expect.objectContaining({ tampering: { seq: 1005, what: expect.any(String) } })]);
  });

  it('does not take checkpoints of a stranger for ours', async () => {
    await run(`keys make ${join(home, 'stranger')}`);
    expect(await run(`audit verify --keys ${join(home, 'stranger', 'public-keys.json')}`)).toMatchObject({ code: 1 });
    expect(await run('audit verify --keys /nowhere/public-keys.json')).toMatchObject({ code: 1, err: expect.stringContaining('/nowhere/public-keys.json') });
  });
});
