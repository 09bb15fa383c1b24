import { assignmentTrouble } from './assignments.js';
import { deny, plus, type Objection } from './notes.js';
import { judgePath, resolve } from './paths.js';
import type { Call } from './program-rule.js';
import { fork, foldersOf, setVariable, type Scope } from './scope.js';
import { judgeValue } from './values.js';
import { ARRIVED, FOLDER, merge, oneOf, STOPS, unset } from './variables.js';
import { CRAFTED, isKnown, OUTSIDE, shown, type Word } from './words.js';

/** A builtin as it is called: what it is given, and where. */
export interface BuiltinCall extends Call {
  readonly words: readonly Word[];
  /** Names that assignments among its words have set. */
  readonly declared: readonly string[];
  readonly scope: Scope;
  readonly runHere: (words: readonly Word[]) => void;
  readonly runTextHere: (text: string, position: number, scope: Scope) => void;
}

const plainName = /^[A-Za-z_]\w*$/;
const signals = /^(SIG)?(EXIT|ERR|INT|TERM|HUP|QUIT|PIPE|USR1|USR2|0|1|2|3|13|15)$/;
const never = (rule: string, reason: string, remedy: string) => (call: BuiltinCall) => call.object(call.position, deny(rule, reason, remedy));
const harmless = (): void => undefined;
const objectTo = (call: BuiltinCall, word: Word | undefined, objection: Objection): void => call.object(word?.position ?? call.position, objection);

/** Options of a builtin, all of them flags; what follows is left. */
function flags(call: BuiltinCall, allowed: string, valued = ''): readonly Word[] {
  for (let index = 0; index < call.words.length; index += 1) {
    const word = call.words[index];
    if (word === undefined || !/^[-+]./.test(word.text)) return call.words.slice(index);
    if (word.text === '--') return call.words.slice(index + 1);
    for (let at = 1; at < word.text.length; at += 1) {
      const letter = word.text[at] ?? '';
      if (valued.includes(letter)) {
        if (at === word.text.length - 1) index += 1;
        break;
      }
      if (!allowed.includes(letter)) objectTo(call, word, deny('builtin', `${call.program} ${shown(word.text)} changes what names mean`, `Use ${call.program} without it.`));
    }
  }
  return [];
}

function judgeNames(call: BuiltinCall, words: readonly Word[], setTo: readonly string[] | undefined): void {
  for (const word of words) {
    if (!plainName.test(word.text)) objectTo(call, word, deny('nameIsRun', `${shown(word.text)} is no plain name, and an index in it can run commands`, 'Name a plain variable.'));
    else if (setTo !== undefined) {
      const trouble = assignmentTrouble(word.text, oneOf(setTo), 'plain');
      if (trouble !== undefined) objectTo(call, word, trouble);
      setVariable(call.scope, word.text, oneOf(setTo));
    }
  }
}

function declare(call: BuiltinCall): void {
  const rest = flags(call, call.program === 'export' ? 'p' : 'aAgrxtpulcI');
  for (const word of rest) {
    const at = word.text.indexOf('=');
    const name = at < 0 ? word.text : word.text.slice(0, at);
    if (!plainName.test(name)) objectTo(call, word, deny('nameIsRun', `${shown(name)} is no plain name, and an index in it can run commands`, 'Name a plain variable.'));
    else {
      const value = oneOf([at < 0 ? '' : word.text.slice(at + 1)]);
      const trouble = assignmentTrouble(name, at < 0 ? (call.scope.variables.get(name) ?? unset) : value, call.program === 'export' ? 'export' : 'plain');
      if (trouble !== undefined) objectTo(call, word, trouble);
      if (at >= 0) setVariable(call.scope, name, value);
    }
  }
}

function readLine(call: BuiltinCall): void {
  const names = flags(call, 'rsae', 'ptnNdu');
  const text = call.input.kind === 'text' ? call.input.text : undefined;
  const values = text === undefined ? [OUTSIDE] : isKnown(text) ? [...text.split('\n').map((line) => line.trim()), ...text.split(/\s+/)] : text.includes(CRAFTED) ? [CRAFTED] : [OUTSIDE];
  judgeNames(call, names, values);
  if (names.length === 0) setVariable(call.scope, 'REPLY', oneOf(values));
}

