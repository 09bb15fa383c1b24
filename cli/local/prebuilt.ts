import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { projectRoot } from './config.js';
import { takeLock } from './lock.js';
import type { Surroundings } from './piece.js';
import { reasonOf, Trouble } from './trouble.js';

const run = promisify(execFile);
const buildFolder = join(projectRoot, 'build');
const notSources = new Set(['node_modules', 'dist']);

/** Changes whenever one of these files or folders does. */
async function hashOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const add = async (path: string): Promise<void> => {
    hash.update(`${relative(projectRoot, path)}\0`).update(await readFile(path)).update('\0');
  };
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      if (notSources.has(entry.name)) continue;
      if (entry.isDirectory()) await walk(join(path, entry.name));
      else if (entry.isFile()) await add(join(path, entry.name));
    }
  };
  for (const path of paths) await (path.endsWith('.json') ? add(join(projectRoot, path)) : walk(join(projectRoot, path)));
  return hash.digest('hex').slice(0, 16);
}

/** One start builds, others that come meanwhile wait and then find it built. */
async function oneAtATime<T>(name: string, work: () => Promise<T>): Promise<T> {
  await mkdir(buildFolder, { recursive: true });
  for (;;) {
    const attempt = await takeLock(join(buildFolder, `${name}.lock`));
    if (attempt.kind === 'held') {
      await sleep(200);
      continue;
    }
    try {
      return await work();
    } finally {
      await attempt.release();
    }
  }
}

/** Sees that `web/dist` is built from the sources as they are now. */
export async function ensureWebBuild({ say, stopping }: Pick<Surroundings, 'say' | 'stopping'>): Promise<void> {
  const hash = await hashOf(['package-lock.json', 'web']);
  await oneAtATime('web', async () => {
    const stamp = join(buildFolder, 'web.hash');
    const isCurrent = existsSync(join(projectRoot, 'web/dist/index.html')) && (await readFile(stamp, 'utf8').catch(() => '')) === hash;
    if (isCurrent) return;
    say('Building the page');
    await run('npm', ['run', 'build', '--workspace', 'web'], { cwd: projectRoot, signal: stopping }).catch((error: unknown) => {
      throw new Trouble(`The page could not be built: ${reasonOf(error)}`, 'run npm ci and start again; if you changed web/, correct what it names', { cause: error });
    });
    await writeFile(stamp, hash);
  });
}

/** The bundle of workflow code as it is now; with it a worker is ready in a quarter of the time. */
export async function ensureWorkflowBundle({ say }: Pick<Surroundings, 'say'>): Promise<string> {
  const bundle = join(buildFolder, `workflow-bundle-${await hashOf(['package-lock.json', 'workflows', 'contracts', 'domain'])}.js`);
  await oneAtATime('workflow-bundle', async () => {
    if (existsSync(bundle)) return;
    say('Bundling the workflows');
    const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
    const { code } = await bundleWorkflowCode({ workflowsPath: join(projectRoot, 'workflows/index.ts'), logger: new DefaultLogger('WARN') });
    await writeFile(`${bundle}.new`, code);
    await rename(`${bundle}.new`, bundle);
  });
  return bundle;
}
