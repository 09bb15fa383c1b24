import { createInterface } from 'node:readline/promises';
import { runCli } from './run-cli.js';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
// Whoever reads us may stop early, as `head` does.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  isTerminal: process.stdin.isTTY === true,
  hasColours: process.stdout.isTTY === true && !process.env['NO_COLOR'],
  interrupted: interrupted.signal,
  untilToldToEnd() {
    const told = new AbortController();
    const end = () => told.abort();
    // Asked for late, since whoever listens to a parent is kept alive by it.
    process.once('SIGTERM', end).once('disconnect', end);
    told.signal.addEventListener('abort', () => process.off('SIGTERM', end).off('disconnect', end));
    return told.signal;
  },
  sayReady: () => void process.send?.({ kind: 'ready' }),
  print: (text) => void process.stdout.write(`${text}\n`),
  complain: (text) => void process.stderr.write(`${text}\n`),
  ask: async (question) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await terminal.question(question, { signal: interrupted.signal });
    } finally {
      terminal.close();
    }
  },
});
// A parent that is listened to would keep us.
if (process.connected) process.disconnect();
