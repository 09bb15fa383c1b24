import { Command } from 'commander';
import { BOMB_TIMEOUT_MS, type BombResult, GONE_WITHIN_MS, LATE_MS, type ProbeResult, tryBombs, tryControl, tryProbe } from './sandbox/attack.js';
import { openGround } from './sandbox/ground.js';
import { toFileProbes } from './sandbox/probes-of-files.js';
import { toKernelProbes } from './sandbox/probes-of-kernel.js';
import { toNetworkProbes } from './sandbox/probes-of-network.js';

const LANES = 4;
/** A try that nobody has seen succeed shows little: at least so many do. */
const SHOWN_AT_LEAST = 100;

/** `npm run attack -- sandbox` with these words after it. Returns the exit code. */
export async function runSandbox(words: readonly string[]): Promise<number> {
  const options = new Command('npm run attack -- sandbox')
    .description('Tries in many ways to get out of the sandbox of scripts or to take the machine, and sees from outside whether it did.')
    .option('--only <text>', 'only probes and bombs whose area or name matches this regular expression', '')
    .option('--no-bombs', 'probes only')
    .option('--json', 'each probe and each bomb as a line of JSON', false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse(words, { from: 'user' })
    .opts<{ readonly only: string; readonly bombs: boolean; readonly json: boolean }>();
  const only = new RegExp(options.only);
  const startedAt = Date.now();
  const say = (line: string): void => void process.stderr.write(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${line}\n`);

  const probes = await tryProbes(only, say);
  const bombs = options.bombs ? await tryBombs((bomb) => say(`${bomb.breach === null ? 'held' : 'BREACH'}  ${bomb.name}: ${bomb.breach ?? bomb.summary}`), only) : [];
  const breaches = [...probes, ...bombs].filter(({ breach }) => breach !== null);
  const empty = probes.filter(({ probe, shows }) => (probe.control === 'plain' || probe.control === 'apart') && shows === false);
  const shown = probes.filter(({ shows }) => shows === true).length;
  const tooFew = options.only === '' && shown < SHOWN_AT_LEAST;
  const summary = {
    kind: 'summary',
    probes: probes.length,
    shown,
    notShown: probes.length - shown,
    bombs: bombs.length,
    breaches: breaches.length,
    empty: empty.length,
    latestMs: Math.max(0, ...bombs.map(({ lateMs }) => lateMs)),
    goneMs: Math.max(0, ...bombs.map(({ tookMs }) => tookMs - BOMB_TIMEOUT_MS)),
    tookMs: Date.now() - startedAt,
  };
  if (options.json) {
    for (const { probe, breach, shows } of probes) process.stdout.write(`${JSON.stringify({ kind: 'probe', area: probe.area, name: probe.name, breach, shows })}\n`);
    for (const bomb of bombs) process.stdout.write(`${JSON.stringify({ kind: 'bomb', ...bomb })}\n`);
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  }
  for (const { probe } of empty) say(`EMPTY  ${probe.area}: it also fails without the sandbox: ${probe.name}`);
  const told = `${summary.probes} probes and ${summary.bombs} bombs in ${Math.round(summary.tookMs / 1000)} s: ${summary.breaches} breaches. ${shown} of the probes succeed without the sandbox (at least ${SHOWN_AT_LEAST} must), ${summary.notShown} are not shown to here; ${summary.empty} that should do not. The last tree was gone ${summary.goneMs} ms after its deadline (at most ${GONE_WITHIN_MS}); nothing else was late by more than ${summary.latestMs} ms (at most ${LATE_MS}).`;
  (options.json ? process.stderr : process.stdout).write(`\n${formatTable(probes, bombs)}\n\n${told}\n`);
  return breaches.length === 0 && empty.length === 0 && !tooFew && probes.length + bombs.length > 0 ? 0 : 1;
}

async function tryProbes(only: RegExp, say: (line: string) => void): Promise<readonly ProbeResult[]> {
  const ground = await openGround();
  try {
    const probes = [...toFileProbes(ground), ...toNetworkProbes(ground), ...toKernelProbes()].filter(({ area, name }) => only.test(`${area} ${name}`));
    const results: ProbeResult[] = [];
    const waiting = [...probes];
    const work = async (): Promise<void> => {
      for (let probe = waiting.shift(); probe !== undefined; probe = waiting.shift()) {
        const result = await tryProbe(ground, probe);
        results.push(result);
        if (result.breach !== null) say(`BREACH  ${probe.area}: a script ${probe.name}: ${result.breach}`);
        if (results.length % 25 === 0) say(`${results.length} of ${probes.length} probes`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, work));
    // Only now the machine is used as if there were no sandbox, so that what comes before then came out of one.
    const shown: ProbeResult[] = [];
    for (const result of results) shown.push({ ...result, shows: await tryControl(ground, result.probe) });
    return shown;
  } finally {
    await ground.close();
  }
}

function formatTable(probes: readonly ProbeResult[], bombs: readonly BombResult[]): string {
  const areas = [...new Set(probes.map(({ probe }) => probe.area))];
  const rows = [
    ['area', 'tries', 'breaches', 'succeed without the sandbox'],
    ...areas.map((area) => {
      const ofArea = probes.filter(({ probe }) => probe.area === area);
      return [area, `${ofArea.length}`, `${ofArea.filter(({ breach }) => breach !== null).length}`, `${ofArea.filter(({ shows }) => shows === true).length}`];
    }),
    ...(bombs.length === 0 ? [] : [['bombs', `${bombs.length}`, `${bombs.filter(({ breach }) => breach !== null).length}`, '']]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}
