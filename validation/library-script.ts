import { assertNever } from '../domain/assert-never.js';
import { fillCommand, listPlaceholders, type RemediationScript } from '../domain/script-library.js';
import { validateCommand } from './command/validate-command.js';
import { validateKubectl } from './kubectl/validate-kubectl.js';
import type { Finding, ScriptValidation } from './script-validation.js';
import { readDataChange } from './sql/data-change.js';
import { validateScript } from './script/validate-script.js';
import { validateSql } from './sql/validate-sql.js';

export type LibraryScript = Pick<RemediationScript, 'type' | 'command' | 'parameters'> & Partial<Pick<RemediationScript, 'paths' | 'secrets'>>;

/** All that is wrong with a script for the library: with its command, and with what its parameters are said to be. */
export async function findWrongInScript(script: LibraryScript): Promise<readonly Finding[]> {
  const { type, command, paths = [], secrets = [] } = script;
  const isSandboxed = type === 'BASH' || type === 'PYTHON';
  if (!isSandboxed && paths.length + secrets.length > 0) {
    return [refuse('script.sandbox', `a script of type ${type} has no sandbox that would be given paths or secrets`, 'Leave paths and secrets out.')];
  }
  switch (type) {
    case 'SQL':
      return findWrongInSql(script);
    case 'KUBECTL':
      return findWrongInCommandLine(script, validateKubectl);
    case 'SHELL':
      return findWrongInCommandLine(script, validateCommand);
    case 'BASH':
      return validateScript('bash', command).findings;
    case 'PYTHON':
      return validateScript('python', command).findings;
    default:
      return assertNever(type);
  }
}

const refuse = (rule: string, reason: string, remedy: string): Finding => ({ rule, position: 0, reason, remedy });

async function findWrongInSql({ command, parameters }: LibraryScript): Promise<readonly Finding[]> {
  const validation = await validateSql(command);
  if (validation.result === 'denied') return validation.findings;
  if (validation.reach === 'session') {
    // What `$1` and `$2` are is fixed by the rules for session control.
    if (parameters.join() === 'pid,backendStart') return [];
    return [refuse('sql.parameters', '$1 must be the pid and $2 the backend_start of the session.', 'Send ["pid", "backendStart"] as parameters.')];
  }
  const used = (await readDataChange(command)).parameters;
  const isOnceEach = used.length === parameters.length && parameters.every((_, index) => used.includes(index + 1));
  if (isOnceEach) return [];
  const uses = used.map((number) => `$${number}`).join(', ') || 'none';
  return [refuse('sql.parameters', `${parameters.length} parameters are named, and the command uses ${uses}.`, 'Use each of $1…$n once, and name what it stands for.')];
}

function findWrongInCommandLine({ command, parameters }: LibraryScript, validate: (text: string) => ScriptValidation): readonly Finding[] {
  const placeholders = new Set(listPlaceholders(command));
  if (parameters.toSorted().join() !== [...placeholders].toSorted().join()) {
    const used = [...placeholders].map((name) => `{${name}}`).join(', ') || 'none';
    return [refuse('script.parameters', `${parameters.length} parameters are named, and the command uses ${used}.`, 'Name each placeholder of the command once, and no other.')];
  }
  const samples = Object.fromEntries([...placeholders].map((name) => [name, toSample(name)]));
  return validate(fillCommand(command, samples)).findings.map((finding) => ({ ...finding, position: toPlaceInCommand(command, finding.position) }));
}

const numbers: readonly string[] = ['pid', 'revision', 'replicas'];
const toSample = (name: string): string => (numbers.includes(name) ? '1' : 'x');

/** Where in the command that character stands which is at `position` once its placeholders are filled. */
function toPlaceInCommand(command: string, position: number): number {
  let added = 0;
  let from = 0;
  for (const name of listPlaceholders(command)) {
    const written = `{${name}}`;
    const start = command.indexOf(written, from);
    if (position + added <= start) break;
    if (position + added <= start + toSample(name).length) return start + 1;
    added += written.length - toSample(name).length;
    from = start + written.length;
  }
  return position === 0 ? 0 : position + added;
}
