import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { notify } from '../../db/channels.js';
import { decisions, gates, incidents, plans } from '../../db/schema.js';
import { aPlan } from '../builders.js';
import { closeApis } from '../api/open-api.js';
import { digest, finish, haveGate, haveIncident, print, say } from '../api/records.js';
import { until } from '../harness/until.js';
import { openTerminal, type Terminal } from './terminal.js';

let api: Terminal['api'];
let url: string;
let start: Terminal['start'];
let run: Terminal['run'];
beforeAll(async () => {
  ({ api, url, start, run } = await openTerminal());
});
afterAll(closeApis);

const stateOf = async (gateId: string) => (await api.db.select().from(gates).where(eq(gates.id, gateId)))[0]?.state;

describe('sluice incidents and show', () => {
  it('list what there is, for people and as JSON', async () => {
    const incidentId = await haveIncident(api.db, { title: 'queue is long', severity: 'HIGH', score: 6.5 });
    const list = await run('incidents --state open --limit 5');
    expect([list.code, list.out]).toEqual([0, expect.stringMatching(new RegExp(`${incidentId} .* HIGH +DETECTION \\[IN_PROGRESS\\] +queue is long`))]);
    const json = await run('incidents --json');
    expect(JSON.parse(json.out)).toMatchObject({ incidents: expect.arrayContaining([expect.objectContaining({ id: incidentId })]) });
    expect((await run(`show ${incidentId}`)).out).toContain('severity  6.5/10 (HIGH)');
    expect(JSON.parse((await run(`show ${incidentId} --json`)).out)).toMatchObject({ id: incidentId, title: 'queue is long' });
  });

  it('never let text from outside steer the terminal', async () => {
    const incidentId = await haveIncident(api.db, { title: 'a\u001b[2Jb\u0007c\u202ed' });
    const { out } = await run(`show ${incidentId}`);
    expect(out).toContain('a\ufffd[2Jb\ufffdc\ufffdd');
  });
});

describe('sluice tail and start', () => {
  it('print the tail as people read it until the incident is closed', async () => {
    const incidentId = await haveIncident(api.db);
    await say(api.db, incidentId, 'Measuring 4 signals');
    await print(api.db, incidentId, 'one\ntwo\n');
    await finish(api.db, incidentId);
    expect(await run(`tail ${incidentId}`)).toEqual({ code: 0, out: '🔍 DETECTION [IN_PROGRESS]\n   Measuring 4 signals\n   | one\n   | two', err: '' });
    expect((await run(`tail ${incidentId} --json`)).out.split('\n').map((line) => JSON.parse(line))).toMatchObject([{ event: 'update', seq: 1 }, { event: 'output', seq: 2 }, { event: 'done', seq: 3 }]);
  });

  it('take a connection that breaks up where it broke', async () => {
    const incidentId = await haveIncident(api.db);
    await say(api.db, incidentId, 'one');
    const following = start(`tail ${incidentId}`);
    await until('the first entry', async () => following.printed.length === 1);
    api.app.server.closeAllConnections();
    await say(api.db, incidentId, 'two');
    await finish(api.db, incidentId);
    expect(await following.code).toBe(0);
    expect(following.printed.map((text) => text.split('\n   ')[1])).toEqual(['one', 'two']);
    expect(following.complained).toEqual(['The connection was lost; trying again.']);
  });

  it('can be left, and say how to come back', async () => {
    const incidentId = await haveIncident(api.db);
    await say(api.db, incidentId, 'one');
    const interrupt = new AbortController();
    const following = start(`tail ${incidentId}`, { interrupted: interrupt.signal });
    await until('the first entry', async () => following.printed.length === 1);
    interrupt.abort();
    expect(await following.code).toBe(130);
    expect(following.complained.join()).toContain(`sluice tail ${incidentId}`);
  });

  it('begin a detection with the threshold that was named', async () => {
    const started = start('start --threshold HIGH');
    const incidentId = await until('the incident', async () => started.complained[0]?.split(' ')[1]);
    expect(await api.db.select().from(incidents).where(eq(incidents.id, incidentId))).toMatchObject([{ trigger: 'person', startedBy: 'responder-person', severityThreshold: 'HIGH' }]);
    await say(api.db, incidentId, 'No anomaly');
    await finish(api.db, incidentId);
    await notify(api.db, 'tail', incidentId);
    expect(await started.code).toBe(0);
    expect(started.printed.join()).toContain('No anomaly');
  });
});

