import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { peopleRoles, roles } from '../domain/actor.js';
import { severities } from '../domain/severity.js';
import { KeysUnusable } from '../keys/key-files.js';
import { verifyAudit } from './audit-commands.js';
import { ApiRefusal, ApiUnreachable, createApiClient } from './client.js';
import { listExecutors } from './executors-command.js';
import { cancelIncident, type Context, decideAtGate, followTail, listIncidents, showIncident, startDetection } from './commands.js';
import { listKeys, makeKeys, revokeKey, rotateKeys } from './keys-commands.js';
import { killSwitch } from './kill-switch-commands.js';
import { projectRoot } from './local/config.js';
import { listPeople, removePerson, setPerson } from './people-commands.js';
import { listPolicyVersions, setPolicy, showPolicy } from './policy-commands.js';
import { toPlainText } from './render.js';
import { showReport } from './report-command.js';
import { rollBackIncident } from './rollback-command.js';
import { Refused, type Surroundings, WrongUsage } from './surroundings.js';
import { listTokens, makeToken, revokeToken, type Wanted as WantedToken } from './tokens-commands.js';
import { textTypes } from '../validation/text-types.js';
import type { Wanted } from './validate-command.js';

interface GlobalOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly workspace?: string;
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
    .option('--workspace <id>', 'which workspace, where your token is good in several')
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
    .command('report')
    .description('how Sluice did: what recovered by itself, what was proposed, and what would have run')
    .option('--since <when>', 'how long back, such as 24h or 30d, or a moment (RFC 3339)', '7d')
    .option('--until <moment>', 'up to another moment than now (RFC 3339)')
    .action(async (options: { since: string; until?: string }) => showReport(await context(), options));
  program
    .command('show <incidentId>')
    .description('show an incident, its plan and its gate')
    .action(async (incidentId: string) => showIncident(await context(), incidentId));
  program
    .command('tail <incidentId>')
    .description('follow the job tail until the incident is closed')
    .action(async (incidentId: string) => void (await followTail(await context(), incidentId)));
  for (const [name, verdict, what] of [
    ['approve', 'approve', "approve what the incident's gate waits for"],
    ['reject', 'reject', "reject what the incident's gate waits for"],
    ['review', 'review', 'say, as a supervisor, that a plan of low confidence was looked at, so that it can be approved'],
    ['request-changes', 'requestChanges', 'have it measured and proposed again'],
    ['break-glass', 'breakGlass', 'let the plan run alone, as a supervisor; everyone is told, and somebody else looks at it afterwards'],
  ] as const) {
    const command = program
      .command(`${name} <incidentId>`)
      .description(what)
      .option('--reason <text>', 'why; kept in the record')
      .option('--yes', 'do not ask')
      .action(async (incidentId: string, options: { reason?: string; yes?: boolean; confirm?: string; digest?: string }) => decideAtGate(await context(), incidentId, verdict, options));
    if (verdict === 'approve' || verdict === 'breakGlass') command.option('--digest <digest>', 'only if the gate is for the plan with this digest, or one that begins so').option('--confirm <text>', "the plan's title, which a plan of HIGH or CRITICAL risk needs");
  }
  program
    .command('cancel <incidentId>')
    .description('end an incident; where something may have changed, a person is asked first')
    .requiredOption('--reason <text>', 'why; kept in the record')
    .action(async (incidentId: string, options: { reason: string }) => cancelIncident(await context(), incidentId, options));
  program
    .command('rollback <incidentId>')
    .description('take back what was run: at its open gate, or after it was closed')
    .requiredOption('--reason <text>', 'why; kept in the record')
    .option('--yes', 'do not ask')
    .action(async (incidentId: string, options: { reason: string; yes?: boolean }) => rollBackIncident(await context(), incidentId, options));
  addValidateCommand(program, surroundings);
  addExecutorCommands(program, surroundings, context);
  addSafetyCommands(program, surroundings, context);
  addPeopleCommands(program, context);
  addPolicyCommands(program, context);
  return program;
}

function addValidateCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('validate [files...]')
    .description('judge scripts by what their languages say that they do, here and without a server; - is standard input')
    .addOption(new Option('--type <type>', 'what they are, where their names do not say it').choices(textTypes))
    .option('--jsonl <file>', 'JSON Lines of {id, type, text}; prints {id, result, findings} for each')
    .action(async (files: string[], options: Wanted) => {
      // The parsers take a moment to load.
      const { validateFiles } = await import('./validate-command.js');
      await validateFiles(surroundings, files, { ...options, json: program.opts<GlobalOptions>().json === true });
    });
}

