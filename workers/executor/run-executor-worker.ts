import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Watch } from '../../activities/ports.js';
import { Fault } from '../../activities/faults.js';
import { type ExecutorSettings, readExecutorSettings, WrongSettings } from '../../contracts/settings.js';
import type { Target, Workspace } from '../../domain/watch.js';
import { openVerifier, PUBLIC_KEYS } from '../../keys/keyring.js';
import { connectHostExecutor, findLacks } from '../host-executor.js';
import { openLog } from '../log.js';
import { createSecretReader, readWatch } from '../read-watch.js';
import { createSecrets } from '../secrets.js';
import { openSignatures } from '../signatures.js';
import { NotLetIn, openExecutorApi } from './executor-api.js';
import { serveCall } from './serve-call.js';

const MAX_CALLS = 8;
const POLL_MS = 10_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;
const STOP_WITHIN_MS = 10_000;

type Host = Extract<Target, { kind: 'host' }>;

/** Acts on the host targets that name this queue, for as long as it is not stopped. Speaks to nothing but the API and its targets. */
export async function runExecutorWorker(queue: string, env: Readonly<Record<string, string | undefined>>, stopping: AbortSignal, onReady: () => void): Promise<void> {
  const settings = readExecutorSettings(env);
  const { SLUICE_URL: url, SLUICE_RUNS: runs, SLUICE_HOST_PATH: path } = settings;
  const machine = { runs, path, ownFolders: [settings.SLUICE_KEYS, settings.SLUICE_CONFIG] };
  const secrets = createSecrets();
  const log = openLog(settings.SLUICE_LOG_LEVEL, secrets);
  const workspaces = readWatch(settings.SLUICE_CONFIG).map((workspace) => ({ ...workspace, targets: workspace.targets.filter(isOfQueue(queue)) }));
  const hosts = workspaces.flatMap(({ targets }) => targets);
  if (hosts.length === 0) throw new WrongSettings(`No host in ${settings.SLUICE_CONFIG} has queue: ${queue}. Name the queue of one with --queue, or add it to the target.`);
  const readSecret = createSecretReader(env, secrets.learn);
  for (const host of hosts) Object.values(host.secrets).forEach((reference) => readSecret(reference));
  const watch = toWatch(workspaces, queue);
  const place = await openPlace(runs);
  const workerId = randomUUID();
  const api = openExecutorApi({ url, token: await readToken(settings), workerId });
  const deps = {
    api,
    executor: connectHostExecutor(watch, readSecret, machine),
    grants: { signatures: openSignatures(openVerifier(join(settings.SLUICE_KEYS, PUBLIC_KEYS))), watch, now: () => new Date() },
    redactor: secrets,
    queue,
    place,
    log,
  };
  const presence = { place, version: await readVersion(), capabilities: { targets: hosts.map(({ name }) => name), lacks: [...(await findLacks(hosts, machine))] } };

  const atWork = new Set<Promise<void>>();
  let trouble: unknown;
  let pauseMs = FIRST_PAUSE_MS;
  let isReady = false;
  while (!stopping.aborted && trouble === undefined) {
    try {
      const call = await api.poll({ ...presence, hasRoom: atWork.size < MAX_CALLS, waitMs: isReady ? POLL_MS : 0 }, stopping);
      if (!isReady) onReady();
      isReady = true;
      pauseMs = FIRST_PAUSE_MS;
      if (call === null) continue;
      log.info({ call: call.id, kind: call.kind }, 'took a call');
      const work: Promise<void> = serveCall(deps, call)
        .catch((error: unknown) => void (trouble ??= error))
        .finally(() => atWork.delete(work));
      atWork.add(work);
    } catch (error) {
      if (stopping.aborted) break;
      if (error instanceof NotLetIn) throw error;
      log.warn({ because: error instanceof Error ? error.message : String(error) }, `the API at ${url} does not answer; asking again`);
      await wait(pauseMs, undefined, { signal: stopping }).catch(() => {});
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
  }
  // What is not done by then goes on by itself, and whoever comes next is asked what became of it.
  const ended = new AbortController();
  await Promise.race([Promise.all(atWork), wait(STOP_WITHIN_MS, undefined, { signal: ended.signal }).catch(() => {})]);
  ended.abort();
  if (trouble !== undefined) throw trouble;
}

const isOfQueue =
  (queue: string) =>
  (target: Target): target is Host =>
    target.kind === 'host' && target.queue === queue;

const toWatch = (workspaces: readonly Workspace[], queue: string): Watch => ({
  readWorkspace(workspaceId) {
    const workspace = workspaces.find(({ id }) => id === workspaceId);
    if (workspace === undefined) throw new Fault('targetMissing', `workspace ${workspaceId} is not in the sluice.yaml of the executor worker of ${queue}`);
    return workspace;
  },
});

/** The identity of the folder of runs: what began in it can be told from it alone. */
async function openPlace(runs: string): Promise<string> {
  await mkdir(runs, { recursive: true, mode: 0o700 });
  const file = join(runs, 'place');
  await writeFile(file, randomUUID(), { flag: 'wx' }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  return (await readFile(file, 'utf8')).trim();
}

async function readToken({ SLUICE_TOKEN: token, SLUICE_TOKEN_FILE: file }: ExecutorSettings): Promise<string> {
  if (token !== '') return token;
  if (file === '') throw new WrongSettings('There is no token. Set SLUICE_TOKEN_FILE to a file with one of the role executor, or SLUICE_TOKEN to the token itself.');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new WrongSettings(`${file}, which SLUICE_TOKEN_FILE names, cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  return text.trim();
}

async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  return version;
}
