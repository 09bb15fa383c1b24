import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { explain, Trouble } from '../../cli/local/trouble.js';
import { openArena, type Arena } from './arena.js';
import { listCells, nameOf, sampleCells, type Cell } from './cells.js';
import { findMissing } from './find-missing.js';
import { stepTypes } from './points.js';
import { formatTable, openResults, summarize, toTable } from './results.js';
import { runCell, type Result } from './run-cell.js';

const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
};

const command = new Command('npm run chaos --')
  .description('Kills every process of Sluice at every point of an incident, and looks whether anything was lost, done twice or stuck.')
  .option('--matrix', 'every cell, once for each seed', false)
  .option('--sample <n>', 'only so many cells by chance', wholeNumber)
  .option('--seeds <n>', 'how many seeds; one for each step type brings all to every cell', wholeNumber, 5)
  .option('--seed <n>', 'which sample', wholeNumber, 1)
  .option('--only <text>', 'only cells whose name, point/moment/victim/step type/seed, matches this regular expression')
  .option('--jobs <n>', 'so many installations beside each other', wholeNumber, 1)
  .option('--out <folder>', 'where results are kept; cells that have one are not run again', 'build/chaos')
  .option('--resume <file>', 'go on with this file of results')
  .option('--json', 'each result, the table and the summary as a line of JSON', false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const options = command.opts<{
  readonly matrix: boolean;
  readonly sample?: number;
  readonly seeds: number;
  readonly seed: number;
  readonly only?: string;
  readonly jobs: number;
  readonly out: string;
  readonly resume?: string;
  readonly json: boolean;
}>();
if (!options.matrix && options.sample === undefined) command.error('say --matrix or --sample N');

const startedAt = Date.now();
const tell = (line: string): void => void process.stderr.write(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${line}\n`);
const print = (entry: object): void => {
  if (options.json) process.stdout.write(`${JSON.stringify(entry)}\n`);
};

const missing = await findMissing();
for (const [stepType, because] of missing) tell(`without ${stepType} steps: ${because}`);
const has = stepTypes.filter((stepType) => !missing.has(stepType));
const all = options.sample === undefined ? listCells(options.seeds, has) : sampleCells(options.sample, options.seed, has);
const wanted = options.only === undefined ? all : all.filter((cell) => new RegExp(options.only ?? '').test(nameOf(cell)));
if (wanted.length === 0) command.error(`no cell matches ${options.only ?? 'what was found here'}: names are such as ${all.slice(0, 3).map(nameOf).join(', ')}`);
const results = openResults(options.resume ?? resolve(options.out, options.sample === undefined ? 'matrix.jsonl' : `sample-${options.seed}.jsonl`));
const waiting = wanted.filter((cell) => results.find(cell) === undefined);
const arenas = new Set<Promise<Arena>>();
const calledOff = new AbortController();

async function work(job: number): Promise<void> {
  const open = (): Promise<Arena> => openArena(new Set(wanted.map(({ stepType }) => stepType)), (line) => tell(`[${job}] ${line}`), calledOff.signal);
  let opening: Promise<Arena> | undefined;
  for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
    arenas.add((opening ??= open()));
    const arena = await opening;
    const result = await runCell(arena, cell);
    if (calledOff.signal.aborted) return;
    results.add(result);
    print({ kind: 'cell', ...result });
    tell(`[${job}] ${describe(cell, result)} (${waiting.length} to go)`);
    if (result.ok) continue;
    // What went wrong is not to disturb the next one, and its logs are to be read.
    tell(`[${job}] the logs of the failed one stay in ${arena.folder}`);
    arenas.delete(opening);
    await arena.stop(true);
    opening = undefined;
  }
}

const describe = (cell: Cell, { ok, breaches, recoveryMs, closedAfterMs, tookMs }: Result): string =>
  ok
    ? `ok      ${nameOf(cell)} in ${tookMs} ms: whole again after ${recoveryMs} ms, closed ${closedAfterMs} ms later`
    : `FAILED  ${nameOf(cell)}: ${breaches.map(({ kind, because }) => `${kind}: ${because}`).join('; ')}`;

async function stopAll(): Promise<void> {
  calledOff.abort();
  await Promise.allSettled([...arenas].map(async (opening) => (await opening).stop(false)));
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stopAll().then(() => process.exit(130)));

try {
  for (const cell of wanted) {
    const result = results.find(cell);
    if (result !== undefined) print({ kind: 'cell', ...result });
  }
  tell(`${wanted.length} cells, ${wanted.length - waiting.length} of them ran before`);
  await Promise.all(Array.from({ length: Math.min(options.jobs, waiting.length) }, (_, index) => work(index + 1)));
} catch (error) {
  process.stderr.write(`${error instanceof Trouble ? explain(error) : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
await stopAll();
const had = wanted.flatMap((cell) => results.find(cell) ?? []);
const table = toTable(had);
const summary = summarize(had, wanted.length);
print({ kind: 'table', entries: table });
print(summary);
(options.json ? process.stderr : process.stdout).write(`\n${formatTable(table)}\n\n${summary.ok} of ${summary.cells} cells ok, ${summary.failed} failed\n`);
process.exit(process.exitCode ?? (summary.ok === summary.cells ? 0 : 1));
