import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../cli/run-cli.js';
import { type Api, type Caller, closeApis, openApi } from '../api/open-api.js';
import { haveGate, haveIncident } from '../api/records.js';

let api: Api;
let url: string;
let folder: string;
beforeAll(async () => {
  api = await openApi();
  await api.app.listen({ port: 0 });
  url = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
});
afterAll(async () => {
  await closeApis();
  await rm(folder, { recursive: true });
});

async function run(words: readonly string[], { as = 'admin', answer = null }: { readonly as?: Caller; readonly answer?: string | null } = {}) {
  const printed: string[] = [];
  const complained: string[] = [];
  const code = await runCli(words, {
    env: { SLUICE_URL: url, SLUICE_TOKEN: api.tokenOf(as) },
    isTerminal: answer !== null, hasColours: false, untilToldToEnd: () => new AbortController().signal, sayReady: () => {},
    interrupted: new AbortController().signal,
    print: (text) => void printed.push(text),
    complain: (text) => void complained.push(text),
    ask: async () => answer ?? '',
  });
  return { code, out: printed.join('\n'), err: complained.join('\n') };
}

describe('sluice policy', () => {
  it('is shown as a file, edited, tried, put in place, and listed with who did', async () => {
    const shown = await run(['policy', 'show'], { as: 'viewer' });
    expect(shown.out).toContain('autonomy: supervised\n');
    expect(shown.out).toContain('gateWait: 1m\n');
    const file = join(folder, 'policy.yaml');
    await writeFile(file, shown.out.replace('autonomy: supervised', 'autonomy: observe').replace('gateWait: 1m', 'gateWait: 400d'));
    expect(await run(['policy', 'set', file, '--dry-run'], { as: 'viewer' })).toEqual({ code: 0, out: 'No execution gate is open.', err: '' });
    expect((await run(['policy', 'set', file, '--reason', 'we watch first', '--yes'])).out).toMatch(/^version 2, by admin-person at \S+: "we watch first"$/);
    expect((await run(['policy', 'show'])).out).toMatch(/^# version 2, by admin-person[^]*autonomy: observe\n[^]*gateWait: 400d\n/);
    expect((await run(['policy', 'versions'])).out.split('\n')).toEqual([expect.stringMatching(/^version 2/), expect.stringMatching(/^version 1, by sluice.yaml/)]);
    expect((await api.call('viewer', 'GET', '/api/policy')).json()).toMatchObject({ policy: { autonomy: 'observe', gateWaitMs: 400 * 86_400_000 } });
  });

  it('asks before it puts one in place', async () => {
    const file = join(folder, 'asked.yaml');
    await writeFile(file, (await run(['policy', 'show'])).out.replace('maxRounds: 3', 'maxRounds: 4'));
    expect(await run(['policy', 'set', file, '--reason', 'x'], { answer: 'no' })).toMatchObject({ code: 1, err: expect.stringContaining('Not changed.') });
    expect((await run(['policy', 'set', file, '--reason', 'x'])).code).toBe(2);
    expect((await run(['policy', 'set', file, '--reason', 'x'], { answer: 'yes' })).code).toBe(0);
    expect((await run(['policy', 'set', file])).err).toContain('--reason');
  });

  it('says what is wrong with a file, and refuses whom the API refuses', async () => {
    const file = join(folder, 'wrong.yaml');
    expect((await run(['policy', 'set', join(folder, 'none.yaml'), '--dry-run'])).err).toContain('sluice policy show >');
    await writeFile(file, 'autonomy: [');
    expect((await run(['policy', 'set', file, '--dry-run'])).err).toContain('is no YAML');
    await writeFile(file, 'just words');
    expect((await run(['policy', 'set', file, '--dry-run'])).err).toContain('holds no policy');
    await writeFile(file, (await run(['policy', 'show'])).out.replace('breakGlass:', 'breakGlas:').replace(/gateWait: \S+/, 'gateWait: 1 day'));
    const wrong = (await run(['policy', 'set', file, '--dry-run'])).err;
    expect(wrong.split('\n').slice(1)).toEqual(['  breakGlas is unknown here', '  breakGlass is missing', '  gateWait must be a duration like 500ms, 20s, 5m, 24h or 30d, not "1 day"']);
    await writeFile(file, (await run(['policy', 'show'])).out.replace('CRITICAL: 2', 'CRITICAL: 1'));
    expect((await run(['policy', 'set', file, '--dry-run'])).err).toContain('CRITICAL');
    await writeFile(file, (await run(['policy', 'show'])).out.replace('maxRounds: 4', 'maxRounds: 5'));
    expect((await run(['policy', 'set', file, '--reason', 'x', '--yes'], { as: 'supervisor' })).err).toContain('this needs admin');
  });

  it('keeps a duration exact that no larger unit holds', async () => {
    const file = join(folder, 'exact.yaml');
    await writeFile(file, (await run(['policy', 'show'])).out.replace(/stabilization: \S+/, 'stabilization: 90061ms'));
    expect((await run(['policy', 'set', file, '--reason', 'x', '--yes'])).code).toBe(0);
    expect((await run(['policy', 'show'])).out).toContain('stabilization: 90061ms');
    expect(await readFile(file, 'utf8')).toContain('90061ms');
  });

  it('does not overwrite what somebody else changed after the file was made', async () => {
    const [mine, theirs] = [join(folder, 'mine.yaml'), join(folder, 'theirs.yaml')];
    const shown = (await run(['policy', 'show'])).out;
    await writeFile(mine, shown.replace(/maxRounds: \d/, 'maxRounds: 7'));
    await writeFile(theirs, shown.replace(/maxRounds: \d/, 'maxRounds: 8'));
    expect((await run(['policy', 'set', theirs, '--reason', 'x', '--yes'])).code).toBe(0);
    expect(await run(['policy', 'set', mine, '--reason', 'x', '--yes'])).toMatchObject({ code: 1, err: expect.stringContaining('by now') });
    expect((await run(['policy', 'show'])).out).toContain('maxRounds: 8');
    await writeFile(mine, shown.replace(/^version: .*\n/m, ''));
    expect(await run(['policy', 'set', mine, '--reason', 'x', '--yes'])).toMatchObject({ code: 1, err: expect.stringContaining('of which `version` it is a change') });
  });
});

describe('sluice approve --digest and sluice cancel', () => {
  it('ties the yes to the plan that was looked at, and ends an incident with a reason', async () => {
    const incidentId = await haveIncident(api.db);
    const gate = await haveGate(api.db, incidentId);
    const wrong = await run(['approve', incidentId, '--yes', '--digest', 'cafe'], { as: 'responder' });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining(`The gate is for the digest ${gate.digest ?? ''} now, not cafe`) });
    const right = await run(['approve', incidentId, '--yes', '--digest', gate.digest?.slice(0, 8) ?? ''], { as: 'responder' });
    expect(right).toMatchObject({ code: 0, out: `The gate is approved: run the plan, digest ${gate.digest?.slice(0, 12) ?? ''}…` });
    expect((await run(['cancel', incidentId])).code).toBe(2);
    expect(await run(['cancel', incidentId, '--reason', 'a drill'], { as: 'responder' })).toMatchObject({ code: 0, out: 'Cancellation requested' });
  });
});

describe('sluice review, request-changes and break-glass', () => {
  it('answer the gate as the API lets them', async () => {
    const incidentId = await haveIncident(api.db);
    await haveGate(api.db, incidentId, { reviewNeeded: true, approvalsNeeded: 2, excluded: ['ana'] });
    const shown = await run(['show', incidentId], { as: 'viewer' });
    expect(shown.out).toContain('not ana');
    expect(shown.out).toContain(`sluice review ${incidentId}`);
    expect((await run(['review', incidentId], { as: 'supervisor' })).err).toContain('reason');
    expect((await run(['review', incidentId, '--reason', 'looked'], { as: 'supervisor' })).code).toBe(0);
    expect((await run(['show', incidentId])).out).toContain('reviewed by supervisor-person (supervisor): "looked"');
    const broken = await run(['break-glass', incidentId, '--reason', 'nobody is awake'], { as: 'supervisor', answer: 'yes' });
    expect(broken).toMatchObject({ code: 0, out: expect.stringMatching(/^The gate is approved: /) });
    expect(broken.err).toContain('Everyone is told');
    const other = await haveIncident(api.db);
    await haveGate(api.db, other);
    expect((await run(['request-changes', other], { as: 'responder' })).out).toContain('changes were requested');
  });
});
