import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderReport } from '../../cli/report-command.js';
import type { Report } from '../../contracts/http-report.js';
import { adoptPolicy } from '../../db/policies.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { haveIncident } from '../api/records.js';
import { aPolicy } from '../builders.js';
import { openTerminal, type Terminal } from './terminal.js';

let terminal: Terminal;
beforeAll(async () => {
  terminal = await openTerminal();
  const { db } = terminal.api;
  await adoptPolicy(db, workspaceId, aPolicy());
  for (const hours of [1, 30, 200]) await haveIncident(db, { openedAt: new Date(Date.now() - hours * 3_600_000) });
});
afterAll(closeApis);

const openedSince = async (options: string) => (JSON.parse((await terminal.run(`report --json${options}`, { caller: 'viewer' })).out) as Report).opened;

describe('sluice report', () => {
  it('looks back as long as it is told, a week where it is not', async () => {
    expect(await openedSince(' --since 24h')).toBe(1);
    expect(await openedSince('')).toBe(2);
    expect(await openedSince(' --since 30d')).toBe(3);
    const dayAgo = new Date(Date.now() - 86_400_000).toISOString();
    expect(await openedSince(` --since ${dayAgo}`)).toBe(1);
    expect(await openedSince(` --until ${dayAgo}`)).toBe(1);
    expect((await terminal.run('report --since 24h', { caller: 'viewer' })).out).toMatch(/^shop, .+ UTC to .+ UTC\n\nIncidents opened +1\n +still open +1\n/);
  });

  it('says what a moment looks like, and passes on what the API refuses', async () => {
    for (const words of ['report --since lately', 'report --since 7', 'report --until 2d']) expect(await terminal.run(words)).toMatchObject({ code: 2, err: expect.stringContaining('2026-11-22T08:00:00Z') });
    expect(await terminal.run('report --since 400d')).toMatchObject({ code: 1, err: expect.stringContaining('366 days') });
    expect(await terminal.run('report', { caller: 'agent' })).toMatchObject({ code: 1, err: expect.stringContaining('needs viewer') });
  });

  it('fits 80 columns, and moves no cursor', () => {
    const fix = { scriptId: null, risk: 'CRITICAL', tier: 'MEDIUM', proposed: 1_234, wouldRun: 12_345, wouldWait: 1_234, ran: 123, verifiedWell: 1_234, rolledBack: 1_234, observed: 1_234, recovered: 1_234 } as const;
    const text = renderReport({
      workspaceId,
      since: '2026-11-15T08:00:00Z',
      until: '2026-11-22T08:00:00Z',
      opened: 99_999,
      stillOpen: 7,
      outcomes: { RECOVERED: 38, NOTHING_FOUND: 1 },
      recovered: { count: 38, medianMs: 86_399_000, p90Ms: 9_999_999_999 },
      needsHuman: 7,
      withoutPlan: [{ rootCause: 'connectionExhaustion', count: 6 }, { rootCause: null, count: 1 }],
      fixes: [{ title: 'Database Connection Reset', ...fix }, { title: `\u001b[2J${'long '.repeat(40)}`, ...fix }],
    });
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).not.toMatch(/[^\n\P{Cc}]/u);
    expect(text).toContain('Recovered with nothing run  38     half within 23h59m, 90 % within 115d17h');
    expect(text).toContain('Database Connection Reset\n  CRITICAL, MEDIUM        1234  12345  1234   123  1234  1234     1234      1234\n');
  });
});