function changeFolder(call: BuiltinCall): void {
  const [to] = flags(call, 'LP');
  if (to === undefined) return setVariable(call.scope, FOLDER, oneOf(['~']));
  for (const folder of call.folders) {
    const trouble = to.text === '-' ? plus('path.unknown', 'nothing in the text says which folder this is', 'Write the folder.') : judgePath('measure', to, folder);
    if (trouble !== undefined) objectTo(call, to, trouble);
  }
  const arrived = call.folders.map((folder) => (to.text === '-' ? OUTSIDE : resolve(to.text, folder)));
  call.scope.variables.set(ARRIVED, oneOf(arrived));
  setVariable(call.scope, FOLDER, oneOf(call.scope.variables.has(STOPS) ? arrived : [...call.folders, ...arrived]));
}

function setOptions(call: BuiltinCall): void {
  const words = call.words;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined) return;
    if (word.text === '--' || !/^[-+]/.test(word.text)) {
      const values = words.slice(word.text === '--' ? index + 1 : index);
      call.scope.variables.set('@', { texts: values.map((each) => each.text), isList: true });
      values.forEach((value, at) => call.scope.variables.set(String(at + 1), oneOf([value.text])));
      return;
    }
    const takesName = /^[-+][a-z]*o$/i.test(word.text);
    const name = takesName ? words[index + 1]?.text : undefined;
    if (!/^[-+][euxfEvnCbo]+$/.test(word.text) || (name !== undefined && !/^(errexit|nounset|pipefail|xtrace|errtrace|noglob|noclobber|verbose)$/.test(name))) objectTo(call, word, deny('builtin', `set ${shown(word.text)}${name === undefined ? '' : ` ${name}`} changes what the rest of the script means`, 'Use `set -euo pipefail`.'));
    if (/^-[a-z]*e|^-o$/.test(word.text) && (name === undefined || /e/.test(word.text) || name === 'errexit')) call.scope.variables.set(STOPS, oneOf(['']));
    if (word.text.startsWith('+')) call.scope.variables.delete(STOPS);
    if (takesName) index += 1;
  }
}

function judgeTest(call: BuiltinCall): void {
  call.words.forEach((word, index) => {
    judgeValue('text', word, call);
    const next = call.words[index + 1];
    if ((word.text === '-v' || word.text === '-R') && next !== undefined && !plainName.test(next.text)) objectTo(call, next, deny('nameIsRun', 'an index in this name can run commands', 'Name a plain variable.'));
  });
}

function print(call: BuiltinCall): void {
  const [first, name, ...more] = call.words;
  if (call.program === 'printf' && first?.text.startsWith('-v') === true) {
    const target = first.text === '-v' ? name : { ...first, text: first.text.slice(2) };
    const format = first.text === '-v' ? more[0]?.text : name?.text;
    const values = first.text === '-v' ? more.slice(1) : more;
    return judgeNames(call, target === undefined ? [] : [target], [format === '%s' && values.length === 1 ? (values[0]?.text ?? '') : CRAFTED]);
  }
  for (const word of call.words) judgeValue('text', word, call);
}

function setTrap(call: BuiltinCall): void {
  const [action, ...names] = call.words[0]?.text === '--' ? call.words.slice(1) : call.words;
  if (action === undefined || action.text === '-p' || action.text === '-l') return;
  for (const name of names) if (!signals.test(name.text)) objectTo(call, name, deny('trap', `a trap for ${shown(name.text)} runs between the lines that people read`, 'Use `trap … EXIT`.'));
  if (action.text === '-' || action.text === '' || signals.test(action.text)) return;
  if (!isKnown(action.text) || action.position === 0) return objectTo(call, action, deny('trap', 'it runs later what nobody can see here', 'Put the commands into single quotes.'));
  // It runs at a time that nobody knows, so with whatever its variables were ever set to.
  call.scope.shared.later.push(() => {
    const late = fork(call.scope);
    merge(late.variables, [call.scope.shared.everSet]);
    call.runTextHere(action.text, action.position, late);
  });
}

