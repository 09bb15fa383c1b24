import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pid } from 'node:process';
import { promisify } from 'node:util';
import type { LocalConfig } from './config.js';
import { onPath } from './on-path.js';
import { buildTemporal, downloadTemporal, type Fetch } from './temporal-fetch.js';
import { hasCode, reasonOf, Trouble } from './trouble.js';

const run = promisify(execFile);

/** Later ones cannot be installed with `go install`. */
export const temporalVersion = '1.5.1';

export interface TemporalSearch {
  readonly config: Pick<LocalConfig, 'temporalCliPath' | 'cacheFolder' | 'environment'>;
  /** Where a fetched program is kept if the user's cache folder cannot be used. */
  readonly fallbackFolder: string;
  readonly say: (line: string) => void;
  readonly stopping: AbortSignal;
  readonly fetches?: readonly { readonly how: string; readonly fetch: Fetch }[];
}

const realFetches = [
  { how: 'download', fetch: downloadTemporal },
  { how: 'build', fetch: buildTemporal },
];

/** The `temporal` program: named, on the PATH, kept from an earlier start, downloaded, or built. */
export async function findTemporalCli({ config, fallbackFolder, say, stopping, fetches = realFetches }: TemporalSearch): Promise<string> {
  const { temporalCliPath, cacheFolder, environment } = config;
  if (temporalCliPath !== null) {
    const failure = await whyNotUsable(temporalCliPath);
    if (failure === null) return temporalCliPath;
    throw new Trouble(`TEMPORAL_CLI_PATH is ${temporalCliPath}, which does not run: ${failure}`, 'correct it, or unset it to have Temporal looked for');
  }
  const reasons: string[] = [];
  const folders = [cacheFolder, fallbackFolder].filter((folder) => folder !== null).map((folder) => join(folder, `temporal-${temporalVersion}`));
  for (const candidate of [onPath('temporal', environment), ...folders.map((folder) => join(folder, 'temporal'))]) {
    if (candidate === null) reasons.push('temporal is not on the PATH');
    else {
      const failure = await whyNotUsable(candidate);
      if (failure === null) return candidate;
      reasons.push(`${candidate}: ${failure}`);
    }
  }
  const folder = await firstWritable(folders);
  for (const { how, fetch } of fetches) {
    const ownFolder = join(folder, `${how}-${pid}`);
    try {
      await mkdir(ownFolder, { recursive: true });
      // In one go: the next start never finds half a program.
      await rename(await fetch({ version: `v${temporalVersion}`, folder: ownFolder, environment, say, stopping }), join(folder, 'temporal'));
      return join(folder, 'temporal');
    } catch (error) {
      stopping.throwIfAborted();
      reasons.push(`${how}: ${reasonOf(error)}`);
    } finally {
      await rm(ownFolder, { recursive: true, force: true });
    }
  }
  throw new Trouble(
    `Sluice needs Temporal, and none was found:\n${reasons.map((reason) => `  - ${reason}`).join('\n')}`,
    'one of these four. Set TEMPORAL_ADDRESS to a running server; put the program temporal on the PATH, or name it in TEMPORAL_CLI_PATH; ' +
      'start once where its download can be reached; or install Go, and it is built from its source',
  );
}

async function whyNotUsable(program: string): Promise<string | null> {
  try {
    const { stdout } = await run(program, ['--version'], { timeout: 20_000 });
    return stdout.includes('temporal') ? null : 'it is another program of that name';
  } catch (error) {
    return hasCode(error, 'ENOENT') ? 'not there' : reasonOf(error);
  }
}

async function firstWritable(folders: readonly string[]): Promise<string> {
  const reasons: string[] = [];
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
      return folder;
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  throw new Trouble(`There is no folder to keep Temporal in: ${reasons.join('; ')}`, 'set XDG_CACHE_HOME to a folder that you can write');
}
