import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { nameOf, type Cell } from './cells.js';
import { moments, pointNames, stepTypes, victims, whyNone, type Moment, type PointName, type StepType, type Victim } from './points.js';
import { breachKinds, type Result } from './run-cell.js';

/** What ran and how it ended, a line of JSON each, so that a run that was cut off goes on where it was. */
export function openResults(file: string) {
  mkdirSync(dirname(file), { recursive: true });
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  // A crash can leave half a line at the end.
  const known = lines.flatMap((line): readonly Result[] => {
    try {
      return [JSON.parse(line) as Result];
    } catch {
      return [];
    }
  });
  if (lines.at(-1) !== '' && lines.length > 0) appendFileSync(file, '\n');
  const byName = new Map(known.map((result) => [nameOf(result.cell), result]));
  return {
    find: (cell: Cell): Result | undefined => byName.get(nameOf(cell)),
    add(result: Result): void {
      byName.set(nameOf(result.cell), result);
      appendFileSync(file, `${JSON.stringify(result)}\n`);
    },
  };
}

export interface TableEntry {
  readonly point: PointName;
  readonly moment: Moment;
  readonly victim: Victim;
  readonly stepType: StepType;
  readonly ok: number;
  readonly failed: number;
  /** Why it has no cell at all; null where it has. */
  readonly none: string | null;
}

/** Every place of the matrix, with what its cells came to. */
export function toTable(results: readonly Result[]): readonly TableEntry[] {
  return pointNames.flatMap((point) =>
    moments.flatMap((moment) =>
      victims.flatMap((victim) =>
        stepTypes.map((stepType) => {
          const mine = results.filter(({ cell }) => cell.point === point && cell.moment === moment && cell.victim === victim && cell.stepType === stepType);
          const ok = mine.filter((result) => result.ok).length;
          return { point, moment, victim, stepType, ok, failed: mine.length - ok, none: whyNone(point, moment, victim, stepType) };
        }),
      ),
    ),
  );
}

export function summarize(results: readonly Result[], wanted: number) {
  const breaches = results.flatMap((result) => result.breaches);
  const count = (kind: string): number => breaches.filter((breach) => breach.kind === kind).length;
  const slowest = (pick: (result: Result) => number | null): number => Math.max(0, ...results.map((result) => pick(result) ?? 0));
  return {
    kind: 'summary' as const,
    cells: wanted,
    ran: results.length,
    ok: results.filter(({ ok }) => ok).length,
    failed: results.filter(({ ok }) => !ok).length,
    breaches: Object.fromEntries(breachKinds.map((kind) => [kind, count(kind)])),
    slowestRecoveryMs: slowest(({ recoveryMs }) => recoveryMs),
    slowestCloseAfterRecoveryMs: slowest(({ closedAfterMs }) => closedAfterMs),
  };
}

/** For people: a line for each point and moment; below each victim ok/all of each step type. */
export function formatTable(table: readonly TableEntry[]): string {
  const width = 5 * stepTypes.length + 2;
  const head = `${''.padEnd(24)}${victims.map((victim) => victim.padEnd(width)).join('')}`;
  const rows = pointNames.flatMap((point) =>
    moments.map((moment) => {
      const columns = victims.map((victim) => {
        const entries = table.filter((entry) => entry.point === point && entry.moment === moment && entry.victim === victim);
        return entries.map(({ ok, failed, none }) => (none === null ? `${ok}/${ok + failed}${failed > 0 ? '!' : ''}` : '–')).join('  ').padEnd(width);
      });
      return `${`${point} ${moment}`.padEnd(24)}${columns.join('')}`;
    }),
  );
  return [head, ...rows, `ok/all of ${stepTypes.join(', ')} steps; – where there is no such thing; ! where one failed`].join('\n');
}