const builtins: Readonly<Record<string, (call: BuiltinCall) => void>> = {
  ...Object.fromEntries([':', 'true', 'false', 'pwd', 'exit', 'return', 'break', 'continue', 'times', 'jobs', 'caller', 'help', 'bg', 'fg', 'disown'].map((name) => [name, harmless])),
  wait: (call) => {
    for (const word of call.words) if (!/^(-n|%?[\d\uE000-\uE003]+)$/.test(word.text)) objectTo(call, word, deny('nameIsRun', 'an index in a name that it sets can run commands', 'Wait for a number.'));
  },
  echo: print,
  printf: print,
  cd: changeFolder,
  test: judgeTest,
  '[': judgeTest,
  read: readLine,
  mapfile: (call) => {
    for (const word of call.words) if (/^-\w*[Cc]/.test(word.text)) objectTo(call, word, deny('callback', 'it runs a command for every line', 'Use a loop.'));
    for (const name of flags(call, 't', 'dnOsuCc')) {
      judgeNames(call, [name], undefined);
      setVariable(call.scope, name.text, { texts: [call.input.kind === 'text' ? CRAFTED : OUTSIDE], isList: true });
    }
  },
  export: declare,
  declare,
  local: declare,
  typeset: declare,
  readonly: declare,
  unset: (call) => {
    const names = flags(call, 'vf');
    judgeNames(call, names, undefined);
    for (const name of names) {
      const trouble = assignmentTrouble(name.text, oneOf(['x']), 'export');
      if (trouble !== undefined) objectTo(call, name, trouble);
      setVariable(call.scope, name.text, oneOf(['']));
    }
  },
  set: setOptions,
  shift: (call) => {
    const all = call.scope.variables.get('@');
    if (all === undefined) return;
    for (const index of all.texts.keys()) call.scope.variables.set(String(index + 1), oneOf([...all.texts, '']));
  },
  getopts: (call) => {
    judgeNames(call, call.words.slice(1, 2), [OUTSIDE]);
    setVariable(call.scope, 'OPTARG', unset);
  },
  trap: setTrap,
  shopt: (call) => {
    for (const word of call.words) if (!/^(-s|-u|-q|nullglob|failglob|globstar|dotglob|extglob|nocasematch|inherit_errexit)$/.test(word.text)) objectTo(call, word, deny('builtin', `shopt ${shown(word.text)} changes what the rest of the script means`, 'Leave it out.'));
  },
  ulimit: (call) => {
    const [option, value, more] = call.words;
    if (value !== undefined && (more !== undefined || !/^-[SH]*[nu]$/.test(option?.text ?? ''))) objectTo(call, option, plus('limits', 'it changes what the programs after it may use', 'Set it where the service is configured.'));
  },
  umask: (call) => {
    for (const word of call.words) if (!/^0?[0-7]{3}$/.test(word.text)) objectTo(call, word, plus('limits', 'it changes who may read what is written', 'Write it as `umask 027`.'));
  },
  let: (call) => {
    for (const word of call.words) if (!/^[A-Za-z_]\w*(\+\+|--|[-+*/]?=\d+)$/.test(word.text)) objectTo(call, word, deny('nameIsRun', 'text that is taken for arithmetic can run commands', 'Use `((…))` with plain names and numbers.'));
  },
  command: (call) => {
    const [first, ...rest] = call.words;
    if (first?.text === '-v' || first?.text === '-V') return;
    call.runHere(first?.text === '-p' || first?.text === '--' ? rest : call.words);
  },
  builtin: (call) => call.runHere(call.words),
  exec: (call) => {
    if (call.words.some((word) => word.text.startsWith('-'))) return call.object(call.position, deny('exec', 'it runs a program under another name', 'Run the program itself.'));
    if (call.words.length > 0) call.runHere(call.words);
  },
  type: harmless,
  hash: (call) => {
    if (call.words.some((word) => word.text !== '-r')) call.object(call.position, deny('shadow', 'from here on a name stands for another program', 'Write the path of the program.'));
  },
  eval: never('eval', 'it runs text as commands, which nobody can see here', 'Write the commands themselves.'),
  source: never('source', 'it runs another file as part of this script', 'Write its commands here.'),
  '.': never('source', 'it runs another file as part of this script', 'Write its commands here.'),
  alias: never('alias', 'from here on a word stands for another command', 'Write the command itself.'),
  unalias: harmless,
  enable: never('builtin', 'it loads or switches off what the shell itself does', 'Leave it out.'),
  history: never('history', 'it reads or changes what people typed', 'Leave it out.'),
  fc: never('history', 'it runs again what people typed', 'Write the command itself.'),
  bind: never('builtin', 'it binds commands to keys', 'Leave it out.'),
  complete: never('builtin', 'it runs commands while people type', 'Leave it out.'),
  compgen: never('builtin', 'it can run commands to complete a word', 'Leave it out.'),
  suspend: never('builtin', 'it stops the shell', 'Leave it out.'),
  logout: harmless,
  pushd: changeFolder,
  popd: (call) => setVariable(call.scope, FOLDER, oneOf([...foldersOf(call.scope), OUTSIDE])),
  dirs: harmless,
};

export const isBuiltin = (name: string): boolean => Object.hasOwn(builtins, name);

/** Judges a builtin of the shell, and does to the scope what it would do. */
export function runBuiltin(name: string, call: BuiltinCall): void {
  builtins[name]?.(call);
}
