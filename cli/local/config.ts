import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Trouble } from './trouble.js';

export const projectRoot = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** What the environment says about how to bring things up. */
export interface LocalConfig {
  readonly home: string;
  readonly databaseUrl: string | null;
  readonly temporalAddress: string | null;
  /** A binary named explicitly wins over the search. */
  readonly temporalCliPath: string | null;
  readonly sluiceConfig: string | null;
  readonly apiPort: number | null;
  /** Where a Temporal that was downloaded or built is kept for all homes; null when the user has no usable home folder. */
  readonly cacheFolder: string | null;
  readonly environment: Readonly<Record<string, string>>;
}

const text = (value: string | undefined): string | null => (value === undefined || value.trim() === '' ? null : value.trim());

function portFrom(name: string, value: string | null): number | null {
  if (value === null) return null;
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Trouble(`${name}=${value} is not a port`, `set ${name} to a number from 1 to 65535, or unset it`);
}

/** Reads the environment, once; `overrides` win over it. */
export function readLocalConfig(overrides: Readonly<Record<string, string>> = {}): LocalConfig {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...process.env, ...overrides })) if (value !== undefined) environment[name] = value;
  const read = (name: string): string | null => text(environment[name]);
  const userHome = read('HOME') ?? text(homedir());
  const cache = read('XDG_CACHE_HOME') ?? (userHome === null ? null : join(userHome, '.cache'));
  return {
    home: resolve(projectRoot, read('SLUICE_HOME') ?? '.sluice'),
    databaseUrl: read('DATABASE_URL'),
    temporalAddress: read('TEMPORAL_ADDRESS'),
    temporalCliPath: read('TEMPORAL_CLI_PATH'),
    sluiceConfig: read('SLUICE_CONFIG'),
    apiPort: portFrom('SLUICE_API_PORT', read('SLUICE_API_PORT')),
    cacheFolder: cache === null ? null : join(cache, 'sluice'),
    environment,
  };
}
