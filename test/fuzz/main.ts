import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { projectRoot, readLocalConfig } from '../../cli/local/config.js';
import { explain, Trouble } from '../../cli/local/trouble.js';
import { startServers } from '../harness/start-servers.js';
import { runControl } from './control.js';
import { findSchemathesis, type Order, type Program, runSchemathesis } from './schemathesis.js';
import { type Caller, callers, openStage } from './stage.js';

const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
};

const { cases, seed } = new Command('npm run fuzz --')
  .description('Sends generated requests, valid and not, to a real API as each role, and holds every answer against /openapi.json. Exits 1 on any failure.')
  .option('--cases <n>', 'how many requests at least, over all roles', wholeNumber, 10_000)
  .option('--seed <n>', 'the same seed makes the same requests', wholeNumber, 1)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ readonly cases: number; readonly seed: number }>();

// Below this share the boundaries would be all that is tried, and take too long for a sample.
const COVERAGE_FROM = 1_000;
const share = Math.ceil(cases / callers.length);
const startedAt = Date.now();
const tell = (line: string): void => void process.stdout.write(`${line}\n`);
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());

/** By operation, how many valid requests of anybody were answered with success. */
const accepted = new Map<string, number>();

/** As one caller: where the share allows, each boundary that the document names, and at random at least half as many as the share. */
async function fuzz(program: Program, caller: Caller) {
  const stage = await openStage(caller);
  const total = { cases: 0, accepted: 0, failures: 0 };
  const run = async (phase: Order['phase']): Promise<void> => {
    const report = await runSchemathesis(program, { ...stage, phase, seed: seed + total.cases, stopping: stopping.signal });
    if (report.cases === 0) throw new Error(`schemathesis sent nothing as ${caller}`);
    total.cases += report.cases;
    total.failures += report.failures;
    for (const [operation, times] of Object.entries(report.accepted)) {
      total.accepted += times;
      accepted.set(operation, (accepted.get(operation) ?? 0) + times);
    }
    if (report.told !== '') say(`\n${caller}\n${report.told}\n`);
  };
  try {
    if (share >= COVERAGE_FROM) await run({ kind: 'coverage' });
    const wanted = Math.max(share, total.cases + Math.ceil(share / 2));
    // An operation without parameters has only so many cases, so the others get more.
    while (total.cases < wanted) await run({ kind: 'fuzzing', perOperation: Math.ceil((1.5 * (wanted - total.cases)) / stage.operations) });
  } finally {
    await stage.close();
  }
  if (stage.causes.size > 0) say(`${caller}: the API's log says\n${[...stage.causes].join('\n')}\n`);
  tell(`${caller.padEnd(11)} ${String(total.cases).padStart(6)} cases, ${String(total.accepted).padStart(5)} accepted, ${total.failures} failures`);
  return total;
}

async function main(): Promise<void> {
  const program = await findSchemathesis(readLocalConfig().cacheFolder ?? join(projectRoot, 'build'), say);
  const missed = await runControl(program, seed, stopping.signal);
  if (missed !== undefined) throw new Trouble(missed, `install schemathesis 4, the one that is found is ${program.version}: ${program.command.join(' ')}`);
  const servers = await startServers();
  try {
    say(`schemathesis ${program.version}, seed ${seed}; event streams are read until their incident ends, which here is at once`);
    let made = 0;
    let failures = 0;
    for (const caller of callers) {
      const total = await fuzz(program, caller);
      made += total.cases;
      failures += total.failures;
    }
    const never = [...accepted].filter(([, times]) => times === 0).map(([operation]) => operation);
    // In a sample it is chance.
    if (share >= COVERAGE_FROM && never.length > 0) say(`Never with success, perhaps because values in test/fuzz/stage.ts lack what they take: ${never.join(', ')}`);
    tell(`fuzz: ${made} cases in ${Math.round((Date.now() - startedAt) / 1000)} s, ${failures} failures`);
    process.exitCode = failures === 0 ? 0 : 1;
  } finally {
    await servers.stop();
  }
}

await main().catch((error: unknown) => {
  if (stopping.signal.aborted) process.exit(130);
  if (!(error instanceof Trouble)) throw error;
  say(explain(error));
  process.exitCode = 1;
});
process.exit();
