import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WrongSettings } from '../../contracts/settings.js';
import { WrongSluiceYaml } from '../../contracts/sluice-yaml.js';
import { RolesMissing } from '../../db/roles.js';
import { ForeignSchema } from '../../db/migrate.js';
import { KeysUnusable } from '../../keys/key-files.js';
import { readWatch } from '../../workers/read-watch.js';
import { readLocalConfig } from './config.js';
import { openHome } from './home.js';
import { openLedger } from './ledger.js';
import { takeLock } from './lock.js';
import type { Piece, Surroundings } from './piece.js';
import { insistOnPort, portChooser, preferredPorts, type Ports } from './ports.js';
import { ensureWebBuild, ensureWorkflowBundle } from './prebuilt.js';
import { prepare } from './prepare.js';
import { openDatabase, openTemporal, startOwn, untilApiReady } from './stack-pieces.js';
import { Trouble } from './trouble.js';

export interface StackOptions {
  readonly home: string;
  /** Without it nothing is watched. */
  readonly sluiceConfig?: string;
  /** Variables that win over the environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  /** Runs once the database is ready; returns further variables for our own processes. */
  readonly beforeProcesses?: (databaseUrl: string) => Promise<Readonly<Record<string, string>>>;
  /** Wished for; the next free one is taken instead of one in use. */
  readonly ports?: Ports;
  /** Aborted to call the start off. Once it has succeeded, `stop` is the way. */
  readonly signal?: AbortSignal;
  /** How long a process must have served to be started again at once when it ends. A minute unless said. */
  readonly steadyAfterMs?: number;
}

type PieceName = 'api' | 'worker' | 'temporal' | 'postgres';

export interface Stack {
  readonly apiUrl: string;
  readonly temporalAddress: string;
  /** Null when Temporal is not ours: then we do not know. */
  readonly temporalUiUrl: string | null;
  readonly databaseUrl: string;
  readonly adminToken: string;
  readonly adminTokenFile: string;
  /** Null for what is not ours. A piece that was started again has a new one. */
  readonly pids: () => Readonly<Record<PieceName, number | null>>;
  readonly stop: () => Promise<void>;
}

/** The API last, so it is stopped first: nothing new comes in while the rest ends. */
const stopOrder: readonly PieceName[] = ['api', 'worker', 'temporal', 'postgres'];

/** Brings up everything that has an embedded default and the processes of Sluice itself; on any failure, all of it is stopped again. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const config = readLocalConfig(options.env);
  const home = await openHome(options.home);
  const lock = await takeLock(home.lock);
  if (lock.kind === 'held') {
    throw new Trouble(
      `Sluice already runs with the state folder ${home.folder} (process ${lock.by.pid})`,
      'use that one, stop it with Ctrl-C, or set SLUICE_HOME to another folder',
    );
  }
  const pieces = new Map<string, Piece>();
  const calledOff = new AbortController();
  const stop = async (): Promise<void> => {
    for (const name of stopOrder) await pieces.get(name)?.stop();
    await lock.release();
  };
  try {
    const { say, sluiceConfig = '' } = options;
    checkSluiceConfig(sluiceConfig);
    const surroundings: Surroundings = {
      home,
      ledger: openLedger(home.processes),
      pieces,
      say,
      stopping: AbortSignal.any([calledOff.signal, ...(options.signal === undefined ? [] : [options.signal])]),
      ...(options.steadyAfterMs === undefined ? {} : { steadyAfterMs: options.steadyAfterMs }),
    };
    await surroundings.ledger.endLeftovers(say);
    const wished = options.ports ?? preferredPorts;
    const choosePort = portChooser(say);
    const demandedApiPort = config.apiPort === null ? null : await insistOnPort('SLUICE_API_PORT', config.apiPort);
    const underneath = [
      openDatabase(config, surroundings, () => choosePort('Postgres', wished.postgres)),
      openTemporal(config, surroundings, async () => ({
        temporal: await choosePort('Temporal', wished.temporal),
        temporalUi: await choosePort('the Temporal Web UI', wished.temporalUi),
      })),
      ensureWorkflowBundle(surroundings),
      ensureWebBuild(surroundings),
    ] as const;
    await allOrNone(underneath, calledOff);
    const [databaseUrl, temporal, workflowBundle] = await Promise.all(underneath);
    const keys = config.environment['SLUICE_KEYS'] || join(home.folder, 'keys');
    const { adminToken, adminTokenFile } = await prepare({ databaseUrl, home: home.folder, keys, sluiceConfig }).catch(rethrowKnown);
    const variables = await options.beforeProcesses?.(databaseUrl);
    const apiPort = demandedApiPort ?? (await choosePort('the API', wished.api));
    const env = {
      ...temporal.environment,
      DATABASE_URL: databaseUrl,
      SLUICE_API_HOST: config.environment['SLUICE_API_HOST'] || '127.0.0.1',
      SLUICE_API_PORT: String(apiPort),
      SLUICE_WORKFLOW_BUNDLE: workflowBundle,
      ...variables,
      SLUICE_CONFIG: sluiceConfig,
      SLUICE_KEYS: keys,
      SLUICE_RUNS: config.environment['SLUICE_RUNS'] || join(home.folder, 'runs'),
      SLUICE_AUDIT_FOLDER: config.environment['SLUICE_AUDIT_FOLDER'] || join(home.folder, 'audit'),
      ...(temporal.uiUrl === null ? {} : { SLUICE_TEMPORAL_UI_URL: temporal.uiUrl }),
    };
    const apiUrl = `http://127.0.0.1:${apiPort}`;
    await allOrNone([startOwn('worker', 'workers/main.ts', env, surroundings), startOwn('api', 'api/main.ts', env, surroundings)], calledOff);
    await untilApiReady(apiUrl, surroundings.stopping);
    // The port is not always the usual one; the sluice command looks here.
    await writeFile(join(home.folder, 'api-address'), `${apiUrl}\n`);
    const pidOf = (name: PieceName): number | null => pieces.get(name)?.pid() ?? null;
    return {
      apiUrl,
      temporalAddress: temporal.address,
      temporalUiUrl: temporal.uiUrl,
      databaseUrl,
      adminToken,
      adminTokenFile,
      pids: () => ({ api: pidOf('api'), worker: pidOf('worker'), temporal: pidOf('temporal'), postgres: pidOf('postgres') }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for all. At the first failure calls the others off, waits until they have ended, and throws it. */
async function allOrNone(work: readonly Promise<unknown>[], calledOff: AbortController): Promise<void> {
  try {
    await Promise.all(work);
  } catch (error) {
    calledOff.abort();
    await Promise.allSettled(work);
    throw error;
  }
}

/** Before anything is started, because it is read again by what is. */
function checkSluiceConfig(path: string): void {
  try {
    readWatch(path);
  } catch (error) {
    rethrowKnown(error);
  }
}

/** The errors of other rooms that are about the reader's machine or files, and say what to do. */
function rethrowKnown(error: unknown): never {
  if (error instanceof ForeignSchema) throw new Trouble(error.message, 'do that and start again; for the embedded database, that is to move the state folder away', { cause: error });
  if (error instanceof RolesMissing) throw new Trouble(error.message, 'have it done and start again, or unset DATABASE_URL to use the embedded Postgres', { cause: error });
  if (error instanceof KeysUnusable) throw new Trouble(error.message, 'put it right and start again', { cause: error });
  if (error instanceof WrongSettings || error instanceof WrongSluiceYaml) throw new Trouble(error.message, 'correct it and start again', { cause: error });
  throw error;
}
