import { readFile } from 'node:fs/promises';
import { parse, stringify, YAMLParseError } from 'yaml';
import { Policy, type PolicyDryRun, type PolicyVersion, type PolicyVersions } from '../contracts/http-policy.js';
import { readDurationMs, writeDurationMs } from '../domain/duration.js';
import type { Context } from './commands.js';
import { toPlainText } from './render.js';
import { Refused, WrongUsage } from './surroundings.js';

/** Prints the policy as a file that `sluice policy set` takes. */
export async function showPolicy({ client, json, print }: Context): Promise<void> {
  const now = await client.get<PolicyVersion>('/api/policy');
  print(json ? JSON.stringify(now) : toPlainText(`# ${describe(now)}\n${stringify({ version: now.version, ...toWritten(now.policy) }, { lineWidth: 0 }).trimEnd()}`));
}

export async function listPolicyVersions({ client, json, print }: Context): Promise<void> {
  const page = await client.get<PolicyVersions>('/api/policy/versions');
  print(json ? JSON.stringify(page) : toPlainText(page.versions.map(describe).join('\n')));
}

/** Says what open gates would do under the policy of a file; unless it is a dry run, puts it in place. */
export async function setPolicy(context: Context, file: string, { reason, dryRun = false, yes = false }: { readonly reason?: string; readonly dryRun?: boolean; readonly yes?: boolean }): Promise<void> {
  const { client, json, print, complain, isTerminal, ask } = context;
  if (!dryRun && reason === undefined) throw new WrongUsage('Say why with --reason; it is kept in the audit. To see only what it would do, say --dry-run.');
  const { version, policy } = await readPolicyFile(file);
  const foreseen = await client.post<PolicyDryRun>('/api/policy/dry-run', { policy });
  if (dryRun) return print(json ? JSON.stringify(foreseen) : toPlainText(renderDryRun(foreseen)));
  complain(toPlainText(renderDryRun(foreseen)));
  if (!yes && !isTerminal) throw new WrongUsage('Nobody can be asked here. Look at it with --dry-run, then say --yes.');
  if (!yes && (await ask('Type yes to put it in place: ')).trim() !== 'yes') throw new Refused('Not changed.');
  const changed = await client.put<PolicyVersion>('/api/policy', { policy, version, reason });
  print(json ? JSON.stringify(changed) : toPlainText(describe(changed)));
}

const describe = ({ version, changedBy, reason, changedAt }: PolicyVersion): string => `version ${version}, by ${changedBy} at ${changedAt}: "${reason}"`;

function renderDryRun({ gates, leftOut }: PolicyDryRun): string {
  if (gates.length === 0) return 'No execution gate is open.';
  const shown = gates.map(({ incidentId, title, risk, approvals, now, would, changes }) =>
    [`${incidentId}  ${title} (risk ${risk}, ${approvals} approved)`, `  now:   ${now.says}`, changes ? `  would: ${would.says}` : '  would: the same'].join('\n'),
  );
  return [...shown, ...(leftOut === 0 ? [] : [`${leftOut} more are open that were not looked at.`])].join('\n');
}

/** Durations as people write them: `gateWait: 24h` for `gateWaitMs`. */
const toWritten = (policy: object): object =>
  Object.fromEntries(Object.entries(policy).map(([name, value]) => (name.endsWith('Ms') && typeof value === 'number' ? [name.slice(0, -2), writeDurationMs(value)] : [name, value])));

/** The policy in a file, with the version that it was made from: what somebody else changed since is not overwritten. */
async function readPolicyFile(file: string): Promise<{ readonly version: number; readonly policy: object }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Refused(`${file} cannot be read. Make it with \`sluice policy show > ${file}\`.`, { cause: error });
  });
  const written = readYaml(text, file);
  if (typeof written !== 'object' || written === null || Array.isArray(written)) throw new Refused(`${file} holds no policy. Make it with \`sluice policy show > ${file}\`.`);
  const { version, ...rest }: { readonly version?: unknown } = written;
  if (typeof version !== 'number') throw new Refused(`${file} does not say of which \`version\` it is a change. Make it anew with \`sluice policy show > ${file}\`, and change that one.`);
  const mistakes = findMistakes(rest);
  if (mistakes.length > 0) throw new Refused(`${file} is wrong:\n  ${mistakes.join('\n  ')}`);
  const policy = Object.fromEntries(Object.entries(rest).map(([name, value]) => (isDuration(name) ? [`${name}Ms`, readDurationMs(String(value))] : [name, value])));
  return { version, policy };
}

const isDuration = (name: string): boolean => Object.hasOwn(Policy.properties, `${name}Ms`);

/** What is wrong with the names in a file and with its durations; the rest is for the API to say. */
function findMistakes(written: Readonly<Record<string, unknown>>): readonly string[] {
  const names = Object.keys(Policy.properties).map((name) => name.replace(/Ms$/, ''));
  return [
    ...Object.keys(written).flatMap((name) => (names.includes(name) ? [] : [`${name} is unknown here`])),
    ...names.flatMap((name) => (Object.hasOwn(written, name) ? [] : [`${name} is missing`])),
    ...Object.entries(written).flatMap(([name, value]) =>
      isDuration(name) && readDurationMs(String(value)) === undefined ? [`${name} must be a duration like 500ms, 20s, 5m, 24h or 30d, not ${JSON.stringify(value)}`] : [],
    ),
  ];
}

function readYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new Refused(`${file} is no YAML: ${error.message.split('\n')[0] ?? ''}`, { cause: error });
  }
}
