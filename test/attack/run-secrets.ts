import { Command, InvalidArgumentError } from 'commander';
import { openChance } from './chance.js';
import { encodings, plant } from './secrets/planted.js';
import { places, searchPlaces } from './secrets/read-places.js';
import { createSearch, type Find } from './secrets/search.js';
import { playStage } from './secrets/stage.js';

const STRANGERS = 25;

const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
};

/** `npm run attack -- secrets` with these words after it. Returns the exit code. */
export async function runSecrets(words: readonly string[]): Promise<number> {
  const options = new Command('npm run attack -- secrets')
    .description('Has scripts, errors, files and configuration tell secrets in every encoding, cut anywhere, and looks for them wherever something is stored or shown.')
    .option('--secrets <n>', 'how many', wholeNumber, 1_000)
    .option('--seed <n>', 'the same seed plants the same secrets', wholeNumber, 1)
    .option('--json', 'each find and the summary as a line of JSON', false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse(words, { from: 'user' })
    .opts<{ readonly secrets: number; readonly seed: number; readonly json: boolean }>();
  const startedAt = Date.now();
  const say = (line: string): void => void process.stderr.write(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${line}\n`);
  const chance = openChance(options.seed);
  const secrets = plant(options.secrets, 's', chance);
  // Sluice has never heard of these: they are told in the same ways, and what looks must find them.
  const strangers = plant(STRANGERS, 'stranger', chance);
  const stage = await playStage({ secrets, strangers, chance, say });
  try {
    const search = createSearch([...secrets, ...strangers]);
    await searchPlaces(search, stage);
    const [leaks, shown] = [search.found().filter(({ secret }) => !secret.startsWith('stranger')), search.found().filter(({ secret }) => secret.startsWith('stranger'))];
    const told = new Set(shown.filter(({ place }) => place === 'database' || place === 'API').map(({ secret, encoding, place }) => `${secret} ${encoding} ${place}`)).size;
    const expected = STRANGERS * Object.keys(encodings).length * 2;
    // Of what is told, not all comes to each of the other places; one that none comes to would show nothing.
    const blind = places.flatMap((place) => Object.keys(encodings).filter((encoding) => !shown.some((find) => find.place === place && find.encoding === encoding)).map((encoding) => ({ place, encoding })));
    const wrong = Object.entries(stage.outcomes).filter(([name, outcome]) => !(wanted[name] ?? []).includes(outcome));
    const summary = { kind: 'summary', secrets: secrets.length, encodings: Object.keys(encodings).length, found: leaks.length, strangersFound: told, strangersExpected: expected, blind, outcomes: stage.outcomes, characters: search.characters(), tookMs: Date.now() - startedAt };
    if (options.json) {
      for (const leak of leaks) process.stdout.write(`${JSON.stringify({ kind: 'find', ...leak })}\n`);
      process.stdout.write(`${JSON.stringify(summary)}\n`);
    }
    for (const { secret, encoding, place } of leaks.slice(0, 20)) say(`FOUND  ${secret} as ${encoding} in ${place}`);
    for (const { place, encoding } of blind) say(`BLIND  no stranger as ${encoding} came to ${place}`);
    for (const [name, outcome] of wrong) say(`WRONG  the incident ${name} ended ${outcome}`);
    const line = `${secrets.length} secrets in ${Object.keys(encodings).length} encodings, ${Math.round(search.characters() / 1_000)} thousand characters looked through in ${Math.round(summary.tookMs / 1000)} s: ${leaks.length} found. Of ${expected} that Sluice knows nothing of, told in the same ways, ${told} were found.`;
    (options.json ? process.stderr : process.stdout).write(`\n${formatTable(leaks, shown)}\n\n${line}\n`);
    return leaks.length === 0 && told === expected && blind.length === 0 && wrong.length === 0 ? 0 : 1;
  } finally {
    await stage.close();
  }
}

/** How each incident must end, for what it tells to be told. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  print: ['RESOLVED'],
  'print, taken back': ['ROLLED_BACK'],
  given: ['RESOLVED'],
  fail: ['FAILED'],
  refused: ['RESOLVED'],
  change: ['denied'],
};

function formatTable(leaks: readonly Find[], shown: readonly Find[]): string {
  const count = (finds: readonly Find[], encoding: string, place: string): string => `${finds.filter((find) => find.encoding === encoding && find.place === place).length}`;
  const rows = [
    ['encoding', ...places.map((place) => `in ${place}`), ...places.map((place) => `strangers in ${place}`)],
    ...Object.keys(encodings).map((encoding) => [encoding, ...places.map((place) => count(leaks, encoding, place)), ...places.map((place) => count(shown, encoding, place))]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}
