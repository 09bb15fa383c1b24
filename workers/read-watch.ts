import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isSafeToFetch } from '../contracts/oidc-yaml.js';
import { WrongSettings } from '../contracts/settings.js';
import { readSluiceYaml } from '../contracts/sluice-yaml.js';
import type { ReadSecret } from '../activities/adapters/target-connections.js';
import { toSigningKey } from '../activities/adapters/webhook-notifier.js';
import { explainShort, MIN_SECRET_LENGTH } from '../domain/redaction.js';
import type { Channel, SecretReference, Target, Workspace } from '../domain/watch.js';

/** The workspaces of a sluice.yaml; for an empty path one that watches nothing. Throws with a remedy for a file that is missing or wrong. */
export function readWatch(path: string): readonly Workspace[] {
  if (path === '') return readSluiceYaml('version: 1\nworkspaces: { default: { targets: {} } }');
  return readSluiceYaml(readText(path, 'SLUICE_CONFIG names it; correct the path or create the file'), path);
}

/** Looks secrets up where sluice.yaml says they are, and has them learned. Messages name the place, never the secret. */
export function createSecretReader(env: Readonly<Record<string, string | undefined>>, learn: (name: string, text: string) => void): ReadSecret {
  const read = (reference: SecretReference): string => {
    if ('file' in reference) return readText(reference.file, 'sluice.yaml names it').trim();
    const value = env[reference.env];
    if (value === undefined || value === '') throw new WrongSettings(`Variable ${reference.env} is not set, and sluice.yaml names it.`);
    return value;
  };
  return (reference, is) => {
    const text = read(reference);
    // Where a file is may be told.
    if (is === 'place' || isPath.test(text) && existsSync(text)) return text;
    const name = 'file' in reference ? basename(reference.file) : reference.env;
    if (text.trim().length < MIN_SECRET_LENGTH) throw new WrongSettings(explainShort(name));
    learn(name, text);
    return text;
  };
}

const isPath = /^[./~]/;

/** Looks every secret up once, so that a worker that could not measure does not start; names all that are missing in one error. */
export function checkSecrets(workspaces: readonly Workspace[], readSecret: ReadSecret): void {
  const checks = workspaces.flatMap(({ targets, channels }) => [
    ...targets.flatMap(toReferences).map((reference) => () => void readSecret(...reference)),
    ...channels.map((channel) => () => checkChannel(channel, readSecret)),
  ]);
  const missing = checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
  if (missing.length > 0) throw new WrongSettings([...new Set(missing)].join('\n'));
}

/** The kubeconfigs that cannot be read, and why; a worker may start without one, since it may be put there later. */
export function findUnreadable(workspaces: readonly Workspace[], readSecret: ReadSecret): readonly { readonly workspace: string; readonly target: string; readonly because: string }[] {
  return workspaces.flatMap(({ id, targets }) =>
    targets.flatMap((target) => {
      if (target.kind !== 'kubernetes') return [];
      try {
        accessSync(typeof target.kubeconfig === 'string' ? target.kubeconfig : readSecret(target.kubeconfig, 'place'), constants.R_OK);
        return [];
      } catch (error) {
        return [{ workspace: id, target: target.name, because: error instanceof Error ? error.message : String(error) }];
      }
    }),
  );
}

function toReferences(target: Target): readonly Parameters<ReadSecret>[] {
  switch (target.kind) {
    case 'postgres':
      return [[target.connection]];
    case 'http':
      return typeof target.url === 'string' ? [] : [[target.url]];
    case 'config-file':
      return typeof target.path === 'string' ? [] : [[target.path, 'place']];
    case 'kubernetes':
      return typeof target.kubeconfig === 'string' ? [] : [[target.kubeconfig, 'place']];
    // Where a queue is named, its executor worker has them.
    case 'host':
      return target.queue === null ? Object.values(target.secrets).map((reference) => [reference]) : [];
    case 'workspace':
      return [];
  }
}

function checkChannel(channel: Channel, readSecret: ReadSecret): void {
  if (channel.kind === 'slack') readSecret(channel.token);
  else {
    const isSafe = typeof channel.url === 'string' || isSafeToFetch(readSecret(channel.url));
    if (!isSafe) throw new WrongSettings(`The address of the channel ${channel.name}, which sluice.yaml names, must be an https address; http only for this machine itself.`);
    toSigningKey(readSecret(channel.secret));
  }
}

function readText(path: string, why: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new WrongSettings(`${path} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}). ${why}.`, { cause: error });
  }
}
