import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq, inArray, isNotNull } from 'drizzle-orm';
import { runCli } from '../../cli/run-cli.js';
import type { IncidentDetail } from '../../contracts/http.js';
import type { PolicyVersion } from '../../contracts/http-policy.js';
import type { Report } from '../../contracts/http-report.js';
import { taskQueue } from '../../contracts/messages.js';
import { audit, decisions, executions, gates, incidents, lastKnownGood, plans } from '../../db/schema.js';
import { seedLibrary } from '../../db/scripts.js';
import { type Api, closeApis, openApi, problemOf, workspaceId } from '../api/open-api.js';
import { openNamespace } from '../harness/namespace.js';
import { until } from '../harness/until.js';
import { startWorkerProcess } from '../harness/worker-process.js';
import { readWeek, type Recorded } from './recording.js';
import { toExpected } from './to-expected.js';
import type { Watched } from './watched.js';
import { openCheckout } from './watched-checkout.js';
import { openShop } from './watched-shop.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Long enough for what is told to be over in time, and then short enough to wait for. */
const PATIENT_MS = DAY_MS;
const HASTY_MS = 1_000;

const week = readWeek();
const weekEndsMs = Date.parse('2026-11-16T00:00:00Z');

const toPlace = ({ body }: Recorded): string => body.alerts[0]?.labels['shop'] ?? body.alerts[0]?.labels['region'] ?? '';
const toPlaces = (service: 'shop' | 'checkout'): readonly string[] => [...new Set(week.filter(({ body }) => body.alerts[0]?.labels['service'] === service).map(toPlace))];

let api: Api;
let url: string;
let folder: string;
let temporal: Awaited<ReturnType<typeof openNamespace>>;
let worker: Awaited<ReturnType<typeof startWorkerProcess>> | undefined;
let systems: ReadonlyMap<string, Watched>;
/** The incident of each alert. */
const incidentOf = new Map<Recorded, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-week-'));
  [api, temporal] = await Promise.all([openApi(), openNamespace()]);
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const opened = await Promise.all([...toPlaces('shop').map(openShop), ...toPlaces('checkout').map((place) => openCheckout(place, folder))]);
  systems = new Map(opened.map((system) => [system.place, system]));
  await seedLibrary(api.db, workspaceId);
  // JSON is YAML.
  await writeFile(join(folder, 'sluice.yaml'), JSON.stringify(toSluiceYaml(opened)));
  worker = await startWorkerProcess({
    ...Object.assign({}, ...opened.map(({ variables }) => variables)),
    DATABASE_URL: api.databaseUrl,
    SLUICE_KEYS: api.keysFolder,
    SLUICE_CONFIG: join(folder, 'sluice.yaml'),
    TEMPORAL_NAMESPACE: temporal.namespace,
  });
}, 60_000);
afterAll(async () => {
  await worker?.stop();
  await closeApis();
  await temporal.close();
  for (const system of systems.values()) await system.close();
  await rm(folder, { recursive: true });
});

/** No target has an executor, and the schedule of sweeps is too slow to matter: the test says when. */
function toSluiceYaml(opened: readonly Watched[]) {
  const alertRules = opened.map(({ place, targets }) => ({ match: toPlaces('shop').includes(place) ? { shop: place } : { region: place }, targets: Object.keys(targets) }));
  const workspace = { autonomy: 'observe', stabilization: '1ms', sweep: { every: '3650d' }, executionGate: { wait: `${PATIENT_MS}ms` }, targets: Object.assign({}, ...opened.map(({ targets }) => targets)), alertRules };
  return { version: 1, workspaces: { [workspaceId]: workspace } };
}

const sweep = () => temporal.client.workflow.execute('detectionSweep', { taskQueue, workflowId: `sweep-${Date.now()}`, args: [{ workspaceId }] });

function systemOf(recorded: Recorded): Watched {
  const system = systems.get(toPlace(recorded));
  if (system === undefined) throw new Error(`nothing is called ${toPlace(recorded)}`);
  return system;
}

async function post(body: object): Promise<string> {
  const [received] = (await api.call('agent', 'POST', '/api/alerts/alertmanager', body)).json<{ readonly incidents: readonly { readonly incidentId: string | null }[] }>().incidents;
  return received?.incidentId ?? '';
}

/** Alerts of different systems at a time, in the order in which they came. */
function toBatches(recorded: readonly Recorded[]): readonly (readonly Recorded[])[] {
  const batches: Recorded[][] = [];
  for (const one of recorded) {
    const batch = batches.find((others) => others.every((other) => toPlace(other) !== toPlace(one)));
    if (batch === undefined) batches.push([one]);
    else batch.push(one);
  }
  return batches;
}

