import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { measureGate } from './gate.js';

const wholeNumber = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
};

const command = new Command('npm run bench --')
  .description('Measures against a baseline in the same run. Exits 1 where a promised figure is missed.')
  .argument('<what>', 'what is measured: gate')
  .option('--samples <n>', 'how many gates', wholeNumber, 200)
  .option('--json', 'the figures as JSON', false)
  .parse();
const { samples, json } = command.opts<{ readonly samples: number; readonly json: boolean }>();
if (command.args[0] !== 'gate') command.error(`there is no bench of ${command.args[0]}; try gate`);

const figures = await measureGate(samples, (line) => void process.stderr.write(`${line}\n`));
const { gateMs, bareMs, ratio, slowestAfterKillMs, slowestAllowedMs } = figures;
process.stdout.write(
  json
    ? `${JSON.stringify({ ...figures, cores: availableParallelism(), node: process.versions.node })}\n`
    : [
        `${samples} gates, one after the other; Node ${process.versions.node}, ${availableParallelism()} cores`,
        `                                        p50       p99`,
        `approval accepted → executor entered    ${gateMs.p50} ms     ${gateMs.p99} ms`,
        `bare signal → activity                  ${bareMs.p50} ms     ${bareMs.p99} ms`,
        `ratio                                   ${ratio.p50}       ${ratio.p99}`,
        `slowest gate in the 10 s after a worker was killed, another one up: ${slowestAfterKillMs} ms (at most ${slowestAllowedMs} ms)`,
        '',
      ].join('\n'),
);
process.exit(slowestAfterKillMs <= slowestAllowedMs ? 0 : 1);