describe('sluice approve and reject', () => {
  const haveOpenGate = async () => haveGate(api.db, await haveIncident(api.db));

  it('ask the person, who is shown the digest, and take only yes for yes', async () => {
    const { id, incidentId } = await haveOpenGate();
    const declined = await run(`approve ${incidentId}`, { types: 'y' });
    expect([declined.code, await stateOf(id)]).toEqual([1, 'open']);
    const approved = await run(`approve ${incidentId} --reason seen`, { types: 'yes' });
    expect(approved).toMatchObject({ code: 0, out: expect.stringMatching(/^The gate is approved: /) });
    expect(approved.err).toContain(`digest ${digest}`);
    expect(await api.db.select().from(decisions).where(eq(decisions.gateId, id))).toMatchObject([{ verdict: 'approve', digest, reason: 'seen' }]);
  });

  it('need --yes where nobody can be asked', async () => {
    const { id, incidentId } = await haveOpenGate();
    expect(await run(`approve ${incidentId}`)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(await stateOf(id)).toBe('open');
    const { code, out } = await run(`approve ${incidentId} --yes --json`);
    expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ gateState: 'approved' })]);
  });

  it('ask for the title of a plan of high risk, for which yes is not enough', async () => {
    const haveGrave = async () => {
      const incidentId = await haveIncident(api.db);
      const plan = aPlan({ incidentId, risk: 'HIGH', title: 'Reset' });
      const confidence = { value: 86, tier: 'HIGH', factors: [], caps: [] } as const;
      await api.db.insert(plans).values({ incidentId, version: 1, scriptId: plan.scriptId, category: 'idleTransaction', digest, canonical: JSON.stringify(plan), confidence, rehearsal: [] });
      return haveGate(api.db, incidentId);
    };
    const { id, incidentId } = await haveGrave();
    expect(await run(`approve ${incidentId} --yes`)).toMatchObject({ code: 2, err: expect.stringContaining('--confirm "Reset"') });
    expect(await run(`approve ${incidentId}`, { types: 'yes' })).toMatchObject({ code: 1, err: expect.stringContaining('Type Reset to approve') });
    expect(await run(`approve ${incidentId} --confirm Rest`)).toMatchObject({ code: 1 });
    expect(await stateOf(id)).toBe('open');
    expect(await run(`approve ${incidentId}`, { types: 'Reset' })).toMatchObject({ code: 0, out: expect.stringMatching(/^The gate is approved: /) });
    expect(await run(`approve ${(await haveGrave()).incidentId} --confirm Reset`)).toMatchObject({ code: 0 });
    expect(await run(`reject ${(await haveGrave()).incidentId}`)).toMatchObject({ code: 0 });
  });

  it('reject with a reason', async () => {
    const { id, incidentId } = await haveOpenGate();
    expect(await run(`reject ${incidentId} --reason nonsense`)).toMatchObject({ code: 0, out: 'The gate is rejected' });
    expect(await stateOf(id)).toBe('rejected');
  });

  it('say so where no gate is open', async () => {
    const incidentId = await haveIncident(api.db);
    expect(await run(`approve ${incidentId} --yes`)).toMatchObject({ code: 1, err: expect.stringContaining('waits at no gate') });
  });
});

describe('sluice', () => {
  it.each(['', 'nonsense', 'show', 'incidents --limit 0', 'incidents --state odd', 'start --threshold SEV-1', 'incidents --nonsense', 'incidents --url nowhere'])('ends with 2 when it is called wrongly: %j', async (words) => {
    const { code, err } = await run(words);
    expect(code).toBe(2);
    expect(err).not.toBe('');
  });

  it('ends with 1 and the detail of the problem when it is refused', async () => {
    expect(await run('show 7d4f4c2e-5a55-4a3e-9c1e-0d5c3f1b2a10')).toMatchObject({ code: 1, err: expect.stringContaining('no incident 7d4f4c2e') });
    expect(await run('start', { caller: 'viewer' })).toMatchObject({ code: 1, err: expect.stringContaining('needs responder') });
    expect(await run('incidents', { caller: 'forger' })).toMatchObject({ code: 1, err: expect.stringContaining('token') });
    expect(await run('tail 7d4f4c2e-5a55-4a3e-9c1e-0d5c3f1b2a10')).toMatchObject({ code: 1 });
  });

  it('ends with 1 and what to do when nothing answers or there is no token', async () => {
    for (const words of ['incidents', 'tail x']) expect(await run(`${words} --url http://127.0.0.1:1`)).toMatchObject({ code: 1, err: expect.stringContaining('npm start') });
    expect(await run('incidents', { env: { SLUICE_URL: url, SLUICE_HOME: '/nowhere' } })).toMatchObject({ code: 1, err: expect.stringContaining('SLUICE_TOKEN') });
  });

  it('is a program, with its token in a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
    await writeFile(join(folder, 'admin-token'), `${api.tokenOf('admin')}\n`);
    const sluice = (...words: string[]) => promisify(execFile)(process.execPath, ['cli/bin.mjs', ...words], { env: { SLUICE_URL: url, SLUICE_HOME: folder } });
    expect((await sluice('--help')).stdout).toContain('Usage: sluice');
    expect(JSON.parse((await sluice('incidents', '--json')).stdout)).toMatchObject({ incidents: expect.any(Array) });
    await expect(sluice('nonsense')).rejects.toMatchObject({ code: 2 });
    await rm(folder, { recursive: true });
  });
});
