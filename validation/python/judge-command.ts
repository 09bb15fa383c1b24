import { many, one, type PythonNode, word } from './python-tree.js';
import type { Remarks } from './remarks.js';
import { ANY, argument, NAME, type Value } from './value.js';
import type { Values } from './values.js';

/** A command that the text runs, as bash would be told to run it. */
export interface Command {
  readonly text: string;
  readonly node: PythonNode;
}

const PLAIN = ['args', 'check', 'text', 'capture_output', 'stdout', 'stderr', 'timeout', 'encoding', 'errors', 'universal_newlines', 'bufsize', 'close_fds', 'cwd', 'env', 'shell', 'stdin'];
const MAX_COMMANDS = 32;
const isPlainSetting = (name: string): boolean => /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLUMNS|NO_COLOR|KUBECONFIG|PGHOST|PGPORT|PGDATABASE|PGUSER|PGCONNECT_TIMEOUT)$/.test(name);

/** Judges how a program is started, and answers with the commands that are left to judge. */
export function judgeCommand(call: PythonNode, how: 'words' | 'shell', values: Values, remarks: Remarks): readonly Command[] {
  const shell = how === 'words' ? many(call, 'keywords').find((keyword) => word(keyword, 'arg') === 'shell') : undefined;
  const isShell = how === 'shell' || (shell !== undefined && one(shell, 'value')?.fields['value'] !== false);
  judgeSurroundings(call, values, remarks);
  const given = argument(call, 0, how === 'words' ? 'args' : 'command') ?? argument(call, 0, 'cmd');
  const commands = values.of(given).flatMap((value) => (isShell ? toShell(value, call, remarks) : toWords(value, call, remarks)));
  const folder = many(call, 'keywords').find((keyword) => word(keyword, 'arg') === 'cwd');
  return folder === undefined ? commands : values.of(one(folder, 'value')).flatMap((place) => commands.map(({ text, node }) => ({ text: `cd ${quote(place, 0)} && ${text}`, node })));
}

function toShell(value: Value, node: PythonNode, remarks: Remarks): readonly Command[] {
  if (value.kind !== 'text' || value.text.includes(ANY) || value.text.includes(NAME)) {
    remarks.never('shell', node, 'it gives a shell a text that is put together from parts', 'Give subprocess.run a list of words, without shell=True.');
    return [];
  }
  remarks.plus('shell', node, 'it starts a shell to read a command', 'Give subprocess.run a list of words, without shell=True.');
  return [{ text: value.text, node }];
}

function toWords(value: Value, node: PythonNode, remarks: Remarks): readonly Command[] {
  const entries = value.kind === 'list' ? value.entries : value.kind === 'text' ? [[value]] : undefined;
  const commands = entries?.reduce<readonly (readonly Value[])[]>((before, options) => (before.length * options.length > MAX_COMMANDS ? [] : before.flatMap((words) => options.map((option) => [...words, option]))), [[]]);
  if (commands === undefined || commands.length === 0 || commands.some((words) => isUnknown(words[0]))) {
    remarks.plus('unknownCommand', node, 'which program it runs cannot be followed', 'Give subprocess.run a list of constant words, at least for the program.');
    return [];
  }
  return commands.map((words) => ({ text: words.map(quote).join(' '), node }));
}

const isUnknown = (value: Value | undefined): boolean => value?.kind !== 'text' || value.text.includes(ANY) || value.text.includes(NAME);

/** For bash, what is not known is a variable that nothing sets. The first word is quoted, so that it is none of the shell's own. */
function quote(value: Value, place: number): string {
  if (value.kind === 'number') return `'${value.number}'`;
  if (value.kind !== 'text') return '"$UNKNOWN"';
  if (place > 0 && /^[\w./:=@%+,-]+$/.test(value.text)) return value.text;
  const parts = value.text.split(new RegExp(`[${ANY}${NAME}]+`)).map((part) => (part === '' ? '' : `'${part.replaceAll("'", "'\\''")}'`));
  return parts.join('"$UNKNOWN"') || "''";
}

function judgeSurroundings(call: PythonNode, values: Values, remarks: Remarks): void {
  for (const keyword of many(call, 'keywords')) {
    const name = word(keyword, 'arg');
    const value = one(keyword, 'value');
    if (value === undefined) continue;
    if (name === 'executable' || name === 'preexec_fn') {
      remarks.never('otherProgram', keyword, `with ${name} it runs something else than its words say`, `Leave ${name} out.`);
    } else if (name === 'env') {
      judgeSettings(value, values, remarks);
    } else if (name === undefined || !PLAIN.includes(name)) {
      remarks.plus('processOption', keyword, `what ${name ?? 'further arguments'} does to the program cannot be inspected`, 'Start the program with its words, and with nothing else.');
    } else if (name === 'stdin' && !values.of(value).every((one) => one.kind === 'member' && one.name === 'DEVNULL')) {
      remarks.plus('processInput', keyword, 'what the program is given to read cannot be inspected', 'Use stdin=subprocess.DEVNULL.');
    }
  }
}

function judgeSettings(value: PythonNode, values: Values, remarks: Remarks): void {
  const names = values.of(value).flatMap((settings) => (settings.kind === 'dict' ? settings.entries.flatMap(([key]) => key) : [settings]));
  for (const name of names) {
    if (name.kind === 'text' && isPlainSetting(name.text)) continue;
    if (name.kind === 'text' && /^(?:LD_|PYTHON|BASH_|PERL|RUBY|NODE_|GIT_|PATH$|ENV$|IFS$|SHELL)/.test(name.text)) {
      remarks.never('environment', value, `${name.text} makes the program run other code`, 'Leave it out.');
    } else {
      remarks.plus('environment', value, 'what it sets in the environment of the program cannot be inspected', 'Leave env out, or set constant names such as LANG.');
    }
  }
}
