import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditPage, KillSwitches } from '../../contracts/http.js';
import { readKillSwitch } from '../../db/kill-switch.js';
import { until } from '../harness/until.js';
import { type Api, type Caller, closeApis, detailOf, openApi, problemOf, workspaceId } from './open-api.js';

let api: Api;
beforeEach(async () => {
  api = await openApi();
});
afterAll(closeApis);

const put = (caller: Caller, body: object) => api.call(caller, 'PUT', '/api/kill-switch', body);
const throwIt = (caller: Caller, scope: 'workspace' | 'all', on: boolean) => put(caller, { scope, on, reason: 'deploy freeze' });
const isOn = (of = workspaceId) => api.db.transaction((tx) => readKillSwitch(tx, of));
const audited = async (caller: Caller = 'viewer') => (await api.call(caller, 'GET', '/api/audit')).json<AuditPage>().rows.map(({ kind, actor, subject, details }) => [kind, actor, subject, details]);
const off = { on: false, person: null, reason: null, changedAt: null };

describe('the kill switch', () => {
  it('is off until it is thrown', async () => {
    expect((await api.call('viewer', 'GET', '/api/kill-switch')).json()).toEqual({ workspace: off, all: off });
    expect(await isOn()).toBe(false);
  });

  it('of a workspace is thrown by a supervisor, for that workspace alone, and recorded', async () => {
    const reply = await throwIt('supervisor', 'workspace', true);
    expect(reply.json()).toEqual({ workspace: { on: true, person: 'supervisor-person', reason: 'deploy freeze', changedAt: expect.any(String) }, all: off });
    expect([await isOn(), await isOn('elsewhere')]).toEqual([true, false]);
    expect((await api.call('outsider', 'GET', '/api/kill-switch')).json()).toEqual({ workspace: off, all: off });
    await throwIt('secondSupervisor', 'workspace', false);
    expect(await isOn()).toBe(false);
    expect(await audited()).toEqual([
      ['killSwitch.off', 'second-supervisor', 'workspace', { reason: 'deploy freeze' }],
      ['killSwitch.on', 'supervisor-person', 'workspace', { reason: 'deploy freeze' }],
    ]);
    expect(await audited('outsider')).toEqual([]);
  });

  it('of all workspaces is thrown by an admin only, and recorded in each', async () => {
    expect(detailOf(await throwIt('supervisor', 'all', true), 403, 'not-allowed')).toContain('"scope": "workspace"');
    expect(await isOn()).toBe(false);
    await throwIt('admin', 'all', true);
    expect([await isOn(), await isOn('elsewhere')]).toEqual([true, true]);
    expect((await api.call('outsider', 'GET', '/api/kill-switch')).json<KillSwitches>().all.on).toBe(true);
    for (const caller of ['viewer', 'outsider'] as const) expect(await audited(caller)).toEqual([['killSwitch.on', 'admin-person', 'all', { reason: 'deploy freeze' }]]);
    await throwIt('supervisor', 'workspace', false);
    expect(await isOn()).toBe(true);
  });

  it('changes nothing when it is thrown to where it is', async () => {
    const first = await throwIt('supervisor', 'workspace', true);
    expect((await throwIt('secondSupervisor', 'workspace', true)).json()).toEqual(first.json());
    expect(await audited()).toHaveLength(1);
  });

  it('is not thrown without a reason, nor for what is not there', async () => {
    for (const body of [{ scope: 'workspace', on: true }, { scope: 'workspace', on: true, reason: '' }, { scope: 'planet', on: true, reason: 'x' }, { scope: 'all', reason: 'x' }]) {
      expect(problemOf(await put('admin', body))).toEqual([400, 'invalid-request']);
    }
  });

  it('waits for claims under way, and no claim that comes after it succeeds', async () => {
    let finishClaim = () => {};
    const claiming = new Promise<void>((resolve) => {
      finishClaim = resolve;
    });
    let sawOff: boolean | undefined;
    const claim = api.db.transaction(async (tx) => {
      sawOff = await readKillSwitch(tx, workspaceId);
      await claiming;
    });
    await until('the claim under way', async () => sawOff === false);
    let isThrown = false;
    const thrown = throwIt('supervisor', 'workspace', true).then(() => {
      isThrown = true;
    });
    const waiting = () => api.asOwner("select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())");
    await until('the switch that waits', async () => (await waiting()).length === 1);
    const late = isOn();
    await until('the claim that waits behind it', async () => (await waiting()).length === 2);
    expect(isThrown).toBe(false);
    finishClaim();
    await Promise.all([claim, thrown]);
    expect(await late).toBe(true);
  });
});
