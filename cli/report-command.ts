import type { Report } from '../contracts/http-report.js';
import { formatDuration, readDurationMs } from '../domain/duration.js';
import { formatMoment } from '../domain/updates.js';
import type { Context } from './commands.js';
import { renderTable, toPlainText } from './render.js';
import { WrongUsage } from './surroundings.js';

const WIDTH = 80;
const FIRST_COLUMN = 24;
const NUMBER = 5;

/** Prints how Sluice did since a moment, or for so long until another. */
export async function showReport({ client, json, print }: Context, { since, until }: { readonly since: string; readonly until?: string }): Promise<void> {
  const end = until === undefined ? new Date() : readMoment(until, '--until');
  const query = { since: readSince(since, end).toISOString(), ...(until === undefined ? {} : { until: end.toISOString() }) };
  const report = await client.get<Report>(`/api/report?${new URLSearchParams(query).toString()}`);
  print(json ? JSON.stringify(report) : renderReport(report));
}

function readSince(text: string, end: Date): Date {
  const spanMs = readDurationMs(text);
  return spanMs === undefined ? readMoment(text, '--since') : new Date(end.getTime() - spanMs);
}

function readMoment(text: string, option: string): Date {
  const moment = new Date(/^\d{4}-\d\d-\d\d([T ].*)?$/.test(text) ? text : '');
  if (Number.isNaN(moment.getTime())) throw new WrongUsage(`${text} is no moment. Say ${option} 2026-11-22T08:00:00Z${option === '--since' ? ', or how long: 7d, 24h' : ''}.`);
  return moment;
}

/** The report in lines that fit a terminal. */
export function renderReport({ workspaceId, since, until, opened, stillOpen, outcomes, recovered, needsHuman, withoutPlan, fixes }: Report): string {
  const took = recovered.medianMs === null || recovered.p90Ms === null ? '' : `half within ${formatDuration(recovered.medianMs)}, 90 % within ${formatDuration(recovered.p90Ms)}`;
  const facts = [
    ['Incidents opened', `${opened}`, ''],
    ...Object.entries(outcomes).map(([outcome, count]) => [`  ${outcome}`, `${count}`, '']),
    ['  still open', `${stillOpen}`, ''],
    ['Recovered with nothing run', `${recovered.count}`, took],
    ['Needed a person', `${needsHuman}`, ''],
    ...withoutPlan.map(({ rootCause, count }) => ['  without any plan', `${count}`, rootCause ?? 'no root cause found']),
  ];
  const lines = [`${workspaceId}, ${formatMoment(new Date(since))} to ${formatMoment(new Date(until))}`, '', renderTable(facts), '', ...(fixes.length === 0 ? ['No plan was proposed'] : renderFixes(fixes))];
  return toPlainText(lines.join('\n'));
}

const headings = ['plans', 'itself', 'waits', 'ran', 'well', 'back', 'observed', 'recovered'] as const;

function renderFixes(fixes: Report['fixes']): readonly string[] {
  const row = (first: string, cells: readonly (string | number)[]): string => first.padEnd(FIRST_COLUMN) + cells.map((cell, index) => `${cell}`.padStart(Math.max(headings[index]?.length ?? 0, NUMBER) + 1)).join('');
  return [
    row('Fix: risk, confidence', headings),
    ...fixes.flatMap(({ title, risk, tier, proposed, wouldRun, wouldWait, ran, verifiedWell, rolledBack, observed, recovered }) => [
      title.slice(0, WIDTH),
      row(`  ${risk}, ${tier}`, [proposed, wouldRun, wouldWait, ran, verifiedWell, rolledBack, observed, recovered]),
    ]),
    '',
    'itself, waits: would run by itself, or wait for people, under `confidence`',
    'well, back: ran and was verified well; was taken back',
    'recovered: by themselves, of those that were only observed',
  ];
}
