import { execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot, type LocalConfig } from './config.js';
import { saysReady, startPiece, type Piece, type Surroundings } from './piece.js';
import { checkDatabase, ensureDatabase, startPostgres } from './postgres.js';
import { checkTemporal, devServerVariables, startTemporal, type TemporalPorts } from './temporal.js';
import { findTemporalCli } from './temporal-cli.js';
import { reasonOf, Trouble } from './trouble.js';

const apiReadyWithinMs = 30_000;

/** The database that the environment names, or the embedded one. */
export async function openDatabase(config: LocalConfig, surroundings: Surroundings, choosePort: () => Promise<number>): Promise<string> {
  if (config.databaseUrl === null) return ensureDatabase(await startPostgres(surroundings, choosePort), 'sluice');
  surroundings.say('Using the database that DATABASE_URL names');
  await checkDatabase(config.databaseUrl);
  return config.databaseUrl;
}

export interface TemporalInUse {
  readonly address: string;
  readonly uiUrl: string | null;
  /** For processes that are to speak to it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The Temporal that the environment names, or a dev server of our own. */
export async function openTemporal(config: LocalConfig, surroundings: Surroundings, choosePorts: () => Promise<TemporalPorts>): Promise<TemporalInUse> {
  const { say, stopping, home } = surroundings;
  const { environment } = config;
  if (config.temporalAddress !== null) {
    say(`Using Temporal at ${config.temporalAddress}, which TEMPORAL_ADDRESS names`);
    await checkTemporal(environment, say);
    return { address: config.temporalAddress, uiUrl: null, environment };
  }
  const cli = await findTemporalCli({ config, fallbackFolder: home.temporal, say, stopping });
  const ports = await choosePorts(); // finding the program may have taken minutes
  await startTemporal(surroundings, cli, ports);
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    address: `127.0.0.1:${ports.temporal}`,
    uiUrl: `http://127.0.0.1:${ports.temporalUi}`,
    environment: { ...Object.fromEntries(others), ...(await devServerVariables(surroundings, ports.temporal)) },
  };
}

/** A process of Sluice itself. Its channel is how it says that it is ready, and how it notices that we are gone. */
export const startOwn = (name: string, main: string, env: Readonly<Record<string, string>>, surroundings: Surroundings): Promise<Piece> =>
  startPiece(
    {
      name,
      command: execPath,
      args: ['--import', 'tsx', main],
      cwd: projectRoot,
      env,
      runsAs: {},
      channel: true,
      stopSignal: 'SIGTERM',
      stopWithinMs: 15_000,
      readyWithinMs: 60_000,
      ready: saysReady,
    },
    surroundings,
  );

/** A listening API is not yet one that can answer: it says so itself. */
export async function untilApiReady(apiUrl: string, stopping: AbortSignal): Promise<void> {
  const deadline = Date.now() + apiReadyWithinMs;
  for (;;) {
    stopping.throwIfAborted();
    const answer = await fetch(`${apiUrl}/readyz`).catch(reasonOf);
    if (typeof answer !== 'string' && answer.ok) return;
    if (Date.now() > deadline) {
      const said = typeof answer === 'string' ? answer : `${answer.status} ${await answer.text()}`;
      throw new Trouble(`The API is up but not ready: ${said}`, 'look into the logs below the state folder');
    }
    await sleep(50);
  }
}
