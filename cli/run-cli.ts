import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { severities } from '../domain/severity.js';
import { KeysUnusable } from '../keys/key-files.js';
import { verifyAudit } from './audit-commands.js';
import { ApiRefusal, ApiUnreachable, createApiClient } from './client.js';
import { type Context, decideAtGate, followTail, listIncidents, showIncident, startDetection } from './commands.js';
import { listKeys, makeKeys, revokeKey, rotateKeys } from './keys-commands.js';
import { killSwitch } from './kill-switch-commands.js';
import { projectRoot } from './local/config.js';
import { toPlainText } from './render.js';
import { rollBackIncident } from './rollback-command.js';
import { Refused, type Surroundings, WrongUsage } from './surroundings.js';

interface GlobalOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

const DEFAULT_URL = 'http://127.0.0.1:7780';
const INTERRUPTED = 130;

/** Runs one command. Returns the exit code: 0 done, 1 refused or failed, 2 called wrongly. */
export async function runCli(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { complain, interrupted } = surroundings;
  try {
    await createProgram(surroundings).parseAsync([...words], { from: 'user' });
    return interrupted.aborted ? INTERRUPTED : 0;
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (interrupted.aborted) return INTERRUPTED;
    const isKnown = [WrongUsage, Refused, ApiRefusal, ApiUnreachable, KeysUnusable].some((kind) => error instanceof kind);
    if (!(error instanceof Error) || !isKnown) throw error;
    complain(toPlainText(error.message));
    return error instanceof WrongUsage ? 2 : 1;
  }
}

function createProgram(surroundings: Surroundings): Command {
  const program = new Command('sluice')
    .description('Incidents and their gates, from the terminal.')
    .option('--url <url>', `address of the API (SLUICE_URL, else that of npm start here, else ${DEFAULT_URL})`)
    .option('--token-file <path>', 'file with your token (else SLUICE_TOKEN, else admin-token in SLUICE_HOME)')
    .option('--json', 'print JSON')
    .exitOverride()
    .configureOutput({ writeOut: (text) => surroundings.print(text.trimEnd()), writeErr: (text) => surroundings.complain(text.trimEnd()) });
  const context = () => openContext(program.opts<GlobalOptions>(), surroundings);

  program
    .command('start')
    .description('start a detection and follow its job tail until it is closed')
    .addOption(new Option('--threshold <severity>', 'lowest severity that counts').choices(severities))
    .action(async (options: { threshold?: string }) => startDetection(await context(), options));
  program
    .command('incidents')
    .description('list incidents, newest first')
    .addOption(new Option('--state <state>', 'which ones').choices(['open', 'closed', 'all']).default('all'))
    .option('--limit <count>', 'how many at most', readCount, '50')
    .action(async (options: { state: string; limit: string }) => listIncidents(await context(), options));
  program
    .command('show <incidentId>')
    .description('show an incident, its plan and its gate')
    .action(async (incidentId: string) => showIncident(await context(), incidentId));
  program
    .command('tail <incidentId>')
    .description('follow the job tail until the incident is closed')
    .action(async (incidentId: string) => void (await followTail(await context(), incidentId)));
  for (const verdict of ['approve', 'reject'] as const) {
    const command = program
      .command(`${verdict} <incidentId>`)
      .description(`${verdict} what the incident's gate waits for`)
      .option('--reason <text>', 'why; kept in the record')
      .option('--yes', 'do not ask')
      .action(async (incidentId: string, options: { reason?: string; yes?: boolean; confirm?: string }) => decideAtGate(await context(), incidentId, verdict, options));
    if (verdict === 'approve') command.option('--confirm <text>', "the plan's title, which a plan of HIGH or CRITICAL risk needs");
  }
  program
    .command('rollback <incidentId>')
    .description('take back what was run: at its open gate, or after it was closed')
    .requiredOption('--reason <text>', 'why; kept in the record')
    .option('--yes', 'do not ask')
    .action(async (incidentId: string, options: { reason: string; yes?: boolean }) => rollBackIncident(await context(), incidentId, options));
  addSafetyCommands(program, surroundings, context);
  return program;
}

/** What keeps watch over everything else: the audit, the keys and the kill switch. */
function addSafetyCommands(program: Command, surroundings: Surroundings, context: () => Promise<Context>): void {
  const reason = ['--reason <text>', 'why; kept in the audit'] as const;
  program
    .command('audit')
    .description('the record of who did what')
    .command('verify')
    .description("hold the workspace's whole record against its signed checkpoints")
    .option('--checkpoints <file>', 'checkpoints.jsonl as the API exported it (audit/checkpoints.jsonl in SLUICE_HOME)')
    .option('--keys <file>', 'the public keys (keys/public-keys.json in SLUICE_HOME)')
    .action(async (options: { checkpoints?: string; keys?: string }) => verifyAudit(await context(), options));
  const keys = program.command('keys').description('the keys that decisions and checkpoints are signed with');
  keys
    .command('make <folder>')
    .description('make the folder and its first key, on this machine')
    .action(async (folder: string) => makeKeys(surroundings, folder));
  keys
    .command('list')
    .description('list them in the order they were made')
    .action(async () => listKeys(await context()));
  keys
    .command('rotate')
    .description('make a key that signs from now on; the ones before stay good')
    .option(...reason)
    .action(async (options: { reason?: string }) => rotateKeys(await context(), options));
  keys
    .command('revoke <keyId>')
    .description('trust nothing any more that this key signed')
    .option(...reason)
    .action(async (keyId: string, options: { reason?: string }) => revokeKey(await context(), keyId, options));
  program
    .command('kill-switch')
    .addArgument(new Argument('[state]', 'on or off; without it, how it is').choices(['on', 'off']))
    .description('stop Sluice from running anything, or let it again')
    .option(...reason)
    .option('--all', 'the switch of all workspaces, not only of yours')
    .action(async (state: string | undefined, options: { reason?: string; all?: boolean }) => killSwitch(await context(), state, options));
}

function readCount(text: string): string {
  if (/^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= 200) return text;
  throw new InvalidArgumentError('Give a number from 1 to 200.');
}

async function openContext({ url, tokenFile, json = false }: GlobalOptions, surroundings: Surroundings): Promise<Context> {
  const { env } = surroundings;
  const home = resolve(projectRoot, env['SLUICE_HOME'] || '.sluice');
  const address = url ?? env['SLUICE_URL'] ?? (await readText(join(home, 'api-address'))) ?? DEFAULT_URL;
  if (!URL.canParse(address) || !/^https?:/.test(address)) throw new WrongUsage(`${address} is not an address. Give one like ${DEFAULT_URL} with --url or SLUICE_URL.`);
  const token = tokenFile === undefined ? env['SLUICE_TOKEN'] : undefined;
  const path = tokenFile ?? join(home, 'admin-token');
  return { ...surroundings, json, home, client: createApiClient(address, token || (await readToken(path))) };
}

const readText = (path: string): Promise<string | undefined> => readFile(path, 'utf8').then((text) => text.trim(), () => undefined);

async function readToken(path: string): Promise<string> {
  const token = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Refused(`There is no token: ${path} cannot be read. Set SLUICE_TOKEN, give --token-file, or run \`npm start\` once, which makes one.`, { cause: error });
  });
  return token.trim();
}
