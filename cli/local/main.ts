import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, readLocalConfig, type LocalConfig } from './config.js';
import { startStack, type Stack } from './stack.js';
import { explain, Trouble } from './trouble.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function sluiceConfig(config: LocalConfig): string | undefined {
  if (config.sluiceConfig !== null) return config.sluiceConfig;
  const usual = join(projectRoot, 'sluice.yaml');
  if (existsSync(usual)) return usual;
  say('There is no sluice.yaml, so nothing is watched yet. Write one, or name one in SLUICE_CONFIG, and start again');
  return undefined;
}

function greet(stack: Stack): void {
  say(`
Sluice is running.

  Log in           ${stack.apiUrl}/#token=${stack.adminToken}
  Page             ${stack.apiUrl}/
  API              ${stack.apiUrl}/docs
  Temporal Web UI  ${stack.temporalUiUrl ?? `that of the server at ${stack.temporalAddress}`}
  Postgres         ${stack.databaseUrl.replace(/:[^:@/]+@/, ':…@')}
  Admin token      ${stack.adminTokenFile}

Ctrl-C stops it. What waits for a person waits on, and is there at the next npm start.
`);
}

const calledOff = new AbortController();
let stack: Stack | null = null;
let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return; // Ctrl-C reaches us from the terminal and again from npm
  stopping = true;
  say('\nStopping');
  if (stack === null) calledOff.abort();
  else {
    await stack.stop();
    process.exit(0);
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());

try {
  const config = readLocalConfig();
  const watched = sluiceConfig(config);
  stack = await startStack({ home: config.home, say, signal: calledOff.signal, ...(watched === undefined ? {} : { sluiceConfig: watched }) });
  if (stopping) await stack.stop();
  else greet(stack);
} catch (error) {
  if (stopping) process.exit(0);
  if (!(error instanceof Trouble)) throw error;
  process.stderr.write(`\n${explain(error)}\n`);
  process.exit(1);
}