/** Breaks what broke, sends the alert, and waits until the incident shows what would be run, or that nothing fits. */
async function play(recorded: Recorded): Promise<void> {
  await systemOf(recorded).break(recorded.fault);
  const incidentId = await post(recorded.body);
  incidentOf.set(recorded, incidentId);
  const [gate] = await until(`a gate for ${recorded.fault} of ${toPlace(recorded)}`, async () => {
    const rows = await api.db.select().from(gates).where(eq(gates.incidentId, incidentId));
    return rows.length > 0 && rows;
  });
  expect(gate).toMatchObject(recorded.fault === 'unreadable' ? { kind: 'needsHuman' } : { kind: 'execution', mode: 'nobody' });
}

const untilClosed = (batch: readonly Recorded[], outcome: 'RECOVERED' | 'EXPIRED') =>
  until(`${batch.length} incidents to end as ${outcome}`, async () => {
    const rows = await api.db.select().from(incidents).where(inArray(incidents.id, batch.map((one) => incidentOf.get(one) ?? '')));
    return rows.every((row) => row.outcome === outcome);
  });

/** Each is over after a while, and Alertmanager says so, or else a sweep does. */
async function playToRecovery(batch: readonly Recorded[]): Promise<void> {
  await Promise.all(batch.map(play));
  await Promise.all(batch.map((one) => systemOf(one).mend()));
  await Promise.all(batch.map(async ({ clears }) => clears?.body && post(clears.body)));
  if (batch.some(({ clears }) => clears?.body === null)) await sweep();
  await untilClosed(batch, 'RECOVERED');
}

/** Nobody answers, and it stays broken until the gate has expired. */
async function playToExpiry(batch: readonly Recorded[]): Promise<void> {
  await Promise.all(batch.map(play));
  await untilClosed(batch, 'EXPIRED');
  await Promise.all(batch.map((one) => systemOf(one).mend()));
}

async function changeWait(gateWaitMs: number): Promise<void> {
  const { policy, version } = (await api.call('admin', 'GET', '/api/policy')).json<PolicyVersion>();
  expect((await api.call('admin', 'PUT', '/api/policy', { policy: { ...policy, gateWaitMs }, version, reason: 'the week' })).statusCode).toBe(200);
}

const clears = week.filter((one) => one.clears !== null);
const stays = week.filter((one) => one.clears === null && one.fault === 'unreadable');
const expires = week.filter((one) => one.clears === null && one.fault !== 'unreadable');

/** Puts the incidents where the recording has them, with the week ending now. */
async function spreadOut(): Promise<void> {
  const now = Date.now();
  const toSql = (ms: number) => `to_timestamp(${ms / 1_000})`;
  for (const [{ at, clears: ends }, id] of incidentOf) {
    const openedMs = now - (weekEndsMs - Date.parse(at));
    await api.asOwner(`update incidents set opened_at = ${toSql(openedMs)}, closed_at = case when closed_at is not null then ${toSql(openedMs + (ends?.afterMs ?? DAY_MS))} end where id = '${id}'`);
  }
}

async function report(since: string): Promise<Report> {
  const printed: string[] = [];
  const env = { SLUICE_URL: url, SLUICE_TOKEN: api.tokenOf('viewer') };
  const { signal } = new AbortController();
  expect(await runCli(['report', '--since', since, '--json'], { env, isTerminal: false, hasColours: false, untilToldToEnd: () => new AbortController().signal, sayReady: () => {}, interrupted: signal, print: (text) => void printed.push(text), complain: (text) => void printed.push(text), ask: async () => '' })).toBe(0);
  return JSON.parse(printed.join('\n')) as Report;
}

