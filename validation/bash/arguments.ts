import { deny, plus } from './notes.js';
import type { Call, Kind, ProgramRule, Use } from './program-rule.js';
import { judgeValue } from './values.js';
import { isKnown, shown, wordOf, type Word } from './words.js';

interface Option {
  readonly takes: 'nothing' | 'value' | 'two' | 'attached';
  readonly kind: Kind;
}
type Options = ReadonlyMap<string, Option>;

const read = new Map<string, Options>();

/** Judges the words that a program is given by its rule: options first, then operands, each by its kind. */
export function judgeArguments(rule: ProgramRule, call: Call, words: readonly Word[], inherited = ''): void {
  if (rule.weight !== undefined) call.object(call.position, rule.weight);
  if (rule.judgeWords !== undefined) return rule.judgeWords(words, call);
  const written = `${inherited} ${rule.options ?? ''}`;
  const options = optionsOf(written);
  const kinds = rule.operands ?? [];
  const commandAt = rule.verbs === undefined ? kinds.indexOf('command') : 0;
  const given = new Map<string, Word[]>();
  const operands: Word[] = [];
  let tail: readonly Word[] | undefined;
  let rest: readonly Word[] = [];
  const note = (name: string, word: Word): void => void given.set(name, [...(given.get(name) ?? []), word]);

  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined) break;
    const isOption = /^[-+]./.test(word.text) && !/^-\d+$/.test(word.text) && (word.text.startsWith('-') || options.has(word.text));
    if (word.text === '--' && commandAt !== operands.length) {
      const after = words.slice(index + 1);
      if (rule.hasTail === true) tail = after;
      else operands.push(...after);
      break;
    }
    if (word.text === '--') continue;
    if (!isOption && !(/^-\d+$/.test(word.text) && options.has('-#'))) {
      if (operands.length === commandAt) {
        rest = words.slice(index);
        break;
      }
      operands.push(word);
      continue;
    }
    const taken = takeOption(word, words[index + 1], options, rule.isSingle === true, call, note);
    index += taken;
  }

  operands.forEach((word, index) => judgeValue(kinds[Math.min(index, kinds.length - 1)] ?? 'plus', word, call));
  const use: Use = { ...call, options: given, operands, tail };
  if (rule.verbs !== undefined) judgeVerb(rule, call, rest, given, written);
  else if (commandAt >= 0 && rest.length > 0) call.run(rest);
  rule.judge?.(rule.verbs === undefined ? use : { ...use, operands: rest });
}

function judgeVerb(rule: ProgramRule, call: Call, rest: readonly Word[], given: ReadonlyMap<string, readonly Word[]>, written: string): void {
  const [verb, ...words] = rest;
  if (verb === undefined) {
    const isHelp = ['--help', '--version', '-h', '-V', '-v', 'version'].some((name) => given.has(name));
    if (!isHelp && rule.judge === undefined) call.object(call.position, plus('verb', `${call.program} is told nothing, and may wait for what a person types`, 'Say what it is to do.'));
    return;
  }
  const next = rule.verbs === undefined || !Object.hasOwn(rule.verbs, verb.text) ? undefined : rule.verbs[verb.text];
  if (!isKnown(verb.text)) return call.object(verb.position, deny('hiddenVerb', `nothing in the text says what ${call.program} is told to do`, 'Write the word itself.'));
  if (next === undefined) return call.object(verb.position, rule.otherwise ?? plus('verb', `no rule knows what ${call.program} ${verb.text} does`, 'Use a verb that only reads, or let two people look at it.'));
  judgeArguments(next, { ...call, program: `${call.program} ${verb.text}`, position: verb.position }, words, written);
}

/** Judges one option; tells how many of the words after it belong to it. */
function takeOption(word: Word, next: Word | undefined, options: Options, isSingle: boolean, call: Call, note: (name: string, word: Word) => void): number {
  const { text } = word;
  if (/^-\d+$/.test(text)) return 0;
  if (text.startsWith('--') || text.startsWith('+') || isSingle) {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const option = options.get(name) ?? (isSingle ? options.get(name.replace(/^--/, '-')) : undefined);
    if (option === undefined) return refuse(name, word, call);
    if (equals >= 0) return weigh(name, option, { ...word, text: text.slice(equals + 1) }, call, note, 0);
    if (option.takes === 'value') return weigh(name, option, next, call, note, 1);
    if (option.takes === 'two') return weigh(name, option, next, call, note, 2);
    return weigh(name, option, undefined, call, note, 0, word);
  }
  for (let at = 1; at < text.length; at += 1) {
    const name = `-${text[at]}`;
    const option = options.get(name);
    if (option === undefined) return refuse(name, word, call);
    const attached = text.slice(at + 1).replace(/^=/, '');
    if (option.takes === 'attached') return weigh(name, option, { ...word, text: attached }, call, note, 0);
    if (option.takes === 'value') return attached === '' ? weigh(name, option, next, call, note, 1) : weigh(name, option, { ...word, text: attached }, call, note, 0);
    weigh(name, option, undefined, call, note, 0, word);
  }
  return 0;
}

function refuse(name: string, word: Word, call: Call): number {
  call.object(word.position, plus('option', `no rule knows what ${call.program} does with ${shown(name)}`, 'Leave the option out, or write its usual long form.'));
  return 0;
}

function weigh(name: string, option: Option, value: Word | undefined, call: Call, note: (name: string, word: Word) => void, taken: number, flag?: Word): number {
  note(name, value ?? flag ?? wordOf('', call.position));
  const position = value?.position ?? flag?.position ?? call.position;
  if (option.kind === 'plus') call.object(position, plus('option', `${call.program} with ${name} does more than can be inspected`, `Leave ${name} out.`));
  else if (option.kind === 'deny') call.object(position, deny('option', `${call.program} with ${name} runs, reads or allows what nobody can see here`, `Leave ${name} out.`));
  else if (value !== undefined) judgeValue(option.kind, value, call);
  return value === undefined ? 0 : taken;
}

function optionsOf(written: string): Options {
  const known = read.get(written);
  if (known !== undefined) return known;
  const options = new Map<string, Option>();
  for (const token of written.split(/\s+/)) {
    const [, names = '', mark = '', kind = ''] = /^([-+#A-Za-z0-9@,_.]+?)(?:(::|[:?!+])([a-zA-Z]*))?$/.exec(token) ?? [];
    if (names === '') continue;
    const option: Option = { takes: mark === '::' ? 'two' : mark === ':' ? 'value' : mark === '?' ? 'attached' : 'nothing', kind: mark === '!' ? 'deny' : mark === '+' ? 'plus' : kind === '' ? 'text' : toKind(kind) };
    const isCluster = /^-[^-]/.test(names) && (mark !== ':' || names.length === 2) && !token.startsWith('-.');
    if (isCluster && names.length > 2 && mark === '') for (const letter of names.slice(1)) options.set(`-${letter}`, option);
    options.set(names, option);
  }
  read.set(written, options);
  return options;
}

const kinds: readonly Kind[] = ['text', 'name', 'known', 'number', 'measure', 'list', 'read', 'write', 'own', 'remove', 'removeTree', 'url', 'host', 'command', 'shell', 'sql', 'plus', 'deny'];
function toKind(text: string): Kind {
  const kind = kinds.find((each) => each === text);
  if (kind === undefined) throw new Error(`No kind is called ${text}; see program-rule.ts.`);
  return kind;
}