/** What acts on hosts, near them. */
function addExecutorCommands(program: Command, surroundings: Surroundings, context: () => Promise<Context>): void {
  program
    .command('worker')
    .description('act on the hosts whose queue this is, from a machine near them; runs until it is stopped')
    .requiredOption('--queue <name>', 'as sluice.yaml names it; the token (SLUICE_TOKEN_FILE) must be for it')
    .action(async ({ queue }: { queue: string }) => {
      // Few who use the command line are workers.
      const { runWorker } = await import('./worker-command.js');
      await runWorker(surroundings, queue);
    });
  program
    .command('executors')
    .description('list the executor workers of the last day, and whether they are there')
    .action(async () => listExecutors(await context()));
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

/** Who may decide what. */
function addPolicyCommands(program: Command, context: () => Promise<Context>): void {
  const policy = program.command('policy').description('who may decide what, when, and what happens when nobody does');
  policy
    .command('show')
    .description('print it as a file that can be edited')
    .action(async () => showPolicy(await context()));
  policy
    .command('versions')
    .description('list who changed it, newest first')
    .action(async () => listPolicyVersions(await context()));
  policy
    .command('set <file>')
    .description('say what open gates would do under it, and put it in place')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--dry-run', 'only say what would be')
    .option('--yes', 'do not ask')
    .action(async (file: string, options: { reason?: string; dryRun?: boolean; yes?: boolean }) => setPolicy(await context(), file, options));
}

/** Who may come in, and as what. */
function addPeopleCommands(program: Command, context: () => Promise<Context>): void {
  const tokens = program.command('tokens').description('the tokens that people and agents of the workspace come in with');
  tokens
    .command('list')
    .description('list them, newest first')
    .action(async () => listTokens(await context()));
  tokens
    .command('make')
    .description('make one; it is shown only once')
    .requiredOption('--person <name>', 'whose it is, as gates and the audit name them')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).makeOptionMandatory())
    .requiredOption('--name <text>', 'what it is for')
    .requiredOption('--for <duration>', 'how long it lasts, such as 90d; at most 366d')
    .option('--out <file>', 'write it to this new file, for you alone to read, in place of printing it')
    .action(async (options: WantedToken) => makeToken(await context(), options));
  tokens
    .command('revoke <tokenId>')
    .description('let nobody in with it any more')
    .action(async (tokenId: string) => revokeToken(await context(), tokenId));
  const people = program.command('people').description('who may decide in chat');
  people
    .command('list')
    .description('list them by name')
    .action(async () => listPeople(await context()));
  people
    .command('set <person>')
    .description('say who a Slack user is, and what they may decide')
    .addOption(new Option('--role <role>', 'what they may do').choices([...peopleRoles]).makeOptionMandatory())
    .requiredOption('--slack-user <id>', 'team and user of Slack, as T0123/U0456')
    .action(async (person: string, options: { role: string; slackUser: string }) => setPerson(await context(), person, options));
  people
    .command('remove <person>')
    .description('let somebody decide in chat no more')
    .action(async (person: string) => removePerson(await context(), person));
}

function readCount(text: string): string {
  if (/^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= 200) return text;
  throw new InvalidArgumentError('Give a number from 1 to 200.');
}

async function openContext({ url, tokenFile, workspace, json = false }: GlobalOptions, surroundings: Surroundings): Promise<Context> {
  const { env } = surroundings;
  const home = resolve(projectRoot, env['SLUICE_HOME'] || '.sluice');
  const address = url ?? env['SLUICE_URL'] ?? (await readText(join(home, 'api-address'))) ?? DEFAULT_URL;
  if (!URL.canParse(address) || !/^https?:/.test(address)) throw new WrongUsage(`${address} is not an address. Give one like ${DEFAULT_URL} with --url or SLUICE_URL.`);
  const token = tokenFile === undefined ? env['SLUICE_TOKEN'] : undefined;
  const path = tokenFile ?? join(home, 'admin-token');
  return { ...surroundings, json, home, client: createApiClient(address, token || (await readToken(path)), workspace) };
}

const readText = (path: string): Promise<string | undefined> => readFile(path, 'utf8').then((text) => text.trim(), () => undefined);

async function readToken(path: string): Promise<string> {
  const token = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Refused(`There is no token: ${path} cannot be read. Set SLUICE_TOKEN, give --token-file, or run \`npm start\` once, which makes one.`, { cause: error });
  });
  return token.trim();
}