/** What the tables say of all of it, counted without the report. */
async function countTables() {
  const [rows, planned, shown] = await Promise.all([api.db.select().from(incidents), api.db.select().from(plans), api.db.select().from(gates)]);
  const observed = shown.filter(({ mode }) => mode === 'nobody');
  const recovered = new Set(rows.filter(({ outcome }) => outcome === 'RECOVERED').map(({ id }) => id));
  const toFix = (title: string) => {
    const own = planned.filter(({ canonical }) => (JSON.parse(canonical) as { readonly title: string }).title === title);
    const seen = own.filter(({ digest }) => observed.some((gate) => gate.digest === digest));
    return { title, proposed: own.length, observed: seen.length, recovered: seen.filter(({ incidentId }) => recovered.has(incidentId)).length };
  };
  return {
    opened: rows.length,
    stillOpen: rows.filter(({ closedAt }) => closedAt === null).length,
    outcomes: { RECOVERED: recovered.size, EXPIRED: rows.filter(({ outcome }) => outcome === 'EXPIRED').length },
    needsHuman: new Set(shown.filter(({ kind }) => kind === 'needsHuman').map(({ incidentId }) => incidentId)).size,
    withoutPlan: [{ rootCause: 'configuration', count: rows.filter(({ id, rootCause }) => rootCause?.category === 'configuration' && !planned.some(({ incidentId }) => incidentId === id)).length }],
    fixes: [toFix('Database Connection Reset'), toFix('Restore Last Known Good Configuration')],
  };
}

const isSince = (ms: number) => ({ at }: Recorded): boolean => weekEndsMs - Date.parse(at) < ms;

describe('a week of alerts in observe mode', () => {
  it('is one of at least 50 alerts, some of which clear by themselves, and none of them near where a span begins', () => {
    expect(week.filter(isSince(7 * DAY_MS)).length).toBeGreaterThanOrEqual(50);
    expect(week.filter(isSince(7 * DAY_MS)).length).toBe(week.length - 1);
    for (const days of [1, 7]) expect(week.some(({ at }) => Math.abs(weekEndsMs - days * DAY_MS - Date.parse(at)) < 10 * MINUTE_MS)).toBe(false);
    for (const some of [stays, expires, clears.filter((one) => one.clears?.body === null)]) expect(some.length).toBeGreaterThan(1);
  });

  it('changes nothing, and is reported as it was', async () => {
    await until('a last known good of each checkout', async () => {
      await sweep();
      return (await api.db.select().from(lastKnownGood).where(isNotNull(lastKnownGood.goodAt))).length === toPlaces('checkout').length;
    });
    for (const batch of toBatches(clears)) await playToRecovery(batch);
    await changeWait(HASTY_MS);
    for (const batch of toBatches(expires)) await playToExpiry(batch);
    await changeWait(PATIENT_MS);
    for (const batch of toBatches(stays)) await Promise.all(batch.map(play));

    const effects = await Promise.all([...systems.values()].map((system) => system.findEffects()));
    expect(effects.flat()).toEqual([]);
    expect(await api.db.select().from(executions)).toEqual([]);
    expect(await api.db.select().from(decisions)).toEqual([]);
    expect((await api.db.select().from(audit)).map(({ entry }) => entry).filter((entry) => /"kind":"(claim|execution|rollback)/.test(entry))).toEqual([]);

    const rows = await api.db.select().from(incidents);
    expect(rows.map(({ id }) => id).toSorted()).toEqual([...incidentOf.values()].toSorted());
    const shown = await api.db.select().from(gates);
    expect(shown.filter(({ mode, state }) => mode === 'nobody' && state === 'approved')).toEqual([]);

    await spreadOut();
    expect(await report('7d')).toMatchObject(toExpected(week.filter(isSince(7 * DAY_MS))));
    expect(await report('24h')).toMatchObject(toExpected(week.filter(isSince(DAY_MS))));
    const all = await report('30d');
    expect(all).toMatchObject(toExpected(week));
    expect(all).toMatchObject(await countTables());
  }, 120_000);

  it('shows plans in full that nobody can approve', async () => {
    const [first] = week.filter(({ fault }) => fault === 'timeout');
    if (first === undefined) throw new Error('no checkout failed');
    await systemOf(first).break('timeout');
    const alert = { ...first.body.alerts[0], fingerprint: 'once more' };
    const incidentId = await post({ ...first.body, alerts: [alert] });
    const incident = await until('its gate', async () => {
      const found = (await api.call('viewer', 'GET', `/api/incidents/${incidentId}`)).json<IncidentDetail>();
      return found.gate !== null && found;
    });
    expect(incident.plan).toMatchObject({ title: 'Restore Last Known Good Configuration', steps: [{ target: `config-${toPlace(first)}`, wayBack: { kind: 'snapshot' } }] });
    expect(incident.plan?.rehearsal[0]?.lines.join('\n')).toContain('+  timeoutMs: 2000');
    const approval = { gateId: incident.gate?.id, digest: incident.gate?.digest, verdict: 'approve' };
    expect(problemOf(await api.call('admin', 'POST', `/api/incidents/${incidentId}/decisions`, approval))).toEqual([409, 'observe-only']);
    expect(await api.db.select().from(executions)).toEqual([]);
  });
});
