import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { readOidcYaml } from '../contracts/oidc-yaml.js';
import { readSettings, type Settings, WrongSettings } from '../contracts/settings.js';
import { openDatabase, openRequestDatabase } from '../db/database.js';
import { openTailListener } from '../db/tail-listener.js';
import { KeysUnusable } from '../keys/key-files.js';
import { openKeyring } from '../keys/keyring.js';
import { buildApp } from './app.js';
import { openCheckpoints } from './checkpoints.js';
import { startPolicyApprovals } from './policy-approvals.js';
import { createOidc, type FindOidcActor } from './oidc.js';
import { openInspector } from '../inspection/inspector.js';

// Slack's have 32 characters; an empty one would let anybody sign.
const MIN_SLACK_SECRET = 16;
const webFolder = fileURLToPath(new URL('../web/dist', import.meta.url));

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const oidc = readOidc(settings);
  const keyring = openKeyring(settings.SLUICE_KEYS);
  // To find out now whether it can.
  await keyring.sign('checkpoint', {});
  const database = openDatabase(settings.DATABASE_URL);
  const requests = openRequestDatabase(settings.DATABASE_URL);
  const checkpoints = openCheckpoints({ db: database.db, keyring, folder: settings.SLUICE_AUDIT_FOLDER });
  const listener = openTailListener(settings.DATABASE_URL);
  const inspector = openInspector();
  const app = await buildApp({
    db: database.db,
    requests,
    listener,
    keyring,
    checkpoints,
    inspector,
    bodyLimitBytes: settings.SLUICE_BODY_LIMIT_BYTES,
    temporalUi: readTemporalUi(settings),
    oidc,
    slackSigningSecret: readSlackSecret(settings),
    publicUrl: settings.SLUICE_PUBLIC_URL,
    webFolder,
    logger: { level: settings.SLUICE_LOG_LEVEL, redact: ['req.headers.authorization'] },
  });

  const stopCheckpoints = checkpoints.start(app.log);
  const stopPolicyApprovals = startPolicyApprovals(database.db, keyring, inspector, app.log);

  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    await app.close();
    await listener.close();
    await stopPolicyApprovals();
    await inspector.close();
    await stopCheckpoints();
    await requests.close();
    await database.close();
    // A channel that somebody listens to keeps the process.
    if (process.connected) process.disconnect();
  };
  const stopNow = () => void stop().catch(fail);
  process.once('SIGTERM', stopNow).once('SIGINT', stopNow);
  // A parent that is gone cannot stop us any more.
  process.once('disconnect', stopNow);

  await app.listen({ host: settings.SLUICE_API_HOST, port: settings.SLUICE_API_PORT });
  process.send?.({ kind: 'ready' });
}

function readOidc({ SLUICE_OIDC: path }: Settings): FindOidcActor | undefined {
  if (path === '') return undefined;
  return createOidc(readOidcYaml(readNamedFile('SLUICE_OIDC', path), path));
}

function readTemporalUi({ SLUICE_TEMPORAL_UI_URL: url }: Settings) {
  return url === '' ? null : { url, namespace: loadClientConnectConfig().namespace ?? 'default' };
}

function readSlackSecret({ SLUICE_SLACK_SIGNING_SECRET_FILE: path }: Settings): string | undefined {
  if (path === '') return undefined;
  const secret = readNamedFile('SLUICE_SLACK_SIGNING_SECRET_FILE', path).trim();
  if (secret.length < MIN_SLACK_SECRET) throw new WrongSettings(`${path} holds no signing secret. Copy it from the Slack app's page, under Basic Information.`);
  return secret;
}

function readNamedFile(setting: keyof Settings, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new WrongSettings(`${setting} names ${path}, which cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Known troubles are told in a sentence; anything else keeps its stack. */
function fail(error: unknown): void {
  process.stderr.write(`${error instanceof WrongSettings || error instanceof KeysUnusable ? error.message : (remedyOf(error) ?? inspect(error))}
`);
  process.exit(1);
}

function remedyOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'The port of the API is taken. Stop what listens there, or set SLUICE_API_PORT to another.';
  if (code === 'EACCES') return 'The port of the API needs rights that you do not have. Set SLUICE_API_PORT to one above 1023.';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'This machine does not have the address in SLUICE_API_HOST. Set it to one that it has.';
  return undefined;
}

await main().catch(fail);
