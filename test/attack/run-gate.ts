import { Command, InvalidArgumentError } from 'commander';
import { openArena } from './arena.js';
import { runControl } from './control.js';
import { attackGate, drawKinds, type Entry } from './gate.js';
import { kinds } from './kinds/index.js';

const EVERY = 500;

const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
};

/** `npm run attack -- gate` with these words after it. Returns the exit code. */
export async function runGate(words: readonly string[]): Promise<number> {
  const command = new Command('npm run attack -- gate')
    .description('Tries in many ways to have something run that nobody allowed, and counts by the target what was changed.')
    .option('--tries <n>', 'how many tries', wholeNumber, 300)
    .option('--seed <n>', 'the same seed makes the same tries', wholeNumber, 1)
    .option('--lanes <n>', 'so many at once', wholeNumber, 8)
    .option('--only <text>', 'only kinds whose name matches this regular expression')
    .option('--json', 'each breach and each kind as a line of JSON', false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse(words, { from: 'user' });
  const options = command.opts<{ readonly tries: number; readonly seed: number; readonly lanes: number; readonly only?: string; readonly json: boolean }>();
  const wanted = options.only === undefined ? kinds : kinds.filter(({ name }) => new RegExp(options.only ?? '').test(name));
  if (wanted.length === 0) command.error(`no kind matches ${options.only}; there are: ${kinds.map(({ name }) => name).join(', ')}`);

  const startedAt = Date.now();
  const say = (line: string): void => void process.stderr.write(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${line}\n`);
  const stopping = new AbortController();

  const arena = await openArena(say, stopping.signal);
  const readyAt = Date.now();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void arena.close().finally(() => process.exit(130)));
  try {
    say(`${options.tries} tries of ${wanted.length} kinds, seed ${options.seed}`);
    const { entries, breaches, lanes } = await attackGate(arena, {
      kinds: drawKinds(wanted, options.tries, options.seed),
      seed: options.seed,
      lanes: options.lanes,
      tell(made, breach) {
        if (breach !== undefined) say(`BREACH  ${breach.kind} (try ${breach.index}): ${breach.because}`);
        if (made % EVERY === 0) say(`${made} tries made, ${((made * 1000) / (Date.now() - readyAt)).toFixed(1)} a second`);
      },
    });
    const control = await runControl(lanes);
    const tookMs = Date.now() - startedAt;
    const summary = { kind: 'summary', tries: options.tries, kinds: entries.length, seed: options.seed, breaches: breaches.length, effects: entries.reduce((sum, { effects }) => sum + effects, 0), control, tookMs };
    if (options.json) {
      for (const breach of breaches) process.stdout.write(`${JSON.stringify({ kind: 'breach', of: breach })}\n`);
      for (const entry of entries) process.stdout.write(`${JSON.stringify({ kind: 'entry', entry })}\n`);
      process.stdout.write(`${JSON.stringify(summary)}\n`);
    }
    const told = `${options.tries} tries of ${entries.length} kinds in ${Math.round(tookMs / 1000)} s: ${summary.effects} effects, ${breaches.length} breaches. ${control.because}`;
    (options.json ? process.stderr : process.stdout).write(`\n${formatTable(entries)}\n\n${told}\n`);
    return breaches.length === 0 && control.ok ? 0 : 1;
  } finally {
    await arena.close();
  }
}

function formatTable(entries: readonly Entry[]): string {
  const rows = [['kind', 'tries', 'refused as', 'effects'], ...entries.map(({ kind, tries, refusedAs, effects, breaches }) => [kind, `${tries}`, `${refusedAs.join(', ')}${breaches === 0 ? '' : ` (${breaches} BREACHES)`}`, `${effects}`])];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}
