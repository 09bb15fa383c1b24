import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLocalConfig } from '../../cli/local/config.js';
import { openHome } from '../../cli/local/home.js';
import { openLedger } from '../../cli/local/ledger.js';
import type { Surroundings } from '../../cli/local/piece.js';
import { anyFreePort, anyFreePorts } from '../../cli/local/ports.js';
import { startPostgres } from '../../cli/local/postgres.js';
import { ensureWorkflowBundle } from '../../cli/local/prebuilt.js';
import { checkTemporal, startTemporal } from '../../cli/local/temporal.js';
import { findTemporalCli } from '../../cli/local/temporal-cli.js';
import { explain, Trouble } from '../../cli/local/trouble.js';

// A process of its own, so that the servers end when the test run does, however it ends.

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
chmodSync(folder, 0o711); // as root: Postgres's user must get through
const config = readLocalConfig();
const home = await openHome(join(folder, 'home'));
const calledOff = new AbortController();
const surroundings: Surroundings = { home, ledger: openLedger(home.processes), say, stopping: calledOff.signal, pieces: new Map() };

async function end(): Promise<void> {
  calledOff.abort();
  for (const piece of surroundings.pieces.values()) await piece.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
process.on('disconnect', () => void end());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined); // the run tells us when to end

async function openTemporal(): Promise<string> {
  if (config.temporalAddress !== null) {
    await checkTemporal(config.environment, say);
    return config.temporalAddress;
  }
  const cli = await findTemporalCli({ config, fallbackFolder: home.temporal, say, stopping: calledOff.signal });
  const ports = await anyFreePorts();
  await startTemporal(surroundings, cli, ports);
  return `127.0.0.1:${ports.temporal}`;
}

try {
  const [postgres, temporalAddress, workflowBundle] = await Promise.all([startPostgres(surroundings, anyFreePort), openTemporal(), ensureWorkflowBundle(surroundings)]);
  process.send?.({ TEST_DATABASE_URL: postgres.urlOf('postgres'), TEST_TEMPORAL_ADDRESS: temporalAddress, TEST_WORKFLOW_BUNDLE: workflowBundle });
} catch (error) {
  say(error instanceof Trouble ? explain(error) : String(error));
  process.exitCode = 1;
  await end();
}
