import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { searchAttributeNames } from '../../contracts/search-attributes.js';
import { isListening } from './ports.js';
import { answers, startPiece, type Piece, type Surroundings } from './piece.js';
import { reasonOf, Trouble } from './trouble.js';

/** Temporal's number for the type Keyword. */
const keyword = 2;
/** gRPC's number for an answer that did not come in time. */
const deadlineExceeded = 4;
const attemptMs = 2_000;
const answerWithinMs = 5_000;

export interface TemporalPorts {
  readonly temporal: number;
  readonly temporalUi: number;
}

/** Starts the dev server on loopback; what it acknowledged survives a crash of it, of us and of the machine. */
export async function startTemporal(surroundings: Surroundings, cli: string, ports: TemporalPorts): Promise<Piece> {
  return startPiece(
    {
      name: 'temporal',
      command: cli,
      args: ['server', 'start-dev', ...flags(join(surroundings.home.temporal, 'temporal.db'), ports).flat()],
      cwd: surroundings.home.temporal,
      env: { HOME: surroundings.home.temporal }, // no settings of the user's own Temporal
      runsAs: {},
      channel: false,
      stopSignal: 'SIGTERM',
      stopWithinMs: 15_000,
      readyWithinMs: 120_000,
      ready: answers(async () => (await isListening(ports.temporal)) && (await serves(`127.0.0.1:${ports.temporal}`))),
    },
    surroundings,
  );
}

const flags = (database: string, ports: TemporalPorts): readonly (readonly [string, string])[] => [
  ['--ip', '127.0.0.1'],
  ['--port', String(ports.temporal)],
  ['--ui-port', String(ports.temporalUi)],
  ['--db-filename', database],
  ['--sqlite-pragma', 'journal_mode=WAL'],
  ['--sqlite-pragma', 'synchronous=FULL'],
  // Its one shard otherwise polls 20 times a second, and every burst waits.
  ['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
  ['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
  ...searchAttributeNames.map((name) => ['--search-attribute', `${name}=Keyword`] as const),
];

/** Variables that make a process speak to the dev server, whatever the user has set up for other servers. */
export async function devServerVariables({ home }: Surroundings, port: number): Promise<Record<string, string>> {
  const noSettings = join(home.temporal, 'no-settings.toml');
  await writeFile(noSettings, '[profile.default]\n'); // the reader trips over a file without a profile
  return { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, TEMPORAL_NAMESPACE: 'default', TEMPORAL_CONFIG_FILE: noSettings };
}

async function serves(address: string): Promise<boolean> {
  const connection = Connection.lazy({ address });
  try {
    await connection.withDeadline(Date.now() + attemptMs, () => connection.workflowService.describeNamespace({ namespace: 'default' }));
    return (await missingAttributes(connection, 'default')).length === 0;
  } catch (error) {
    if (isGrpcServiceError(error)) return false; // not there yet
    throw error;
  } finally {
    await connection.close();
  }
}

async function missingAttributes(connection: Connection, namespace: string): Promise<readonly string[]> {
  const { customAttributes } = await connection.withDeadline(Date.now() + attemptMs, () => connection.operatorService.listSearchAttributes({ namespace }));
  return searchAttributeNames.filter((name) => customAttributes[name] !== keyword);
}

/** Stops with what to do when the server that the environment names is not there or does not know our search attributes. */
export async function checkTemporal(environment: Readonly<Record<string, string>>, say: (line: string) => void): Promise<void> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({ overrideEnvVars: { ...environment } });
  const { address, apiKey, tls, metadata } = connectionOptions;
  const connection = Connection.lazy({ ...(address && { address }), ...(apiKey && { apiKey }), ...(tls && { tls }), ...(metadata && { metadata }) });
  try {
    await connection.withDeadline(Date.now() + answerWithinMs, () => connection.workflowService.describeNamespace({ namespace })).catch((error: unknown) => {
      throw new Trouble(
        `TEMPORAL_ADDRESS is ${address}, but its namespace ${namespace} does not answer: ${grpcReason(error)}`,
        'start that server, correct TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or unset TEMPORAL_ADDRESS to use the dev server',
        { cause: error },
      );
    });
    const missing = await missingAttributes(connection, namespace).catch((error: unknown) => {
      say(`Temporal does not tell its search attributes (${grpcReason(error)}); it must know these, as Keyword: ${searchAttributeNames.join(', ')}`);
      return [];
    });
    if (missing.length === 0) return;
    const wanted = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
    throw new Trouble(
      `Temporal at ${address} does not know these search attributes of type Keyword: ${missing.join(', ')}`,
      `temporal operator search-attribute create --address ${address} --namespace ${namespace} ${wanted}`,
    );
  } finally {
    await connection.close();
  }
}

function grpcReason(error: unknown): string {
  if (!isGrpcServiceError(error)) return reasonOf(error);
  return error.code === deadlineExceeded ? `nothing within ${answerWithinMs / 1000} s` : error.details;
}
