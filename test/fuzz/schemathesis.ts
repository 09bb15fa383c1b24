import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { reasonOf, Trouble } from '../../cli/local/trouble.js';

/** What is installed where there is none; another one of the same minor version or later will do. */
const VERSION = '4.32.5';
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance', 'response_schema_conformance'];
const REQUEST_TIMEOUT_S = 20;
/** An event stream is read no further than this. */
const MAX_STREAM_EVENTS = 2;

const runFile = promisify(execFile);

/** How schemathesis is called on this machine. */
export interface Program {
  readonly command: readonly [string, ...string[]];
  readonly version: string;
}

/** Finds schemathesis, or installs it below `folder`. */
export async function findSchemathesis(folder: string, say: (line: string) => void): Promise<Program> {
  const venv = join(folder, `schemathesis-${VERSION}`);
  const installed = join(venv, 'bin', 'schemathesis');
  for (const command of [['schemathesis'], ['python3', '-m', 'schemathesis.cli'], [installed]] as const) {
    const version = await versionOf(command);
    if (version !== undefined) return { command, version };
  }
  say(`Installing schemathesis ${VERSION} into ${venv}`);
  await rm(venv, { recursive: true, force: true });
  await mkdir(dirname(venv), { recursive: true });
  try {
    await runFile('python3', ['-m', 'venv', venv]);
    await runFile(join(venv, 'bin', 'python3'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]);
  } catch (error) {
    // What is half there would look like a broken one.
    await rm(venv, { recursive: true, force: true });
    throw new Trouble(`schemathesis ${VERSION} could not be installed: ${reasonOf(error)}`, 'install Python 3.10 or later with venv and pip (Debian: python3-venv), give pip an index that it reaches, or put schemathesis on the PATH; then try again', { cause: error });
  }
  return { command: [installed], version: VERSION };
}

/** Undefined where it is missing, broken or too old. */
async function versionOf([file, ...args]: readonly [string, ...string[]]): Promise<string | undefined> {
  const answer = await runFile(file, [...args, '--version']).catch(() => undefined);
  const [, version = '', minor] = /\b(4\.(\d+)\.\d+)/.exec(answer?.stdout ?? '') ?? [];
  return Number(minor) >= Number(VERSION.split('.')[1]) ? version : undefined;
}

/** What to send: how many requests of which kind, to where, as whom. */
export interface Order {
  readonly url: string;
  /** null: with no token. */
  readonly token: string | null;
  /** `coverage`: each boundary that the document names, as many as there are. `fuzzing`: so many at random for each operation. */
  readonly phase: { readonly kind: 'coverage' } | { readonly kind: 'fuzzing'; readonly perOperation: number };
  readonly seed: number;
  /** What parameters and members of bodies are taken from most of the time, by place and name, as `path.incidentId`: random ids find nothing. */
  readonly values: Readonly<Record<string, readonly (string | number)[]>>;
  readonly stopping: AbortSignal;
}

export interface Report {
  readonly cases: number;
  /** Valid requests that were answered with success, by operation. */
  readonly accepted: Readonly<Record<string, number>>;
  readonly failures: number;
  /** Each failure with its request as a curl command, without the token; empty where there is none. */
  readonly told: string;
}

/** Sends what is ordered and reports what was answered otherwise than the document promises. */
export async function runSchemathesis({ command: [file, ...args] }: Program, order: Order): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-fuzz-'));
  try {
    // A file, because every user of the machine may read a command line.
    await writeFile(join(folder, 'schemathesis.toml'), toConfig(order), { mode: 0o600 });
    const reportPath = join(folder, 'report.json');
    const phase = order.phase.kind === 'coverage' ? [] : ['--max-examples', `${order.phase.perOperation}`];
    const options = ['--phases', order.phase.kind, ...phase, '--seed', `${order.seed}`, '--checks', CHECKS.join(), '--continue-on-failure', '--no-color'];
    const child = spawn(file, [...args, '--config-file', 'schemathesis.toml', 'run', `${order.url}/openapi.json`, ...options, '--report-json-path', reportPath], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: order.stopping,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    const report = await readFile(reportPath, 'utf8').then(toReport, () => undefined);
    if (report === undefined) throw new Error(`schemathesis made no report:\n${output}`);
    return report.failures === 0 ? { ...report, told: '' } : { ...report, told: toTold(output) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** JSON's texts and lists are TOML's, too. */
function toConfig({ token, values }: Order): string {
  const entries = Object.entries(values);
  return [
    `max-stream-events = ${MAX_STREAM_EVENTS}`,
    `request-timeout = ${REQUEST_TIMEOUT_S}`,
    'warnings = false',
    ...(token === null ? [] : ['[headers]', `Authorization = "Bearer ${token}"`]),
    '[generation]',
    'database = "none"',
    '[dictionaries]',
    ...entries.map(([place, some]) => `${toName(place)} = { values = ${JSON.stringify(some)} }`),
    '[parameters]',
    ...entries.map(([place]) => `"${place}" = { dictionary = "${toName(place)}", probability = 0.8 }`),
    '',
  ].join('\n');
}

const toName = (place: string): string => place.replaceAll(/\W/g, '-');

function toReport(text: string): Omit<Report, 'told'> {
  const { test_cases: cases, errors, valid_rates: rates, stop_reason: stopped } = JSON.parse(text) as {
    readonly test_cases: { readonly generated: number; readonly unique_failures: number };
    readonly errors: readonly { readonly count: number }[];
    readonly valid_rates: Readonly<Record<string, Readonly<Record<string, { readonly accepted: number }>>>>;
    readonly stop_reason: string;
  };
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  return {
    cases: cases.generated,
    accepted: Object.fromEntries(Object.entries(rates).map(([operation, phases]) => [operation, sum(Object.values(phases).map(({ accepted }) => accepted))])),
    // What it could not make a request for, or got no answer to, is not well either.
    failures: cases.unique_failures + sum(errors.map(({ count }) => count)) + (stopped === 'completed' ? 0 : 1),
  };
}

/** Of what schemathesis prints, what went wrong; all of it where that is not found. */
function toTold(output: string): string {
  const sections = output.split(/^(?=={3,} [A-Z ]+ ={3,}$)/m).filter((section) => /^=+ (FAILURES|ERRORS) /.test(section));
  return (sections.length > 0 ? sections.join('') : output).trim();
}
